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

use std::f64::consts::PI;

use super::picture::Picture;

/// 32 bits, less 8 for a pixel and 2 for the lobes that overshoot.
const FRACTION_BITS: u32 = 32 - 8 - 2;
const HALF: i32 = 1 << (FRACTION_BITS - 1);
const LOBES: f64 = 3.0;

/// `picture` at `width` x `height` pixels, both at least 1.
pub(super) fn resize(picture: &Picture, width: usize, height: usize) -> Picture {
    let (in_width, in_height) = (picture.width(), picture.height());
    let across = (width != in_width).then(|| resize_rows(picture.rgb(), in_width, width));
    let rgb = across.as_deref().unwrap_or(picture.rgb());
    let down = (height != in_height).then(|| resize_columns(rgb, in_height, height));
    let rgb = down.or(across).unwrap_or_else(|| picture.rgb().to_vec());
    Picture::from_checked(width, height, rgb)
}

fn resize_rows(rgb: &[u8], in_width: usize, width: usize) -> Vec<u8> {
    let taps = taps(in_width, width);
    let mut out = Vec::with_capacity(rgb.len() / in_width * width);
    for row in rgb.chunks_exact(3 * in_width) {
        for tap in &taps {
            let mut sums = [HALF; 3];
            for (pixel, &weight) in row[3 * tap.first..].chunks_exact(3).zip(&tap.weights) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            out.extend(sums.map(to_u8));
        }
    }
    out
}

fn resize_columns(rgb: &[u8], in_height: usize, height: usize) -> Vec<u8> {
    let row_len = rgb.len() / in_height;
    let mut out = Vec::with_capacity(row_len * height);
    let mut sums = vec![0; row_len];
    for tap in taps(in_height, height) {
        sums.fill(HALF);
        for (row, &weight) in rgb[row_len * tap.first..].chunks_exact(row_len).zip(&tap.weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| to_u8(sum)));
    }
    out
}

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
