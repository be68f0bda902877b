//! Blocks whose parts are put side by side in texels of 16 bytes: a texel is fetched at once where words of a buffer are
//! loaded one by one, and levels that begin at a texel need no shifting.

use std::sync::Arc;

use super::buffer::next_id;
use super::device::Device;
use super::format::Format;
use crate::Result;

/// Texels of a line of the texture; as in `shared/texels.wgsl`.
const LINE: usize = 4096;

const TEXEL: usize = 16;

/// Rows side by side.
const PANEL: usize = 8;

/// Units whose scales share a texel.
const SCALES: usize = 8;

/// A texture that is read texel by texel.
pub(super) struct Texels {
    pub(super) view: wgpu::TextureView,
    /// What it is known by in bind groups.
    pub(super) id: u64,
    device: Arc<Device>,
}

impl Texels {
    /// The blocks of rows of `units` units, packed for `format`; `None` where that is not in texels or they do not fit.
    ///
    /// # Errors
    /// What the device says.
    pub(super) fn pack(
        device: &Arc<Device>,
        format: Format,
        blocks: &[u8],
        units: usize,
    ) -> Result<Option<Self>> {
        // Nibbles are made signed.
        let (levels, flipped) = match format {
            Format::Q4_0_TEXELS => (16, 0x88),
            Format::Q8_0_TEXELS => (32, 0),
            _ => return Ok(None),
        };
        let width = units.div_ceil(SCALES) + units * levels / TEXEL;
        let block = 2 + levels;
        let panel = PANEL * width * TEXEL;
        let lines = (blocks.len() / (units * block)).div_ceil(PANEL) * PANEL * width;
        let lines = lines.div_ceil(LINE);
        if lines > device.raw.limits().max_texture_dimension_2d as usize {
            return Ok(None);
        }
        let mut packed = vec![0; lines * LINE * TEXEL];
        let mut row = vec![0; width * TEXEL];
        let panels = packed.chunks_exact_mut(panel).zip(blocks.chunks(PANEL * units * block));
        for (panel, rows) in panels {
            for (lane, blocks) in rows.chunks_exact(units * block).enumerate() {
                let (scales, all) = row.split_at_mut(units.div_ceil(SCALES) * TEXEL);
                let places = scales.chunks_exact_mut(2).zip(all.chunks_exact_mut(levels));
                for (block, (scale, place)) in blocks.chunks_exact(block).zip(places) {
                    scale.copy_from_slice(&block[..2]);
                    place.iter_mut().zip(&block[2..]).for_each(|(to, from)| *to = from ^ flipped);
                }
                let texels = panel.chunks_exact_mut(TEXEL).skip(lane).step_by(PANEL);
                texels.zip(row.chunks_exact(TEXEL)).for_each(|(to, from)| to.copy_from_slice(from));
            }
        }
        let view = device.texture(LINE as u32, lines as u32, &packed)?;
        Ok(Some(Self { view, id: next_id(), device: Arc::clone(device) }))
    }
}

impl Drop for Texels {
    fn drop(&mut self) {
        self.device.forget_groups_of(self.id);
    }
}
