//! Keys and values of the tokens so far.

use super::Rows;
use crate::backend::{KvShape, Place};
use crate::{Error, ErrorKind, Result};

/// Positions that attention scores together; so many can be read from any position that was written.
pub(super) const TILE: usize = 32;

/// Keys and values in f32. Keys are transposed, `[layer][element][position]`, so that the scores of neighbours are
/// computed side by side; values are `[layer][position][element]`.
pub struct KvCache {
    shape: KvShape,
    positions: usize,
    /// From an element of the keys to the next.
    stride: usize,
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// What one layer keeps.
pub(super) struct LayerCache<'a> {
    /// `[element][stride]`.
    pub(super) keys: &'a [f32],
    pub(super) stride: usize,
    /// `[position][width]`.
    pub(super) values: &'a [f32],
    pub(super) width: usize,
}

impl KvCache {
    /// A cache for `positions` tokens.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when it does not fit in memory.
    pub(super) fn new(shape: KvShape, positions: usize) -> Result<Self> {
        // Half a tile more, so that elements do not fall onto each other in the processor's cache.
        let stride = positions.checked_next_multiple_of(TILE).and_then(|n| n.checked_add(TILE / 2));
        let elements = shape.layers.checked_mul(shape.width);
        let len =
            |rows: usize| elements.and_then(|n| n.checked_mul(rows)).filter(|&n| n < isize::MAX as usize / 8);
        let Some((stride, keys, values)) = stride.and_then(|n| Some((n, len(n)?, len(positions)?))) else {
            let detail = format!("{positions} positions do not fit in memory");
            return Err(Error::new(ErrorKind::Argument, "context", detail));
        };
        Ok(Self { shape, positions, stride, keys: vec![0.0; keys], values: vec![0.0; values] })
    }

    pub(super) fn layer(&self, layer: usize) -> LayerCache<'_> {
        let width = self.shape.width;
        let (keys, values) = (width * self.stride, width * self.positions);
        LayerCache {
            keys: &self.keys[layer * keys..][..keys],
            stride: self.stride,
            values: &self.values[layer * values..][..values],
            width,
        }
    }

    /// Takes over the first `positions` of a cache of the same shape.
    pub(super) fn copy_from(&mut self, other: &Self, positions: usize) {
        assert!(self.shape == other.shape && positions <= self.positions.min(other.positions));
        let copy = |to: &mut [f32], to_stride, from: &[f32], from_stride, len| {
            for (to, from) in to.chunks_exact_mut(to_stride).zip(from.chunks_exact(from_stride)) {
                to[..len].copy_from_slice(&from[..len]);
            }
        };
        copy(&mut self.keys, self.stride, &other.keys, other.stride, positions);
        let width = self.shape.width;
        let [to, from] = [self.positions, other.positions].map(|positions| positions * width);
        copy(&mut self.values, to, &other.values, from, positions * width);
    }

    pub(super) fn write(&mut self, at: Place, keys: &Rows, values: &Rows) {
        let width = self.shape.width;
        let start = (at.layer * self.positions + at.start) * width;
        self.values[start..][..values.values.len()].copy_from_slice(&values.values);
        let layer = &mut self.keys[at.layer * width * self.stride..][..width * self.stride];
        for (element, positions) in layer.chunks_exact_mut(self.stride).enumerate() {
            let column = keys.values.iter().skip(element).step_by(width);
            for (out, key) in positions[at.start..].iter_mut().zip(column) {
                *out = *key;
            }
        }
    }
}
