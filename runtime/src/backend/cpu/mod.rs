//! The processor: kernels over vector registers, each compiled for plain arrays too, which define what is right.
//!
//! Weights are read where they are mapped. All work is spread over one team of threads, as many as
//! there are processors, or as [`set_threads`] says.

mod attention;
mod isa;
mod kv_cache;
mod matmul;
mod norm;
mod team;

use lorgnette_quant::gguf::Tensor;

use self::attention::attend;
pub use self::kv_cache::KvCache;
use self::matmul::{decode_row, decode_vector, linears, matmuls};
use self::norm::{gate_by_silu, normed, rotate};
pub use self::team::{MAX_THREADS, set_threads, threads};
use super::{AttentionInput, Backend, FeedForwardInput, Heads, KvShape, Linear, Output, Place};
use crate::{Result, TokenId};

/// Computes on [`threads`] threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

/// `[count][width]`, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    width: usize,
    values: Vec<f32>,
}

impl Rows {
    fn zeros(count: usize, width: usize) -> Self {
        Self { width, values: vec![0.0; count * width] }
    }

    fn count(&self) -> usize {
        self.values.len() / self.width
    }

    fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.width)
    }
}

impl Backend for Cpu {
    type Weights = Tensor;
    type Rows = Rows;
    type KvCache = KvCache;

    fn load(&self, tensor: Tensor) -> Result<Tensor> {
        // What cannot be decoded must be known now, and not at the first token.
        let mut row = vec![0.0; tensor.info().shape().row_len()];
        decode_row(&tensor, 0, &mut row)?;
        Ok(tensor)
    }

    fn kv_cache(&self, shape: KvShape, positions: usize) -> Result<KvCache> {
        KvCache::new(shape, positions)
    }

    fn embed(&self, table: &Tensor, tokens: &[TokenId]) -> Result<Rows> {
        let mut rows = Rows::zeros(tokens.len(), table.info().shape().row_len());
        rows.iter_mut().zip(tokens).try_for_each(|(row, &token)| decode_row(table, token as usize, row))?;
        Ok(rows)
    }

    fn attention_input(
        &self,
        stage: &AttentionInput<Tensor>,
        rows: &Rows,
        cache: &mut KvCache,
        at: Place,
    ) -> Result<Rows> {
        let x = normed(&stage.norm, rows, rows.width)?;
        let [mut queries, mut keys, values] = linears([&stage.query, &stage.key, &stage.value], &x)?;
        if let Some(norm) = &stage.query_norm {
            queries = normed(norm, &queries, stage.heads.len)?;
        }
        if let Some(norm) = &stage.key_norm {
            keys = normed(norm, &keys, stage.heads.len)?;
        }
        rotate(&stage.rotary, [&mut queries, &mut keys], stage.heads.len, at.start);
        cache.write(at, &keys, &values);
        Ok(queries)
    }

    fn attention(&self, heads: &Heads, queries: &Rows, cache: &KvCache, at: Place) -> Result<Rows> {
        Ok(attend(heads, queries, &cache.layer(at.layer), at.start))
    }

    fn project_onto(&self, projection: &Linear<Tensor>, rows: &Rows, residual: &mut Rows) -> Result<()> {
        let [projected] = linears([projection], rows)?;
        residual.values.iter_mut().zip(&projected.values).for_each(|(r, p)| *r += p);
        Ok(())
    }

    fn feed_forward_input(&self, stage: &FeedForwardInput<Tensor>, rows: &Rows) -> Result<Rows> {
        let x = normed(&stage.norm, rows, rows.width)?;
        let [mut gated, up] = linears([&stage.gate, &stage.up], &x)?;
        gate_by_silu(&mut gated, &up);
        Ok(gated)
    }

    fn logits(&self, stage: &Output<'_, Tensor>, rows: &Rows, first: usize) -> Result<Vec<f32>> {
        let wanted = Rows { width: rows.width, values: rows.values[first * rows.width..].to_vec() };
        let [logits] = matmuls([stage.head], &normed(stage.norm, &wanted, rows.width)?)?;
        Ok(logits.values)
    }
}
