//! The processor: kernels over vector registers, each compiled for plain arrays too, which define what is right.
//!
//! Weights are read where they are mapped. All work is spread over one team of threads, as many as
//! there are processors, or as [`set_threads`] says.

mod activation;
mod attention;
mod choice;
mod isa;
mod kv_cache;
mod matmul;
mod norm;
mod outer;
mod rows;
mod team;
mod weights;

use self::activation::gate_by;
use self::attention::attend;
pub use self::kv_cache::KvCache;
use self::matmul::{dense, linears, matmul, project_onto};
use self::norm::{normed, rms_normed, rotate};
pub use self::rows::Rows;
pub use self::team::{MAX_THREADS, set_threads, threads};
pub use self::weights::Weights;
use super::{
    Activation, AttentionInput, Backend, Candidates, Dense, FeedForwardInput, Heads, KvShape, Linear, Matrix,
    Norm, Output, Place, Sight,
};
use crate::{Error, ErrorKind, Result, TokenId};

/// Computes on [`threads`] threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

impl Backend for Cpu {
    type Weights = Weights;
    type Rows = Rows;
    type KvCache = KvCache;
    type Token = TokenId;

    fn load(&self, matrix: Matrix) -> Result<Weights> {
        Weights::new(matrix)
    }

    fn kv_cache(&self, shape: KvShape, positions: usize) -> Result<KvCache> {
        KvCache::new(shape, positions)
    }

    fn copy_kv(&self, from: &KvCache, positions: usize, to: &mut KvCache) -> Result<()> {
        to.copy_from(from, positions);
        Ok(())
    }

    fn embed(&self, table: &Weights, tokens: &[TokenId]) -> Result<Rows> {
        let mut rows = Rows::zeros(tokens.len(), table.matrix().columns());
        rows.iter_mut().zip(tokens).try_for_each(|(row, &token)| table.decode_row(token as usize, row))?;
        if tokens.len() > 1 {
            table.release();
        }
        Ok(rows)
    }

    fn embed_chosen(&self, table: &Weights, token: &TokenId) -> Result<Rows> {
        self.embed(table, &[*token])
    }

    fn attention_input(
        &self,
        stage: &AttentionInput<Weights>,
        rows: &Rows,
        cache: &mut KvCache,
        at: Place,
    ) -> Result<Rows> {
        let [mut queries, mut keys, values] = projected(stage, rows)?;
        if let Some(rotary) = &stage.rotary {
            rotate(rotary, [&mut queries, &mut keys], stage.heads.len, at.start);
        }
        cache.write(at, &keys, &values);
        Ok(queries)
    }

    fn attention(
        &self,
        heads: &Heads,
        queries: &Rows,
        cache: &KvCache,
        at: Place,
        sight: Sight,
    ) -> Result<Rows> {
        Ok(attend(heads, queries, cache, at, sight))
    }

    fn attention_apart(
        &self,
        stage: &AttentionInput<Weights>,
        rows: &Rows,
        sequences: &mut [(&mut KvCache, usize)],
        layer: usize,
    ) -> Result<Rows> {
        let projected = projected(stage, rows)?;
        let attend = |(row, (cache, start)): (usize, &mut (&mut KvCache, usize))| {
            let at = Place { layer, start: *start };
            let [mut queries, mut keys, values] =
                projected.each_ref().map(|rows| rows.gather(&[Some(row)], 1));
            if let Some(rotary) = &stage.rotary {
                rotate(rotary, [&mut queries, &mut keys], stage.heads.len, at.start);
            }
            cache.write(at, &keys, &values);
            attend(&stage.heads, &queries, cache, at, Sight::Causal)
        };
        let attended: Vec<_> = sequences.iter_mut().enumerate().map(attend).collect();
        self.concat(&attended.iter().collect::<Vec<_>>())
    }

    fn project_onto(&self, projection: &Linear<Weights>, rows: &Rows, residual: &mut Rows) -> Result<()> {
        project_onto(projection, rows, residual)
    }

    fn feed_forward_input(&self, stage: &FeedForwardInput<Weights>, rows: &Rows) -> Result<Rows> {
        let x = rms_normed(&stage.norm, rows, rows.width);
        let [mut gated, up] = linears([&stage.gate, &stage.up], &x)?;
        gate_by(Activation::Silu, &mut gated, &up);
        Ok(gated)
    }

    fn logits(&self, stage: &Output<'_, Weights>, rows: &Rows, first: usize) -> Result<Rows> {
        let wanted = Rows { width: rows.width, values: rows.values[first * rows.width..].to_vec() };
        matmul(stage.head, &rms_normed(stage.norm, &wanted, rows.width))
    }

    fn likeliest(&self, logits: &Rows, allowed: Option<&[u32]>) -> Result<TokenId> {
        Ok(choice::likeliest(logits.row(logits.count() - 1), allowed))
    }

    fn token(&self, token: &TokenId) -> Result<TokenId> {
        Ok(*token)
    }

    fn candidates(&self, logits: Rows, allowed: Option<&[u32]>, _: usize) -> Result<Candidates> {
        let Rows { width, mut values } = logits;
        values.drain(..values.len() - width);
        choice::mask(&mut values, allowed);
        Ok(Candidates::All(values))
    }

    fn finish(&self) -> Result<()> {
        Ok(())
    }

    fn upload(&self, width: usize, values: Vec<f32>) -> Result<Rows> {
        if width == 0 || !values.len().is_multiple_of(width) {
            let detail = format!("found {} values, expected rows of {width}", values.len());
            return Err(Error::new(ErrorKind::Argument, "rows", detail));
        }
        Ok(Rows { width, values })
    }

    fn download(&self, rows: Rows) -> Result<Vec<f32>> {
        Ok(rows.values)
    }

    fn concat(&self, parts: &[&Rows]) -> Result<Rows> {
        let width = parts.first().map_or(1, |rows| rows.width);
        let values: Vec<_> = parts.iter().map(|rows| rows.values.as_slice()).collect();
        Ok(Rows { width, values: values.concat() })
    }

    fn norm(&self, norm: &Norm<Weights>, rows: &Rows) -> Result<Rows> {
        Ok(normed(norm, rows))
    }

    fn dense(&self, stage: &Dense<Weights>, rows: &Rows) -> Result<Rows> {
        let Dense { linear, activation, .. } = stage;
        match &stage.norm {
            Some(norm) => dense(linear, *activation, &normed(norm, rows)),
            None => dense(linear, *activation, rows),
        }
    }

    fn add_positions(&self, table: &Weights, first: usize, rows: &mut Rows) -> Result<()> {
        let mut position = vec![0.0; rows.width];
        for (index, row) in rows.iter_mut().enumerate() {
            table.decode_row(first + index, &mut position)?;
            row.iter_mut().zip(&position).for_each(|(x, p)| *x += p);
        }
        Ok(())
    }

    fn gather(&self, rows: &Rows, sources: &[Option<usize>], group: usize) -> Result<Rows> {
        if let Some(source) = sources.iter().flatten().find(|source| **source >= rows.count()) {
            let detail = format!("row {source} of {} asked for", rows.count());
            return Err(Error::new(ErrorKind::Argument, "rows", detail));
        }
        Ok(rows.gather(sources, group))
    }

    fn mean_pool(&self, rows: &Rows, count: usize) -> Result<Rows> {
        Ok(rows.mean_pool(count))
    }
}

/// Queries, keys and values of each row, at no position yet.
fn projected(stage: &AttentionInput<Weights>, rows: &Rows) -> Result<[Rows; 3]> {
    let x = normed(&stage.norm, rows);
    let [mut queries, mut keys, values] = linears([&stage.query, &stage.key, &stage.value], &x)?;
    if let Some(norm) = &stage.query_norm {
        queries = rms_normed(norm, &queries, stage.heads.len);
    }
    if let Some(norm) = &stage.key_norm {
        keys = rms_normed(norm, &keys, stage.heads.len);
    }
    Ok([queries, keys, values])
}
