//! Cases of every stage: what goes in is made from a seed, so that every backend is given the same.

use std::cell::Cell;
use std::sync::Arc;

use lorgnette_quant::gguf::{Gguf, Metadata, TensorInfo, TensorShape, Writer};
use lorgnette_quant::{TensorType, block};
use lorgnette_runtime::backend::{
    Activation, AttentionInput, Backend, Dense, FeedForwardInput, Heads, KvElement, KvShape, LayerNorm,
    Linear, Matrix, Norm, Output, Pairing, Place, RmsNorm, Rotary, Sight,
};

/// Every format that all backends take.
pub(crate) const FORMATS: &[TensorType] = &[
    TensorType::F32,
    TensorType::F16,
    TensorType::BF16,
    TensorType::Q4_0,
    TensorType::Q4_1,
    TensorType::Q5_0,
    TensorType::Q5_1,
    TensorType::Q8_0,
    TensorType::Q4_K,
    TensorType::Q5_K,
    TensorType::Q6_K,
];

/// What goes into a case, the same for all who start from one seed.
pub(crate) struct Maker<'a, B> {
    pub(crate) backend: &'a B,
    state: Cell<u64>,
}

impl<'a, B: Backend> Maker<'a, B> {
    pub(crate) fn new(backend: &'a B, seed: u64) -> Self {
        Self { backend, state: Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1) }
    }

    /// Numbers from -1 to 1. Xorshift (Marsaglia 2003).
    pub(crate) fn values(&self, count: usize) -> Vec<f32> {
        let mut state = self.state.get();
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        let values = (0..count).map(|_| next()).collect();
        self.state.set(state);
        values
    }

    pub(crate) fn rows(&self, count: usize, width: usize) -> B::Rows {
        self.backend.upload(width, self.values(count * width)).unwrap()
    }

    /// Weights whose products with rows of [`rows`](Self::rows) are around 1.
    pub(crate) fn weights(&self, ty: TensorType, columns: usize, rows: usize) -> B::Weights {
        let scale = (3.0 / columns as f32).sqrt();
        let values: Vec<f32> = self.values(columns * rows).iter().map(|x| x * scale).collect();
        self.backend.load(matrix(ty, columns, &values)).unwrap()
    }

    pub(crate) fn linear(
        &self,
        ty: TensorType,
        columns: usize,
        rows: usize,
        bias: bool,
    ) -> Linear<B::Weights> {
        let weight = self.weights(ty, columns, rows);
        Linear { weight, bias: bias.then(|| self.vector(rows)) }
    }

    pub(crate) fn vector(&self, len: usize) -> B::Weights {
        self.backend.load(matrix(TensorType::F32, len, &self.values(len))).unwrap()
    }

    pub(crate) fn rms(&self, len: usize) -> RmsNorm<B::Weights> {
        RmsNorm { weight: self.vector(len), epsilon: 1e-5 }
    }

    pub(crate) fn layer(&self, len: usize) -> LayerNorm<B::Weights> {
        LayerNorm { weight: self.vector(len), bias: self.vector(len), epsilon: 1e-6 }
    }
}

/// A matrix as it would come from a file.
fn matrix(ty: TensorType, columns: usize, values: &[f32]) -> Matrix {
    let rows = values.len() / columns;
    let info = TensorInfo::new("t", TensorShape::new(&[columns, rows]).unwrap(), ty).unwrap();
    let mut bytes = vec![0; info.bytes()];
    block::encode(ty, values, columns, None, &mut bytes).unwrap();
    let mut writer = Writer::new(Vec::new(), &Metadata::new(), &[info]).unwrap();
    writer.write(&bytes).unwrap();
    let file = Arc::new(Gguf::from_bytes(writer.finish().unwrap()).unwrap());
    Matrix::new(file.shared_tensor("t").unwrap())
}

/// A column of wide products in every way that stages have them.
pub(crate) fn dense<B: Backend>(
    backend: &B,
    ty: TensorType,
    columns: usize,
    rows: usize,
    count: usize,
) -> Vec<f32> {
    let make = Maker::new(backend, 1);
    let linear = make.linear(ty, columns, rows, count.is_multiple_of(2));
    let norm = match count % 3 {
        0 => None,
        1 => Some(Norm::Rms(make.rms(columns))),
        _ => Some(Norm::Layer(make.layer(columns))),
    };
    let kinds = [Activation::GeluErf, Activation::GeluTanh, Activation::GeluQuick, Activation::Silu];
    let activation = kinds.get(count % 5).copied();
    let x = make.rows(count, columns);
    let mut out = backend.dense(&Dense { norm, linear, activation }, &x).unwrap();
    let more = make.linear(ty, columns, rows, true);
    backend.project_onto(&more, &x, &mut out).unwrap();
    backend.download(out).unwrap()
}

/// Gate and up of two formats.
pub(crate) fn feed_forward<B: Backend>(backend: &B, [gate, up]: [TensorType; 2], count: usize) -> Vec<f32> {
    let make = Maker::new(backend, 2);
    let stage = FeedForwardInput {
        norm: make.rms(512),
        gate: make.linear(gate, 512, 39, true),
        up: make.linear(up, 512, 39, false),
    };
    backend.download(backend.feed_forward_input(&stage, &make.rows(count, 512)).unwrap()).unwrap()
}

/// What attention is tried on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attention {
    pub(crate) heads: Heads,
    /// Positions before, which are read in pieces of so many.
    pub(crate) before: usize,
    pub(crate) piece: usize,
    /// Rows whose attention is the result.
    pub(crate) count: usize,
    pub(crate) element: KvElement,
    pub(crate) pairing: Option<Pairing>,
    pub(crate) norms: bool,
    pub(crate) sight: Sight,
}

pub(crate) fn attention<B: Backend>(backend: &B, case: &Attention) -> Vec<f32> {
    let (make, width, Heads { count, kv_count, len }) = (Maker::new(backend, 3), 32, case.heads);
    let stage = AttentionInput {
        norm: Norm::Rms(make.rms(width)),
        query: make.linear(TensorType::F32, width, count * len, case.norms),
        key: make.linear(TensorType::F16, width, kv_count * len, false),
        value: make.linear(TensorType::F32, width, kv_count * len, true),
        query_norm: case.norms.then(|| make.rms(len)),
        key_norm: case.norms.then(|| make.rms(len)),
        heads: case.heads,
        rotary: case.pairing.map(|pairing| Rotary {
            pairing,
            frequencies: (0..len / 2).map(|i| 10_000_f32.powf(-2.0 * i as f32 / len as f32)).collect(),
            magnitude: 1.1,
        }),
    };
    let shape = KvShape { layers: 2, heads: kv_count, head_len: len, element: case.element };
    let positions = case.before + case.count;
    let mut cache = backend.kv_cache(shape, positions + 3).unwrap();
    for start in (0..case.before).step_by(case.piece.max(1)) {
        let rows = make.rows(case.piece.min(case.before - start), width);
        backend.attention_input(&stage, &rows, &mut cache, Place { layer: 1, start }).unwrap();
    }
    // What is copied must be as good.
    let mut copy = backend.kv_cache(shape, positions).unwrap();
    backend.copy_kv(&cache, case.before, &mut copy).unwrap();
    let at = Place { layer: 1, start: case.before };
    let queries = backend.attention_input(&stage, &make.rows(case.count, width), &mut copy, at).unwrap();
    backend.download(backend.attention(&case.heads, &queries, &copy, at, case.sight).unwrap()).unwrap()
}

/// Rows put side by side in every way.
pub(crate) fn rows<B: Backend>(backend: &B, ty: TensorType, width: usize) -> Vec<f32> {
    let make = Maker::new(backend, 4);
    let table = make.weights(ty, width, 37);
    let embedded = backend.embed(&table, &[36, 0, 7, 7, 1]).unwrap();
    let mut x = backend.concat(&[&embedded, &make.rows(6, width)]).unwrap();
    backend.add_positions(&table, 26, &mut x).unwrap();
    let gathered = backend.gather(&x, &[Some(10), None, Some(0), Some(3), Some(3), None], 2).unwrap();
    let pooled = backend.mean_pool(&x, 3).unwrap();
    let normed = backend.norm(&Norm::Layer(make.layer(width)), &x).unwrap();
    [x, gathered, pooled, normed].into_iter().flat_map(|rows| backend.download(rows).unwrap()).collect()
}

/// Logits of the rows from the third on.
pub(crate) fn logits<B: Backend>(backend: &B, ty: TensorType, count: usize) -> B::Rows {
    let make = Maker::new(backend, 5);
    let (norm, head) = (make.rms(256), make.weights(ty, 256, 1543));
    backend.logits(&Output { norm: &norm, head: &head }, &make.rows(count, 256), count / 2).unwrap()
}
