//! Lanczos resizing, to the bit as Pillow's.
//!
//! The method is that of Pillow's `Image.resize(.., LANCZOS)` (`src/libImaging/Resample.c`) up to its version 12, and
//! of llama.cpp: a windowed sinc of three lobes, widened when shrinking, across the width first and then the height,
//! with weights of 22 fractional bits and a rounding to 8 bits after each pass. Pictures are the same on every
//! machine.
//!
//! Two references differ. Pillow 13 takes the height first in pictures that shrink more that way, which moves up to a
//! quarter of their values, by up to 7 levels. torchvision's uint8 Lanczos, which transformers takes where
//! torchvision is there, has the same order and coarser weights: 1 or 2 levels apart in about 2 % of the values.

use std::borrow::Cow;
use std::f64::consts::PI;

use super::picture::Picture;

/// 32 bits, less 8 for a pixel and 2 for the lobes that overshoot.
const FRACTION_BITS: u32 = 32 - 8 - 2;
const HALF: i32 = 1 << (FRACTION_BITS - 1);
const LOBES: f64 = 3.0;

/// `picture` at `width` x `height` pixels, both at least 1.
pub(crate) fn resize(picture: &Picture, width: usize, height: usize) -> Picture {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: this machine has the feature.
        return unsafe { resize_avx2(picture, width, height) };
    }
    resize_baseline(picture, width, height)
}

/// The same code with more lanes: integer sums, the same bytes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn resize_avx2(picture: &Picture, width: usize, height: usize) -> Picture {
    resize_baseline(picture, width, height)
}

/// What is inlined from here into `resize_avx2` is compiled for it. Loops are `for`, since the compiler may keep a
/// closure as a call.
#[inline(always)]
fn resize_baseline(picture: &Picture, width: usize, height: usize) -> Picture {
    let mut rgb = Cow::Borrowed(picture.rgb());
    if width != picture.width() {
        rgb = Cow::Owned(resize_rows(&rgb, picture.width(), width));
    }
    if height != picture.height() {
        rgb = Cow::Owned(resize_columns(&rgb, picture.height(), height));
    }
    Picture::from_checked(width, height, rgb.into_owned())
}

/// Pixels are widened to four bytes, so that one is the lanes of a register.
#[inline(always)]
fn resize_rows(rgb: &[u8], in_width: usize, width: usize) -> Vec<u8> {
    let taps = taps(in_width, width);
    let mut out = vec![0; rgb.len() / in_width * width];
    let mut wide = vec![[0; 4]; in_width];
    for (row, out) in rgb.chunks_exact(3 * in_width).zip(out.chunks_exact_mut(3 * width)) {
        for (wide, pixel) in wide.iter_mut().zip(row.chunks_exact(3)) {
            wide[..3].copy_from_slice(pixel);
        }
        for (tap, out) in taps.iter().zip(out.chunks_exact_mut(3)) {
            let sums = weighted_pixel(&wide[tap.first..], &tap.weights);
            out.copy_from_slice(&sums.map(to_u8)[..3]);
        }
    }
    out
}

#[inline(always)]
fn weighted_pixel(pixels: &[[u8; 4]], weights: &[i32]) -> [i32; 4] {
    let mut sums = [HALF; 4];
    for (pixel, &weight) in pixels.iter().zip(weights) {
        for i in 0..4 {
            sums[i] += i32::from(pixel[i]) * weight;
        }
    }
    sums
}

#[inline(always)]
fn resize_columns(rgb: &[u8], in_height: usize, height: usize) -> Vec<u8> {
    let row_len = rgb.len() / in_height;
    let mut out = vec![0; row_len * height];
    let mut sums = vec![0; row_len];
    for (tap, out) in taps(in_height, height).iter().zip(out.chunks_exact_mut(row_len)) {
        sums.fill(HALF);
        for (row, &weight) in rgb[row_len * tap.first..].chunks_exact(row_len).zip(&tap.weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        for (out, &sum) in out.iter_mut().zip(&sums) {
            *out = to_u8(sum);
        }
    }
    out
}

#[inline(always)]
fn to_u8(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}

/// What one output pixel is made of: weights in fixed point for the input pixels from `first` on.
struct Tap {
    first: usize,
    weights: Vec<i32>,
}

fn taps(in_len: usize, out_len: usize) -> Vec<Tap> {
    let scale = in_len as f64 / out_len as f64;
    let filter_scale = scale.max(1.0);
    let support = LOBES * filter_scale;
    // Pillow multiplies by the reciprocal; a division would round otherwise.
    let per_pixel = 1.0 / filter_scale;
    let tap = |i: usize| {
        let center = (i as f64 + 0.5) * scale;
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(in_len);
        let weight = |x: usize| lanczos((x as f64 - center + 0.5) * per_pixel);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        Tap { first, weights: weights.into_iter().map(|w| fixed(w / sum)).collect() }
    };
    (0..out_len).map(tap).collect()
}

fn fixed(weight: f64) -> i32 {
    (weight * f64::from(1u32 << FRACTION_BITS) + 0.5f64.copysign(weight)) as i32
}

fn lanczos(x: f64) -> f64 {
    if (-LOBES..LOBES).contains(&x) { sinc(x) * sinc(x / LOBES) } else { 0.0 }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_lanes_give_the_same_bytes() -> crate::Result<()> {
        let rgb = (0..3 * 61 * 47u32).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 13) as u8).collect();
        let picture = Picture::new(61, 47, rgb)?;
        for (width, height) in [(61, 47), (1, 1), (200, 13), (13, 200), (61, 90), (122, 94)] {
            assert_eq!(resize(&picture, width, height), resize_baseline(&picture, width, height));
        }
        Ok(())
    }
}
