//! Frequencies of rotary embedding, with the ways to stretch them over longer contexts.

use std::f32::consts::TAU;

use crate::backend::{Pairing, Rotary};
use crate::model::keys::Keys;
use crate::{Error, ErrorKind, Result};

/// What the metadata says of the rotary embedding of heads of `head_len` elements.
pub(super) fn read(keys: &Keys<'_>, pairing: Pairing, head_len: usize) -> Result<Rotary> {
    let base: f32 = keys.get("rope.freq_base")?.unwrap_or(10_000.0);
    let dims: usize = keys.get("rope.dimension_count")?.unwrap_or(head_len);
    if dims != head_len {
        let expected = format!("{head_len}, the length of a head");
        return Err(Error::malformed(keys.name("rope.dimension_count"), dims, expected));
    }
    let plain: Vec<f32> = (0..dims / 2).map(|i| base.powf(-2.0 * i as f32 / dims as f32)).collect();
    let kind: &str = keys.get("rope.scaling.type")?.unwrap_or("none");
    let (frequencies, magnitude) = match kind {
        "none" => (plain, 1.0),
        "linear" => (scaled(&plain, keys.require("rope.scaling.factor")?), 1.0),
        "yarn" => yarn(keys, &plain, base)?,
        other => {
            let detail = format!("found {other:?}, known are none, linear, yarn");
            return Err(Error::new(ErrorKind::Unsupported, keys.name("rope.scaling.type"), detail));
        }
    };
    Ok(Rotary { pairing, frequencies, magnitude })
}

fn scaled(frequencies: &[f32], factor: f32) -> Vec<f32> {
    frequencies.iter().map(|f| f / factor).collect()
}

/// YaRN (Peng et al. 2023): fast pairs stay, slow ones are divided by the factor, those between are blended; vectors
/// grow a little, to keep the entropy of attention.
fn yarn(keys: &Keys<'_>, plain: &[f32], base: f32) -> Result<(Vec<f32>, f32)> {
    let factor: f32 = keys.require("rope.scaling.factor")?;
    let trained: usize = match keys.get("rope.scaling.original_context_length")? {
        Some(length) => length,
        None => keys.require("context_length")?,
    };
    let fast: f32 = keys.get("rope.scaling.yarn_beta_fast")?.unwrap_or(32.0);
    let slow: f32 = keys.get("rope.scaling.yarn_beta_slow")?.unwrap_or(1.0);
    let dims = 2 * plain.len();
    // The pair that turns `turns` times within the trained context.
    let pair = |turns: f32| dims as f32 * (trained as f32 / (turns * TAU)).ln() / (2.0 * base.ln());
    let low = pair(fast).floor().max(0.0);
    let high = pair(slow).ceil().min(dims as f32 - 1.0);
    let stretched = scaled(plain, factor);
    let blend = |i: usize| ((i as f32 - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
    let frequencies = (0..plain.len()).map(|i| plain[i] + (stretched[i] - plain[i]) * blend(i)).collect();
    let attention: f32 = keys.get("rope.scaling.attn_factor")?.unwrap_or(1.0);
    Ok((frequencies, attention * (1.0 + 0.1 * factor.ln())))
}
