//! Attention, and the keys and values that it looks back on.

use std::sync::Arc;

use super::buffer::Buffer;
use super::device::Device;
use super::kernel::{Kernel, SPAN, Turn};
use super::matmul::{Input, products};
use super::rows::Rows;
use super::weights::Weights;
use super::work::immediates;
use crate::backend::{AttentionInput, Heads, KvElement, KvShape, Pairing, Place, Sight};
use crate::{Error, ErrorKind, Result};

/// Queries of a tile, as in `tile.wgsl`.
const TILE: usize = 32;

/// Keys and values of one sequence: a buffer for each layer.
pub struct KvCache {
    shape: KvShape,
    positions: usize,
    layers: Vec<Buffer>,
}

impl KvCache {
    /// # Errors
    /// [`ErrorKind::Argument`] when it does not fit, [`ErrorKind::Unsupported`] for heads that are longer than kernels
    /// can take.
    pub(super) fn new(device: &Arc<Device>, shape: KvShape, positions: usize) -> Result<Self> {
        let most = 64 * elements_of_a_word(shape.element);
        if shape.head_len > most {
            let detail = format!("found {} elements, expected at most {most}", shape.head_len);
            return Err(Error::new(ErrorKind::Unsupported, "length of a head", detail));
        }
        let per_layer = (2 * shape.heads * head_bytes(shape)).checked_mul(positions);
        let per_layer = per_layer.ok_or_else(|| {
            Error::new(ErrorKind::Argument, "context", format!("{positions} positions do not fit in memory"))
        })?;
        let layers =
            (0..shape.layers).map(|_| device.zeros("context", per_layer as u64)).collect::<Result<_>>()?;
        Ok(Self { shape, positions, layers })
    }

    /// Takes over the first `positions` of a cache of the same shape.
    ///
    /// # Panics
    /// If the shapes differ, or one has fewer positions.
    pub(super) fn copy_from(&mut self, device: &Device, other: &Self, positions: usize) {
        assert!(self.shape == other.shape && positions <= self.positions.min(other.positions));
        let head = head_bytes(self.shape) as u64;
        let stride = |cache: &Self| cache.positions as u64 * head;
        for (to, from) in self.layers.iter().zip(&other.layers) {
            for side in 0..2 * self.shape.heads as u64 {
                device.copy(from, side * stride(other), to, side * stride(self), positions as u64 * head);
            }
        }
    }

    fn is_f16(&self) -> bool {
        self.shape.element == KvElement::F16
    }
}

fn elements_of_a_word(element: KvElement) -> usize {
    16 / element.bytes()
}

/// Bytes of a head, whose elements are padded to whole words of four.
fn head_bytes(shape: KvShape) -> usize {
    16 * shape.head_len.div_ceil(elements_of_a_word(shape.element))
}

/// See [`Backend::attention_input`](crate::backend::Backend::attention_input).
pub(super) fn attention_input(
    device: &Arc<Device>,
    stage: &AttentionInput<Weights>,
    rows: &Rows,
    cache: &KvCache,
    at: Place,
) -> Result<Rows> {
    let heads = stage.heads;
    let input = Input { rows, first: 0, norm: Some((&stage.norm).into()) };
    let all = products(device, input, [&stage.query, &stage.key, &stage.value], None)?;
    let queries = Rows::new(device, rows.count, heads.count * heads.len)?;
    let mut buffers = vec![&cache.layers[at.layer], &all.buffer, &queries.buffer];
    let norms = match (&stage.query_norm, &stage.key_norm) {
        (Some(query), Some(key)) => Some((query, key)),
        (None, None) => None,
        _ => {
            let detail = "found one of the norms of queries and keys, expected both or none";
            return Err(Error::new(ErrorKind::Unsupported, "head norms", detail));
        }
    };
    if let Some((query, key)) = norms {
        buffers.extend([query.weight.vector(heads.len)?, key.weight.vector(heads.len)?]);
    }
    let frequencies = stage.rotary.as_ref().map(|rotary| device.shared(&rotary.frequencies)).transpose()?;
    buffers.extend(frequencies.as_deref());
    let turn = stage.rotary.as_ref().map(|rotary| match rotary.pairing {
        Pairing::Neighbours => Turn::Neighbours,
        Pairing::Halves => Turn::Halves,
    });
    let kernel =
        Kernel::WriteHeads { len: heads.len as u32, f16: cache.is_f16(), norm: norms.is_some(), turn };
    let values = immediates![
        rows.count,
        heads.count,
        heads.kv_count,
        cache.positions,
        at.start,
        norms.map_or(0.0, |(query, _)| query.epsilon),
        norms.map_or(0.0, |(_, key)| key.epsilon),
        stage.rotary.as_ref().map_or(1.0, |rotary| rotary.magnitude),
    ];
    device.dispatch(&kernel, &buffers, values, rows.count * (heads.count + 2 * heads.kv_count))?;
    Ok(queries)
}

/// See [`Backend::attention`](crate::backend::Backend::attention).
pub(super) fn attention(
    device: &Arc<Device>,
    heads: &Heads,
    queries: &Rows,
    cache: &KvCache,
    at: Place,
    sight: Sight,
) -> Result<Rows> {
    let len = heads.len;
    let group = heads.count / heads.kv_count;
    let most = at.start + queries.count;
    let (seen, step): (usize, u32) = match sight {
        Sight::Causal => (at.start + 1, 1),
        Sight::All => (most, 0),
    };
    let scale = 1.0 / (len as f32).sqrt();
    if queries.count * group >= TILE {
        let out = Rows::new(device, queries.count, queries.width)?;
        let blocks = (queries.count * group).div_ceil(TILE);
        let kernel = Kernel::AttendTile { len: len as u32, f16: cache.is_f16(), share: group as u32 };
        let values = immediates![queries.count, heads.kv_count, cache.positions, seen, step, blocks, scale];
        let buffers = [&cache.layers[at.layer], &queries.buffer, &out.buffer];
        let work = 2 * queries.elements() as u64 * most as u64;
        device.dispatch_long(&kernel, &buffers, values, heads.kv_count * blocks, work)?;
        return Ok(out);
    }
    let share = share(device, cache, group);
    let shares = group / share;
    let splits = most.div_ceil(SPAN);
    let out = Rows::new(device, queries.count, queries.width)?;
    let parts = match splits {
        1 => None,
        _ => Some(Rows::new(device, queries.count * heads.count * splits, len + 2)?),
    };
    let kernel = Kernel::AttendSplit {
        len: len as u32,
        f16: cache.is_f16(),
        share: share as u32,
        shares: shares as u32,
    };
    let values = immediates![queries.count, heads.kv_count, cache.positions, seen, step, splits, scale];
    let written = parts.as_ref().unwrap_or(&out);
    let buffers = [&cache.layers[at.layer], &queries.buffer, &written.buffer];
    device.dispatch(&kernel, &buffers, values, queries.count * heads.kv_count * shares * splits)?;
    if let Some(parts) = &parts {
        let all = queries.count * heads.count;
        let kernel = Kernel::AttendCombine { len: len as u32 };
        device.dispatch(&kernel, &[&parts.buffer, &out.buffer], immediates![all, splits], all)?;
    }
    Ok(out)
}

/// How many of the `group` query heads that share keys are computed together: as many as the group's memory has room
/// for, and a divisor of them.
fn share(device: &Device, cache: &KvCache, group: usize) -> usize {
    const MOST: usize = 8;
    let padded = head_bytes(cache.shape) / cache.shape.element.bytes();
    let left = device.traits.group_memory as usize / 4 - 64 - 64 * elements_of_a_word(cache.shape.element);
    let most = MOST.min(left / (padded + SPAN)).max(1);
    (1..=most).rev().find(|share| group.is_multiple_of(*share)).unwrap_or(1)
}
