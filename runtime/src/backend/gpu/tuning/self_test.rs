//! Stages on a few numbers, beside the processor's plain kernels: those are given weights that were decoded before, so
//! that both sum the same products in f32.

use lorgnette_quant::block;

use super::Test;
use crate::Result;
use crate::backend::cpu::Cpu;
use crate::backend::gpu::Gpu;
use crate::backend::gpu::attention::KvCache;
use crate::backend::gpu::format::Format;
use crate::backend::gpu::product::{Numbers, Variant};
use crate::backend::gpu::weights::Weights;
use crate::backend::{
    AttentionInput, Backend, Candidates, Dense, Heads, KvElement, KvShape, LayerNorm, Linear, Matrix, Norm,
    Pairing, Place, RmsNorm, Rotary, Sight,
};

/// Sums in f32, in another order.
const FLOATS: f64 = 3e-5;
/// The same over weights in blocks, which are decoded in another order.
const BLOCKS: f64 = 1e-4;
/// Keys and values in f16, or what is multiplied.
const HALVES: f64 = 2e-3;
/// Input in levels of 8 bits.
const LEVELS: f64 = 0.02;
/// Tokens, of which none may be another.
const EXACT: f64 = 1e-9;

/// A stage that does not depend on the model.
pub(super) struct Stage {
    pub(super) name: &'static str,
    on_gpu: fn(&Gpu) -> Result<Vec<f32>>,
    on_cpu: fn(&Cpu) -> Result<Vec<f32>>,
    bound: f64,
}

impl Stage {
    pub(super) fn run(&self, gpu: &Gpu) -> Result<Test> {
        Ok(Test::of(&(self.on_gpu)(gpu)?, &(self.on_cpu)(&Cpu)?, self.bound))
    }
}

pub(super) const STAGES: &[Stage] = &[
    Stage { name: "norms", on_gpu: norms, on_cpu: norms, bound: FLOATS },
    Stage { name: "rows of rows", on_gpu: rows, on_cpu: rows, bound: FLOATS },
    Stage { name: "choice of a token", on_gpu: choices, on_cpu: choices, bound: EXACT },
];

/// Numbers from -1 to 1, the same each time.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let hash = |i: u32| (i ^ seed.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B).rotate_left(13);
    (0..count as u32).map(|i| (hash(hash(i)) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn vector<B: Backend>(backend: &B, len: usize, seed: u32) -> Result<B::Weights> {
    backend.load(Matrix::from_values("a vector", len, &values(len, seed))?)
}

fn rms<B: Backend>(backend: &B, len: usize) -> Result<RmsNorm<B::Weights>> {
    Ok(RmsNorm { weight: vector(backend, len, 1)?, epsilon: 1e-5 })
}

fn norms<B: Backend>(backend: &B) -> Result<Vec<f32>> {
    let width = 100;
    let layer =
        LayerNorm { weight: vector(backend, width, 2)?, bias: vector(backend, width, 3)?, epsilon: 1e-5 };
    let rows = backend.upload(width, values(3 * width, 4))?;
    let rows = backend.norm(&Norm::Layer(layer), &rows)?;
    backend.download(backend.norm(&Norm::Rms(rms(backend, width)?), &rows)?)
}

fn rows<B: Backend>(backend: &B) -> Result<Vec<f32>> {
    let rows = backend.upload(10, values(70, 5))?;
    let gathered = backend.gather(&rows, &[Some(6), None, Some(0), Some(3), Some(3), Some(1)], 2)?;
    let both = backend.concat(&[&backend.mean_pool(&gathered, 3)?, &gathered])?;
    backend.download(both)
}

fn choices<B: Backend>(backend: &B) -> Result<Vec<f32>> {
    let (count, wanted) = (1100, 5);
    let logits = values(2 * count, 6);
    let allowed: Vec<u32> = (0..count.div_ceil(32)).map(|word| 0x1111_1111 << (word % 4)).collect();
    let mut found = Vec::new();
    for allowed in [None, Some(&allowed[..])] {
        let upload = || backend.upload(count, logits.clone());
        found.push(backend.token(&backend.likeliest(&upload()?, allowed)?)? as f32);
        let mut likeliest: Vec<(u32, f32)> = match backend.candidates(upload()?, allowed, wanted)? {
            Candidates::All(logits) => (0..).zip(logits).collect(),
            Candidates::Likeliest(pairs) => pairs,
        };
        likeliest.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.extend(likeliest.iter().take(wanted).flat_map(|(token, logit)| [*token as f32, *logit]));
    }
    Ok(found)
}

/// Two query heads for each of two heads of keys, over more positions than one group of threads attends to.
pub(super) fn attention(gpu: &Gpu, shape: KvShape) -> Result<Test> {
    let shape = KvShape { layers: 1, heads: 2, ..shape };
    // Its projections are not those of a model: kernels for them need not be chosen.
    let load = |matrix: Matrix| Weights::new(&gpu.0, &matrix);
    let found = attend(gpu, load, KvCache::new(&gpu.0, shape, 300)?, shape.head_len)?;
    let right = attend(&Cpu, |matrix| Cpu.load(matrix), Cpu.kv_cache(shape, 300)?, shape.head_len)?;
    Ok(Test::of(&found, &right, if shape.element == KvElement::F16 { HALVES } else { BLOCKS }))
}

fn attend<B: Backend>(
    backend: &B,
    load: impl Fn(Matrix) -> Result<B::Weights>,
    mut cache: B::KvCache,
    len: usize,
) -> Result<Vec<f32>> {
    let (width, heads) = (32, Heads { count: 4, kv_count: 2, len });
    let linear = |heads: usize, seed: u32| -> Result<Linear<B::Weights>> {
        let weight = Matrix::from_values("heads", width, &values(width * heads * len, seed))?;
        Ok(Linear { weight: load(weight)?, bias: None })
    };
    let mut stage = AttentionInput {
        norm: Norm::Rms(rms(backend, width)?),
        query: linear(4, 7)?,
        key: linear(2, 8)?,
        value: linear(2, 9)?,
        query_norm: None,
        key_norm: None,
        heads,
        rotary: Some(Rotary {
            pairing: Pairing::Neighbours,
            frequencies: (0..len / 2).map(|i| 1.0 / (1 + i) as f32).collect(),
            magnitude: 1.0,
        }),
    };
    let (before, count) = (270, 2);
    let rows = backend.upload(width, values(before * width, 10))?;
    backend.attention_input(&stage, &rows, &mut cache, Place { layer: 0, start: 0 })?;
    (stage.query_norm, stage.key_norm) = (Some(rms(backend, len)?), Some(rms(backend, len)?));
    stage.rotary = stage.rotary.map(|rotary| Rotary { pairing: Pairing::Halves, ..rotary });
    let at = Place { layer: 0, start: before };
    let rows = backend.upload(width, values(count * width, 11))?;
    let queries = backend.attention_input(&stage, &rows, &mut cache, at)?;
    backend.download(backend.attention(&heads, &queries, &cache, at, Sight::Causal)?)
}

/// A small product in `format`, with 1 row or with `count`.
pub(super) fn product(gpu: &Gpu, format: Format, way: Variant, count: usize) -> Result<Test> {
    let ty = format.ty();
    let (columns, rows) = (ty.block_len().max(64) * 3 / 2 / ty.block_len() * ty.block_len(), 37);
    let matrix = Matrix::encoded(ty, columns, &values(columns * rows, 12))?;
    let mut plain = vec![0.0; columns * rows];
    block::decode(ty, matrix.data(), &mut plain)?;
    let mut weight = Weights::stored(&gpu.0, &matrix, format)?;
    weight.ways = [vec![way], vec![way]];
    let found = dense(gpu, weight, columns, count)?;
    let right = dense(&Cpu, Cpu.load(Matrix::from_values("plain", columns, &plain)?)?, columns, count)?;
    let bound = match way {
        Variant::Tile { numbers: Numbers::Levels } => LEVELS,
        way if way.rounds() => HALVES,
        _ if format == Format::F32 => FLOATS,
        _ => BLOCKS,
    };
    Ok(Test::of(&found, &right, bound))
}

fn dense<B: Backend>(backend: &B, weight: B::Weights, columns: usize, count: usize) -> Result<Vec<f32>> {
    let stage = Dense {
        norm: Some(Norm::Rms(rms(backend, columns)?)),
        linear: Linear { weight, bias: None },
        activation: None,
    };
    backend.download(backend.dense(&stage, &backend.upload(columns, values(count * columns, 13))?)?)
}

/// Rows of a table in `format`.
pub(super) fn embedding(gpu: &Gpu, format: Format) -> Result<Test> {
    let columns = format.ty().block_len().max(64);
    let matrix = Matrix::encoded(format.ty(), columns, &values(5 * columns, 14))?;
    let mut plain = vec![0.0; 5 * columns];
    block::decode(format.ty(), matrix.data(), &mut plain)?;
    let rows = gpu.embed(&Weights::stored(&gpu.0, &matrix, format)?, &[4, 0, 2])?;
    let right = [4, 0, 2].map(|row: usize| &plain[row * columns..][..columns]).concat();
    Ok(Test::of(&gpu.download(rows)?, &right, FLOATS))
}
