//! Root-mean-square norm, rotary position embedding, and the gate of the feed-forward layer.

use lorgnette_quant::gguf::Tensor;

use super::isa::{Isa, Level, MAX_LANES, Work, exp};
use super::{Rows, decode_vector, team};
use crate::Result;
use crate::backend::{Pairing, RmsNorm, Rotary};

/// Rows that a thread takes at a time.
const ROWS: usize = 16;

/// Elements that a thread takes at a time, where rows do not matter. A multiple of [`MAX_LANES`].
const ELEMENTS: usize = 8192;

/// Each stretch of `len` elements of every row, normed by itself: the row, or a head of it.
pub(super) fn normed(norm: &RmsNorm<Tensor>, rows: &Rows, len: usize) -> Result<Rows> {
    let weight = &decode_vector(&norm.weight)?;
    let mut out = rows.clone();
    let level = Level::best();
    team::for_each_chunk(&mut out.values, ROWS * rows.width, |_, parts| {
        level.run(Normed { parts, len, weight, epsilon: norm.epsilon });
    });
    Ok(out)
}

struct Normed<'a> {
    parts: &'a mut [f32],
    len: usize,
    weight: &'a [f32],
    epsilon: f32,
}

impl Work for Normed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for part in self.parts.chunks_exact_mut(self.len) {
            let mut sums = I::splat(0.0);
            let lanes = part.chunks_exact(I::LANES);
            let rest: f32 = lanes.remainder().iter().map(|x| x * x).sum();
            for x in lanes {
                sums = I::fma(I::load(x), I::load(x), sums);
            }
            let mean_square = (I::sum(sums) + rest) / self.len as f32;
            let scale = 1.0 / (mean_square + self.epsilon).sqrt();
            for (x, weight) in part.iter_mut().zip(self.weight) {
                *x = *x * scale * weight;
            }
        }
    }
}

/// `gate` becomes SiLU (Hendrycks and Gimpel 2016) of itself times `up`.
pub(super) fn gate_by_silu(gate: &mut Rows, up: &Rows) {
    let level = Level::best();
    team::for_each_chunk(&mut gate.values, ELEMENTS, |index, gate| {
        level.run(Silu { up: &up.values[index * ELEMENTS..][..gate.len()], gate });
    });
}

struct Silu<'a> {
    gate: &'a mut [f32],
    up: &'a [f32],
}

impl Work for Silu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut last = [[0.0; MAX_LANES]; 2];
        for (gate, up) in self.gate.chunks_mut(I::LANES).zip(self.up.chunks(I::LANES)) {
            let count = gate.len();
            if count == I::LANES {
                silu::<I>(gate, up);
                continue;
            }
            last[0][..count].copy_from_slice(gate);
            last[1][..count].copy_from_slice(up);
            let [padded_gate, padded_up] = &mut last;
            silu::<I>(padded_gate, padded_up);
            gate.copy_from_slice(&padded_gate[..count]);
        }
    }
}

#[inline(always)]
fn silu<I: Isa>(gate: &mut [f32], up: &[f32]) {
    let x = I::load(gate);
    let divisor = I::add(I::splat(1.0), exp::<I>(I::sub(I::splat(0.0), x)));
    I::store(I::mul(I::div(x, divisor), I::load(up)), gate);
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
