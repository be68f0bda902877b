//! Keys and values of the tokens so far.

use super::Rows;
use super::isa::{Isa, Level, MAX_LANES, Work};
use super::outer::{Element, MAX_COLUMNS};
use super::team::{self, Shared};
use crate::backend::{KvElement, KvShape, Place};
use crate::{Error, ErrorKind, Result};

/// Positions that attention scores together; so many can be read from any position that was written.
pub(super) const TILE: usize = MAX_COLUMNS;

/// From so many rows on, heads are written by all threads.
const MANY_ROWS: usize = 16;

/// Keys and values of one sequence. Memory that was never written to is not resident.
pub struct KvCache(pub(super) Elements);

/// A cache of either element.
pub(super) enum Elements {
    F32(Layers<f32>),
    /// The bits of binary16 numbers.
    F16(Layers<u16>),
}

/// Keys are transposed, `[layer][head][element][position]`, so that the scores of neighbours are computed side by side;
/// values are `[layer][head][position][element]`.
pub(super) struct Layers<E> {
    shape: KvShape,
    positions: usize,
    /// From an element of the keys to the next.
    stride: usize,
    keys: Vec<E>,
    values: Vec<E>,
}

/// What one layer keeps.
pub(super) struct LayerCache<'a, E> {
    shape: KvShape,
    positions: usize,
    pub(super) stride: usize,
    keys: &'a [E],
    values: &'a [E],
}

impl KvCache {
    /// A cache for `positions` tokens.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when it does not fit in memory.
    pub(super) fn new(shape: KvShape, positions: usize) -> Result<Self> {
        let elements = match shape.element {
            KvElement::F32 => Layers::new(shape, positions).map(Elements::F32),
            KvElement::F16 => Layers::new(shape, positions).map(Elements::F16),
        };
        elements.map(Self).ok_or_else(|| {
            let detail = format!("{positions} positions do not fit in memory");
            Error::new(ErrorKind::Argument, "context", detail)
        })
    }

    /// Takes over the first `positions` of a cache of the same shape.
    ///
    /// # Panics
    /// If the shapes differ, or one has fewer positions.
    pub(super) fn copy_from(&mut self, other: &Self, positions: usize) {
        match (&mut self.0, &other.0) {
            (Elements::F32(to), Elements::F32(from)) => to.copy_from(from, positions),
            (Elements::F16(to), Elements::F16(from)) => to.copy_from(from, positions),
            _ => unreachable!("caches of one shape"),
        }
    }

    /// Keeps the keys and values of rows from position `at.start` on.
    pub(super) fn write(&mut self, at: Place, keys: &Rows, values: &Rows) {
        let level = Level::best();
        match &mut self.0 {
            Elements::F32(layers) => layers.write(level, at, keys, values),
            Elements::F16(layers) => layers.write(level, at, keys, values),
        }
    }
}

impl<E: Element> Layers<E> {
    pub(super) fn new(shape: KvShape, positions: usize) -> Option<Self> {
        // Half a tile more, so that elements do not fall onto each other in the processor's cache.
        let stride = positions.checked_next_multiple_of(TILE)?.checked_add(TILE / 2)?;
        let width = shape.layers.checked_mul(shape.heads)?.checked_mul(shape.head_len)?;
        let len = |rows: usize| width.checked_mul(rows).filter(|&n| n < isize::MAX as usize / 8);
        // The last values can be read as a whole register.
        let (keys, values) = (len(stride)?, len(positions)? + MAX_LANES);
        // Asked before, because a vector that finds no room ends the process.
        Vec::<E>::new().try_reserve_exact(keys.checked_add(values)?).ok()?;
        // Zeros come from the system as pages that are made when they are touched.
        Some(Self {
            shape,
            positions,
            stride,
            keys: vec![E::default(); keys],
            values: vec![E::default(); values],
        })
    }

    fn copy_from(&mut self, other: &Self, positions: usize) {
        assert!(self.shape == other.shape && positions <= self.positions.min(other.positions));
        let copy = |to: &mut [E], to_stride, from: &[E], from_stride, len| {
            for (to, from) in to.chunks_exact_mut(to_stride).zip(from.chunks_exact(from_stride)) {
                to[..len].copy_from_slice(&from[..len]);
            }
        };
        copy(&mut self.keys, self.stride, &other.keys, other.stride, positions);
        let len = self.shape.head_len;
        copy(&mut self.values, self.positions * len, &other.values, other.positions * len, positions * len);
    }

    pub(super) fn layer(&self, layer: usize) -> LayerCache<'_, E> {
        let width = self.shape.heads * self.shape.head_len;
        let (keys, values) = (width * self.stride, width * self.positions);
        LayerCache {
            shape: self.shape,
            positions: self.positions,
            stride: self.stride,
            keys: &self.keys[layer * keys..][..keys],
            values: &self.values[layer * values..][..values + MAX_LANES],
        }
    }

    pub(super) fn write(&mut self, level: Level, at: Place, keys: &Rows, values: &Rows) {
        let KvShape { heads, head_len: len, .. } = self.shape;
        let (stride, positions) = (self.stride, self.positions);
        let layer_keys =
            Shared::new(&mut self.keys[at.layer * heads * len * stride..][..heads * len * stride]);
        let layer_values =
            Shared::new(&mut self.values[at.layer * heads * len * positions..][..heads * len * positions]);
        let write = |head: usize| {
            // SAFETY: each head is written once, and heads do not overlap.
            let (out_keys, out_values) = unsafe {
                (
                    layer_keys.slice(head * len * stride, len * stride),
                    layer_values.slice(head * len * positions, len * positions),
                )
            };
            let offset = head * len;
            level.run(WriteKeys { keys, offset, len, start: at.start, stride, out: out_keys });
            level.run(WriteValues { values, offset, len, out: &mut out_values[at.start * len..] });
        };
        if keys.count() < MANY_ROWS {
            (0..heads).for_each(write);
        } else {
            team::for_each(heads, write);
        }
    }
}

impl<E> LayerCache<'_, E> {
    /// `[element][stride]` of one head.
    #[inline(always)]
    pub(super) fn keys(&self, head: usize) -> &[E] {
        let size = self.shape.head_len * self.stride;
        &self.keys[head * size..][..size]
    }

    /// `[position][element]` of one head, and a register more.
    #[inline(always)]
    pub(super) fn values(&self, head: usize) -> &[E] {
        let size = self.shape.head_len * self.positions;
        &self.values[head * size..][..size + MAX_LANES]
    }
}

/// One head of the keys, turned.
struct WriteKeys<'a, E> {
    keys: &'a Rows,
    /// Of the head in a row.
    offset: usize,
    len: usize,
    start: usize,
    stride: usize,
    out: &'a mut [E],
}

impl<E: Element> Work for WriteKeys<'_, E> {
    type Output = ();

    /// Square by square, with a margin of zeros where there is less than a square.
    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut square = [0.0; MAX_LANES * MAX_LANES];
        let mut turned = [0.0; MAX_LANES * MAX_LANES];
        let mut lanes = [E::default(); MAX_LANES];
        for row in (0..self.keys.count()).step_by(I::LANES) {
            let rows = I::LANES.min(self.keys.count() - row);
            for element in (0..self.len).step_by(I::LANES) {
                let elements = I::LANES.min(self.len - element);
                for (i, square) in square.chunks_exact_mut(MAX_LANES).take(rows).enumerate() {
                    let key = &self.keys.row(row + i)[self.offset + element..];
                    square[..elements].copy_from_slice(&key[..elements]);
                }
                I::transpose(&square, MAX_LANES, &mut turned, MAX_LANES);
                for (i, turned) in turned.chunks_exact(MAX_LANES).take(elements).enumerate() {
                    E::store::<I>(I::load(turned), &mut lanes);
                    let out = &mut self.out[(element + i) * self.stride + self.start + row..];
                    out[..rows].copy_from_slice(&lanes[..rows]);
                }
            }
        }
    }
}

/// One head of the values.
struct WriteValues<'a, E> {
    values: &'a Rows,
    /// Of the head in a row.
    offset: usize,
    len: usize,
    /// `[position][element]`.
    out: &'a mut [E],
}

impl<E: Element> Work for WriteValues<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut floats = [0.0; MAX_LANES];
        let mut lanes = [E::default(); MAX_LANES];
        for row in 0..self.values.count() {
            let value = &self.values.row(row)[self.offset..][..self.len];
            let out = &mut self.out[row * self.len..][..self.len];
            for (value, out) in value.chunks(I::LANES).zip(out.chunks_mut(I::LANES)) {
                floats[..value.len()].copy_from_slice(value);
                E::store::<I>(I::load(&floats), &mut lanes);
                out.copy_from_slice(&lanes[..out.len()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(element: KvElement) -> KvShape {
        KvShape { layers: 16, heads: 4, head_len: 64, element }
    }

    #[test]
    fn little_more_is_reserved_than_positions_take() {
        for element in [KvElement::F32, KvElement::F16] {
            let cache = KvCache::new(shape(element), 2048).expect("room");
            let taken = shape(element).bytes_per_position() * 2048;
            let reserved = match &cache.0 {
                Elements::F32(layers) => 4 * (layers.keys.len() + layers.values.len()),
                Elements::F16(layers) => 2 * (layers.keys.len() + layers.values.len()),
            };
            assert!(
                reserved >= taken && reserved < taken + taken / 100,
                "{element:?}: {reserved} for {taken}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_in_memory_is_refused() {
        for positions in [usize::MAX, usize::MAX / 8, 1 << 50, 1 << 34] {
            let error = KvCache::new(shape(KvElement::F16), positions).err().expect("an error");
            assert_eq!(error.kind(), ErrorKind::Argument);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_context_that_is_not_used_is_not_resident() {
        let resident = || {
            let pages = std::fs::read_to_string("/proc/self/statm").expect("the kernel's count");
            4096 * pages.split(' ').nth(1).map_or(0, |n| n.parse().expect("a number"))
        };
        let before: usize = resident();
        let cache = KvCache::new(shape(KvElement::F16), 1 << 16).expect("room");
        let reserved = shape(KvElement::F16).bytes_per_position() << 16;
        assert_eq!(reserved, 1 << 30);
        // Other tests take some at the same time.
        assert!(resident() < before + reserved / 4);
        drop(cache);
    }
}
