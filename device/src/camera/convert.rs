//! From the pixels of sensors to RGB, by the matrix of ITU-R BT.601 with brightness from 16 to 235, in fixed point
//! with 8 bits behind the point.

use super::layout::{Layout, PixelFormat};
use super::region::Region;

/// Converts the pixels in `region`, which lies within the layout, to rows of RGB in `out`.
///
/// # Panics
/// When `bytes` is shorter than the layout says.
pub(super) fn to_rgb(layout: &Layout, bytes: &[u8], region: Region, out: &mut [u8]) {
    let Layout { format, height, stride, .. } = *layout;
    let rows = (region.y..region.y + region.height).zip(out.chunks_exact_mut(3 * region.width));
    for (y, out) in rows {
        let row = &bytes[y * stride..][..stride.min(bytes.len() - y * stride)];
        match format {
            PixelFormat::Mjpg | PixelFormat::Rgb => {
                out.copy_from_slice(&row[3 * region.x..][..3 * region.width]);
            }
            PixelFormat::Yuyv => yuv_row(out, region.x, |x| {
                let pair = &row[4 * (x / 2)..][..4];
                [pair[2 * (x % 2)], pair[1], pair[3]]
            }),
            PixelFormat::Nv12 => {
                let colours = &bytes[stride * height + stride * (y / 2)..][..stride];
                yuv_row(out, region.x, |x| [row[x], colours[x & !1], colours[x | 1]]);
            }
            PixelFormat::I420 => {
                let half = stride.div_ceil(2);
                let u_plane = stride * height;
                let v_plane = u_plane + half * height.div_ceil(2);
                let us = &bytes[u_plane + half * (y / 2)..][..half];
                let vs = &bytes[v_plane + half * (y / 2)..][..half];
                yuv_row(out, region.x, |x| [row[x], us[x / 2], vs[x / 2]]);
            }
        }
    }
}

/// A row of RGB, from pixel `first` on, out of what `sample` says is there: Y, U, V.
#[inline(always)]
fn yuv_row(out: &mut [u8], first: usize, sample: impl Fn(usize) -> [u8; 3]) {
    for (x, pixel) in (first..).zip(out.chunks_exact_mut(3)) {
        pixel.copy_from_slice(&rgb_of(sample(x)));
    }
}

fn rgb_of([y, u, v]: [u8; 3]) -> [u8; 3] {
    let y = 298 * (i32::from(y) - 16) + 128;
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u].map(|value| (value >> 8).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corners_of_the_colour_bars_are_those_of_bt_601() {
        // 75 % and full bars of ITU-R BT.801, rounded.
        assert_eq!(rgb_of([16, 128, 128]), [0, 0, 0]);
        assert_eq!(rgb_of([235, 128, 128]), [255, 255, 255]);
        assert_eq!(rgb_of([81, 90, 240]), [255, 0, 0]);
        assert_eq!(rgb_of([145, 54, 34]), [0, 255, 1]);
        assert_eq!(rgb_of([41, 240, 110]), [0, 0, 255]);
    }
}
