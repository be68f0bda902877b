//! Root-mean-square norm, and rotary position embedding.

use lorgnette_quant::gguf::Tensor;

use super::{Rows, decode_vector};
use crate::Result;
use crate::backend::{Pairing, RmsNorm, Rotary};

/// Each stretch of `len` elements of every row, normed by itself: the row, or a head of it.
pub(super) fn normed(norm: &RmsNorm<Tensor>, rows: &Rows, len: usize) -> Result<Rows> {
    let weight = decode_vector(&norm.weight)?;
    let mut out = rows.clone();
    for part in out.values.chunks_exact_mut(len) {
        let mean_square = part.iter().map(|x| f64::from(x * x)).sum::<f64>() / len as f64;
        let scale = 1.0 / (mean_square as f32 + norm.epsilon).sqrt();
        part.iter_mut().zip(&weight).for_each(|(x, w)| *x = *x * scale * w);
    }
    Ok(out)
}

/// Turns the pairs of every head. Row `i` is at position `start + i`; elements past the pairs stay.
pub(super) fn rotate(rotary: &Rotary, rows: &mut Rows, head_len: usize, start: usize) {
    let pairs = rotary.frequencies.len();
    for (i, row) in rows.iter_mut().enumerate() {
        let turn = |f: &f32| ((start + i) as f32 * f).sin_cos();
        let turns: Vec<_> = rotary
            .frequencies
            .iter()
            .map(turn)
            .map(|(s, c)| (s * rotary.magnitude, c * rotary.magnitude))
            .collect();
        for head in row.chunks_exact_mut(head_len) {
            for (pair, (sin, cos)) in turns.iter().enumerate() {
                let (a, b) = match rotary.pairing {
                    Pairing::Neighbours => (2 * pair, 2 * pair + 1),
                    Pairing::Halves => (pair, pair + pairs),
                };
                let (x, y) = (head[a], head[b]);
                head[a] = x * cos - y * sin;
                head[b] = x * sin + y * cos;
            }
        }
    }
}
