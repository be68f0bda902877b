//! Norms, and rotary position embedding.

use super::isa::{Isa, Level, Work};
use super::{Rows, Weights, team};
use crate::backend::{LayerNorm, Norm, Pairing, RmsNorm, Rotary};

/// Rows that a thread takes at a time.
const ROWS: usize = 16;

/// Each row, normed.
pub(super) fn normed(norm: &Norm<Weights>, rows: &Rows) -> Rows {
    match norm {
        Norm::Rms(norm) => rms_normed(norm, rows, rows.width),
        Norm::Layer(norm) => layer_normed(norm, rows),
    }
}

/// Each stretch of `len` elements of every row, normed by itself: the row, or a head of it.
pub(super) fn rms_normed(norm: &RmsNorm<Weights>, rows: &Rows, len: usize) -> Rows {
    let weight = norm.weight.vector();
    let mut out = rows.clone();
    let level = Level::best();
    team::for_each_chunk(&mut out.values, ROWS * rows.width, |_, parts| {
        level.run(RmsNormed { parts, len, weight, epsilon: norm.epsilon });
    });
    out
}

fn layer_normed(norm: &LayerNorm<Weights>, rows: &Rows) -> Rows {
    let (weight, bias) = (norm.weight.vector(), norm.bias.vector());
    let mut out = rows.clone();
    let level = Level::best();
    team::for_each_chunk(&mut out.values, ROWS * rows.width, |_, parts| {
        level.run(LayerNormed { parts, weight, bias, epsilon: norm.epsilon });
    });
    out
}

struct RmsNormed<'a> {
    parts: &'a mut [f32],
    len: usize,
    weight: &'a [f32],
    epsilon: f32,
}

impl Work for RmsNormed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for part in self.parts.chunks_exact_mut(self.len) {
            let mean_square = mean_square::<I>(part, 0.0);
            let scale = 1.0 / (mean_square + self.epsilon).sqrt();
            for (x, weight) in part.iter_mut().zip(self.weight) {
                *x = *x * scale * weight;
            }
        }
    }
}

struct LayerNormed<'a> {
    parts: &'a mut [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    epsilon: f32,
}

impl Work for LayerNormed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for part in self.parts.chunks_exact_mut(self.weight.len()) {
            let mean = mean::<I>(part);
            let scale = 1.0 / (mean_square::<I>(part, mean) + self.epsilon).sqrt();
            for ((x, weight), bias) in part.iter_mut().zip(self.weight).zip(self.bias) {
                *x = (*x - mean) * scale * weight + bias;
            }
        }
    }
}

#[inline(always)]
fn mean<I: Isa>(values: &[f32]) -> f32 {
    let mut sums = I::splat(0.0);
    let lanes = values.chunks_exact(I::LANES);
    let rest: f32 = lanes.remainder().iter().sum();
    for x in lanes {
        sums = I::add(I::load(x), sums);
    }
    (I::sum(sums) + rest) / values.len() as f32
}

/// The mean of the squares of the distances from `center`.
#[inline(always)]
fn mean_square<I: Isa>(values: &[f32], center: f32) -> f32 {
    let mut sums = I::splat(0.0);
    let lanes = values.chunks_exact(I::LANES);
    let rest: f32 = lanes.remainder().iter().map(|x| (x - center) * (x - center)).sum();
    for x in lanes {
        let x = I::sub(I::load(x), I::splat(center));
        sums = I::fma(x, x, sums);
    }
    (I::sum(sums) + rest) / values.len() as f32
}

/// Turns the pairs of every head in each of `all`. Row `i` is at position `start + i`; elements past the pairs stay.
pub(super) fn rotate(rotary: &Rotary, all: [&mut Rows; 2], head_len: usize, start: usize) {
    let pairs = rotary.frequencies.len();
    let mut turns = vec![(0.0, 0.0); all[0].count() * pairs];
    team::for_each_chunk(&mut turns, pairs, |row, turns| {
        for (turn, frequency) in turns.iter_mut().zip(&rotary.frequencies) {
            let (sin, cos) = ((start + row) as f32 * frequency).sin_cos();
            *turn = (sin * rotary.magnitude, cos * rotary.magnitude);
        }
    });
    for rows in all {
        team::for_each_chunk(&mut rows.values, rows.width, |row, values| {
            for head in values.chunks_exact_mut(head_len) {
                turn_head(rotary.pairing, &turns[row * pairs..][..pairs], head);
            }
        });
    }
}

fn turn_head(pairing: Pairing, turns: &[(f32, f32)], head: &mut [f32]) {
    for (pair, (sin, cos)) in turns.iter().enumerate() {
        let (a, b) = match pairing {
            Pairing::Neighbours => (2 * pair, 2 * pair + 1),
            Pairing::Halves => (pair, pair + turns.len()),
        };
        let (x, y) = (head[a], head[b]);
        head[a] = x * cos - y * sin;
        head[b] = x * sin + y * cos;
    }
}
