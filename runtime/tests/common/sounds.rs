//! Clips that tests and golden files share.

use lorgnette_runtime::Result;
use lorgnette_runtime::model::audio::Clip;

/// A rising triangle wave under a slow swell, and noise: `clip` of `golden/front_ends.py`.
pub(crate) fn clip(length: usize, shift: u32) -> Result<Clip> {
    let sample = |i: i64| {
        let phase = (i * 900 + i * i / 8) & 0xffff;
        let wave = (phase - 0x8000).abs() - 0x4000;
        let swell = ((i & 0x1fff) - 0x1000).abs();
        let noise = (((((i * 0x9e37_79b1) & 0xffff_ffff) >> 16) * 0x85eb_ca6b) >> 7) & 0x3ff;
        (((wave * swell) >> 11) + noise - 0x200) as f32 / (1u64 << (16 + shift)) as f32
    };
    Clip::new((0..length as i64).map(sample).collect())
}
