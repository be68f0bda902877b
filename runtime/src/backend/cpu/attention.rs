//! Causal attention with grouped keys and values.

use rayon::prelude::*;

use super::Rows;
use crate::backend::Heads;

/// Each query of row `i`, at position `start + i`, over the keys of positions 0 to its own. `keys` and `values` are
/// `[position][kv_count * len]`.
pub(super) fn attend(heads: &Heads, queries: &Rows, keys: &[f32], values: &[f32], start: usize) -> Rows {
    let kv_width = heads.kv_count * heads.len;
    let group = heads.count / heads.kv_count;
    let scale = 1.0 / (heads.len as f32).sqrt();
    let mut out = Rows::zeros(queries.count(), queries.width);
    let heads_out = out.values.par_chunks_exact_mut(heads.len);
    heads_out.zip(queries.values.par_chunks_exact(heads.len)).enumerate().for_each(|(i, (out, query))| {
        let (row, head) = (i / heads.count, i % heads.count);
        let at = head / group * heads.len;
        let seen = start + row + 1;
        let (keys, values) =
            (head_rows(keys, kv_width, at, heads.len), head_rows(values, kv_width, at, heads.len));
        let mut weights: Vec<f32> = keys.take(seen).map(|key| dot(query, key) * scale).collect();
        softmax(&mut weights);
        for (weight, value) in weights.iter().zip(values) {
            out.iter_mut().zip(value).for_each(|(o, v)| *o += weight * v);
        }
    });
    out
}

/// The `len` elements from `at` on of every position.
fn head_rows(store: &[f32], width: usize, at: usize, len: usize) -> impl Iterator<Item = &[f32]> {
    store.chunks_exact(width).map(move |position| &position[at..at + len])
}

/// Exponentials that sum to one; the largest is taken off first, so that none overflows.
fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|s| *s = (*s - largest).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|s| *s /= sum);
}

const LANES: usize = 16;

/// The sum of products, in [`LANES`] partial sums.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>();
    sums.iter().sum::<f32>() + rest
}
