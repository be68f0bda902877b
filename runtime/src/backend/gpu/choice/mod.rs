//! The likeliest tokens, found where the logits are.

use std::sync::Arc;

use super::buffer::Buffer;
use super::device::Device;
use super::kernel::Kernel;
use super::reading::Reading;
use super::rows::{Rows, words};
use super::work::immediates;
use crate::{Result, TokenId};

/// A token on the device.
pub struct Token {
    pub(super) buffer: Buffer,
    /// Where it is on its way to the host.
    reading: Option<Reading>,
}

impl Token {
    /// See [`Backend::send`](crate::backend::Backend::send).
    pub(super) fn send(&mut self, device: &Arc<Device>) -> Result<()> {
        self.reading = Some(Reading::start(device, &self.buffer, 0, 4)?);
        Ok(())
    }
}

/// Candidates that a group of threads sorts, as in `top.wgsl`.
const STRETCH: usize = 512;

/// The most candidates that are sorted on the device.
pub(super) const MOST_CANDIDATES: usize = STRETCH / 2;

/// See [`Backend::likeliest`](crate::backend::Backend::likeliest).
pub(super) fn likeliest(device: &Arc<Device>, logits: &Rows, allowed: Option<&[u32]>) -> Result<Token> {
    let token = Token { buffer: Buffer::pooled(device, 4), reading: None };
    let mask = mask(device, logits, allowed);
    let mut buffers = vec![&logits.buffer, &token.buffer];
    buffers.extend(&mask);
    let kernel = Kernel::Argmax { mask: mask.is_some() };
    device.dispatch(&kernel, &buffers, immediates![logits.width, last(logits)], 1)?;
    Ok(token)
}

/// Waits for the token, which takes four bytes.
pub(super) fn token(device: &Arc<Device>, token: &Token) -> Result<TokenId> {
    let read = token.reading.as_ref().map_or_else(|| device.read(&token.buffer, 0, 4), Reading::bytes)?;
    Ok(read.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)))
}

/// The `count` likeliest tokens, at most [`MOST_CANDIDATES`], with their logits, in order.
pub(super) fn candidates(
    device: &Arc<Device>,
    logits: &Rows,
    allowed: Option<&[u32]>,
    count: usize,
) -> Result<Vec<(TokenId, f32)>> {
    let mask = mask(device, logits, allowed);
    let (mut left, mut input): (usize, Option<Buffer>) = (logits.width, None);
    loop {
        let stretches = left.div_ceil(STRETCH);
        let out = Buffer::pooled(device, 8 * (stretches * count) as u64);
        let first = input.is_none();
        let mut buffers = vec![input.as_ref().unwrap_or(&logits.buffer), &out];
        buffers.extend(mask.iter().filter(|_| first));
        let kernel = Kernel::Top { first, mask: first && mask.is_some() };
        device.dispatch(&kernel, &buffers, immediates![left, last(logits), count], stretches)?;
        if stretches == 1 {
            return read(device, &out, count);
        }
        (left, input) = (stretches * count, Some(out));
    }
}

fn read(device: &Arc<Device>, out: &Buffer, count: usize) -> Result<Vec<(TokenId, f32)>> {
    let bytes = device.read(out, 0, 8 * count as u64)?;
    let words: Vec<u32> = bytemuck::pod_collect_to_vec(&bytes);
    let pairs = words.as_chunks::<2>().0.iter().filter(|[_, token]| *token != u32::MAX);
    Ok(pairs.map(|&[key, token]| (token, logit(key))).collect())
}

/// The float whose key is `key` in `top.wgsl`.
fn logit(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & 0x7fff_ffff } else { !key })
}

/// Where the last row begins.
fn last(logits: &Rows) -> usize {
    (logits.count - 1) * logits.width
}

fn mask(device: &Arc<Device>, logits: &Rows, allowed: Option<&[u32]>) -> Option<Buffer> {
    let mut padded = allowed?.to_vec();
    padded.resize(logits.width.div_ceil(32), 0);
    Some(words(device, &padded))
}
