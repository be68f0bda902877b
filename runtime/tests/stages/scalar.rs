//! What is right: every stage in plain loops over decoded weights, summed in f64.

use lorgnette_quant::block;
use lorgnette_runtime::backend::{
    Activation, AttentionInput, Backend, Candidates, Dense, FeedForwardInput, Heads, KvShape, LayerNorm,
    Linear, Matrix, Norm, Output, Pairing, Place, RmsNorm, Rotary, Sight,
};
use lorgnette_runtime::{Result, TokenId};

#[derive(Clone, Copy)]
pub(crate) struct Scalar;

/// `[rows][width]`.
#[derive(Clone)]
pub(crate) struct Table {
    width: usize,
    values: Vec<f32>,
}

impl Table {
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    fn each(&self, row: impl FnMut(&[f32]) -> Vec<f32>) -> Self {
        let rows: Vec<_> = self.rows().map(row).collect();
        Self { width: rows[0].len(), values: rows.concat() }
    }
}

/// Keys and values of each position of each layer.
pub(crate) struct Cache(Vec<Vec<[Vec<f32>; 2]>>);

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
}

fn linear(linear: &Linear<Table>, x: &[f32]) -> Vec<f32> {
    let bias = |row: usize| linear.bias.as_ref().map_or(0.0, |bias| bias.values[row]);
    linear.weight.rows().enumerate().map(|(row, w)| dot(w, x) + bias(row)).collect()
}

fn rms(norm: &RmsNorm<Table>, x: &[f32]) -> Vec<f32> {
    let scale = 1.0 / (dot(x, x) / x.len() as f32 + norm.epsilon).sqrt();
    x.iter().zip(&norm.weight.values).map(|(x, w)| x * scale * w).collect()
}

fn layer(norm: &LayerNorm<Table>, x: &[f32]) -> Vec<f32> {
    let mean = (x.iter().map(|x| f64::from(*x)).sum::<f64>() / x.len() as f64) as f32;
    let centered: Vec<f32> = x.iter().map(|x| x - mean).collect();
    let scale = 1.0 / (dot(&centered, &centered) / x.len() as f32 + norm.epsilon).sqrt();
    let weights = norm.weight.values.iter().zip(&norm.bias.values);
    centered.iter().zip(weights).map(|(x, (w, b))| x * scale * w + b).collect()
}

fn normed(norm: &Norm<Table>, x: &[f32]) -> Vec<f32> {
    match norm {
        Norm::Rms(norm) => rms(norm, x),
        Norm::Layer(norm) => layer(norm, x),
    }
}

fn activated(activation: Activation, x: f32) -> f32 {
    let x = f64::from(x);
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    let y = match activation {
        Activation::Silu => x * logistic(x),
        Activation::GeluQuick => x * logistic(1.702 * x),
        Activation::GeluTanh => {
            x * logistic(2.0 * (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x))
        }
        Activation::GeluErf => x * 0.5 * (1.0 + erf(x / 2.0_f64.sqrt())),
    };
    y as f32
}

/// By its series, up to where it is 1.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

fn turn(rotary: &Rotary, position: usize, head: &mut [f32]) {
    let half = rotary.frequencies.len();
    for (pair, frequency) in rotary.frequencies.iter().enumerate() {
        let (sin, cos) = f64::from(position as f32 * frequency).sin_cos();
        let (sin, cos) = (sin as f32 * rotary.magnitude, cos as f32 * rotary.magnitude);
        let (a, b) = match rotary.pairing {
            Pairing::Neighbours => (2 * pair, 2 * pair + 1),
            Pairing::Halves => (pair, pair + half),
        };
        (head[a], head[b]) = (head[a] * cos - head[b] * sin, head[a] * sin + head[b] * cos);
    }
}

fn heads(x: &mut [f32], len: usize, norm: Option<&RmsNorm<Table>>, rotary: Option<&Rotary>, position: usize) {
    for head in x.chunks_exact_mut(len) {
        if let Some(norm) = norm {
            head.copy_from_slice(&rms(norm, head));
        }
        if let Some(rotary) = rotary {
            turn(rotary, position, head);
        }
    }
}

fn attend(query: &[f32], seen: &[[Vec<f32>; 2]], head: std::ops::Range<usize>) -> Vec<f32> {
    let scale = 1.0 / (query.len() as f32).sqrt();
    let scores: Vec<f32> = seen.iter().map(|[key, _]| dot(query, &key[head.clone()]) * scale).collect();
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = scores.iter().map(|score| f64::from(score - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    let sum = |e: usize| weights.iter().zip(seen).map(|(w, [_, value])| w * f64::from(value[e])).sum::<f64>();
    head.map(|e| (sum(e) / total) as f32).collect()
}

impl Backend for Scalar {
    type Weights = Table;
    type Rows = Table;
    type KvCache = Cache;
    type Token = TokenId;

    fn load(&self, matrix: Matrix) -> Result<Table> {
        let mut values = vec![0.0; matrix.rows() * matrix.columns()];
        block::decode(matrix.ty(), matrix.data(), &mut values)?;
        Ok(Table { width: matrix.columns(), values })
    }

    fn kv_cache(&self, shape: KvShape, positions: usize) -> Result<Cache> {
        Ok(Cache(vec![vec![Default::default(); positions]; shape.layers]))
    }

    fn copy_kv(&self, from: &Cache, positions: usize, to: &mut Cache) -> Result<()> {
        for (to, from) in to.0.iter_mut().zip(&from.0) {
            to[..positions].clone_from_slice(&from[..positions]);
        }
        Ok(())
    }

    fn embed(&self, table: &Table, tokens: &[TokenId]) -> Result<Table> {
        let rows: Vec<_> = tokens.iter().map(|&token| table.rows().nth(token as usize).unwrap()).collect();
        Ok(Table { width: table.width, values: rows.concat() })
    }

    fn embed_chosen(&self, table: &Table, token: &TokenId) -> Result<Table> {
        self.embed(table, &[*token])
    }

    fn attention_input(
        &self,
        stage: &AttentionInput<Table>,
        rows: &Table,
        cache: &mut Cache,
        at: Place,
    ) -> Result<Table> {
        let (len, mut position) = (stage.heads.len, at.start);
        Ok(rows.each(|x| {
            let x = normed(&stage.norm, x);
            let [mut query, mut key, value] = [&stage.query, &stage.key, &stage.value].map(|l| linear(l, &x));
            heads(&mut query, len, stage.query_norm.as_ref(), stage.rotary.as_ref(), position);
            heads(&mut key, len, stage.key_norm.as_ref(), stage.rotary.as_ref(), position);
            cache.0[at.layer][position] = [key, value];
            position += 1;
            query
        }))
    }

    fn attention(
        &self,
        heads: &Heads,
        queries: &Table,
        cache: &Cache,
        at: Place,
        sight: Sight,
    ) -> Result<Table> {
        let all = at.start + queries.rows().count();
        let mut position = at.start;
        Ok(queries.each(|row| {
            position += 1;
            let seen = &cache.0[at.layer][..if sight == Sight::All { all } else { position }];
            let of_head = |(number, query): (usize, &[f32])| {
                let first = number / (heads.count / heads.kv_count) * heads.len;
                attend(query, seen, first..first + heads.len)
            };
            row.chunks_exact(heads.len).enumerate().flat_map(of_head).collect()
        }))
    }

    fn project_onto(&self, matrix: &Linear<Table>, rows: &Table, residual: &mut Table) -> Result<()> {
        let products = rows.each(|x| linear(matrix, x)).values;
        residual.values.iter_mut().zip(products).for_each(|(x, y)| *x += y);
        Ok(())
    }

    fn feed_forward_input(&self, stage: &FeedForwardInput<Table>, rows: &Table) -> Result<Table> {
        Ok(rows.each(|x| {
            let x = rms(&stage.norm, x);
            let (gate, up) = (linear(&stage.gate, &x), linear(&stage.up, &x));
            gate.iter().zip(up).map(|(gate, up)| activated(Activation::Silu, *gate) * up).collect()
        }))
    }

    fn logits(&self, stage: &Output<'_, Table>, rows: &Table, first: usize) -> Result<Table> {
        let wanted = Table { width: rows.width, values: rows.values[first * rows.width..].to_vec() };
        Ok(wanted.each(|x| {
            let x = rms(stage.norm, x);
            stage.head.rows().map(|w| dot(w, &x)).collect()
        }))
    }

    fn likeliest(&self, logits: &Table, allowed: Option<&[u32]>) -> Result<TokenId> {
        let Candidates::All(logits) = self.candidates(logits.clone(), allowed, 1)? else { unreachable!() };
        let first = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
        Ok((1..logits.len()).fold(0, first) as TokenId)
    }

    fn token(&self, token: &TokenId) -> Result<TokenId> {
        Ok(*token)
    }

    fn candidates(&self, logits: Table, allowed: Option<&[u32]>, _: usize) -> Result<Candidates> {
        let mut last = logits.rows().last().unwrap().to_vec();
        for (i, logit) in last.iter_mut().enumerate() {
            if allowed.is_some_and(|allowed| allowed[i / 32] >> (i % 32) & 1 == 0) {
                *logit = f32::NEG_INFINITY;
            }
        }
        Ok(Candidates::All(last))
    }

    fn finish(&self) -> Result<()> {
        Ok(())
    }

    fn upload(&self, width: usize, values: Vec<f32>) -> Result<Table> {
        Ok(Table { width, values })
    }

    fn download(&self, rows: Table) -> Result<Vec<f32>> {
        Ok(rows.values)
    }

    fn concat(&self, parts: &[&Table]) -> Result<Table> {
        let values: Vec<_> = parts.iter().map(|part| part.values.as_slice()).collect();
        Ok(Table { width: parts[0].width, values: values.concat() })
    }

    fn norm(&self, norm: &Norm<Table>, rows: &Table) -> Result<Table> {
        Ok(rows.each(|x| normed(norm, x)))
    }

    fn dense(&self, stage: &Dense<Table>, rows: &Table) -> Result<Table> {
        Ok(rows.each(|x| {
            let x = stage.norm.as_ref().map_or_else(|| x.to_vec(), |norm| normed(norm, x));
            let mut y = linear(&stage.linear, &x);
            if let Some(activation) = stage.activation {
                y.iter_mut().for_each(|y| *y = activated(activation, *y));
            }
            y
        }))
    }

    fn add_positions(&self, table: &Table, first: usize, rows: &mut Table) -> Result<()> {
        let added = &table.values[first * table.width..];
        rows.values.iter_mut().zip(added).for_each(|(x, p)| *x += p);
        Ok(())
    }

    fn gather(&self, rows: &Table, sources: &[Option<usize>], group: usize) -> Result<Table> {
        let row = |source: &Option<usize>| match source {
            Some(index) => rows.rows().nth(*index).unwrap().to_vec(),
            None => vec![0.0; rows.width],
        };
        Ok(Table { width: group * rows.width, values: sources.iter().flat_map(row).collect() })
    }

    fn mean_pool(&self, rows: &Table, count: usize) -> Result<Table> {
        let group = rows.values.chunks_exact(count * rows.width);
        let mean = |group: &[f32]| -> Vec<f32> {
            (0..rows.width)
                .map(|e| (0..count).map(|i| group[i * rows.width + e]).sum::<f32>() / count as f32)
                .collect()
        };
        Ok(Table { width: rows.width, values: group.flat_map(mean).collect() })
    }
}
