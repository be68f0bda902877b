//! Sound of any rate at the tower's rate.

use std::f64::consts::PI;
use std::sync::LazyLock;

use super::clip::SAMPLE_RATE;

/// How far the kernel reaches to either side, in samples of the lower of the two rates.
const REACH: usize = 64;
/// Kaiser's parameter for 100 dB (Kaiser and Schafer, 1980).
const BETA: f64 = 0.1102 * (100.0 - 8.7);
/// The cutoff as a part of half the lower rate: half the kernel's transition band of 0.1 below it.
const CUTOFF: f64 = 0.95;
/// Points of the table a sample of the lower rate; lines between them are within 1e-7 of the kernel.
const POINTS: usize = 4096;

static KERNEL: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let kernel = |i: usize| kernel(i as f64 / POINTS as f64);
    (0..=REACH * POINTS).map(kernel).collect()
});

/// `samples` at `rate` (at least 1 Hz) as samples at [`SAMPLE_RATE`]: sample `i` is the sound at `i / 16000` seconds,
/// for all times within the clip. Beyond its ends there is silence.
///
/// A sinc under a Kaiser window, evaluated at the exact position of each sample. What lies under 0.9 of half the
/// lower rate (7.2 kHz, mostly) is kept within 1e-5 of full scale, and what half the lower rate cannot hold is 100 dB
/// down.
pub(super) fn resample(samples: Vec<f32>, rate: u32) -> Vec<f32> {
    if rate == SAMPLE_RATE {
        return samples;
    }
    let (from, to) = (u64::from(rate), u64::from(SAMPLE_RATE));
    let scale = (to as f64 / from as f64).min(1.0);
    let len = (samples.len() as u64 * to).div_ceil(from);
    let sample = |i: u64| {
        let (whole, part) = (i * from / to, i * from % to);
        interpolated(&samples, whole as usize, part as f64 / to as f64, scale)
    };
    (0..len).map(sample).collect()
}

/// The sound `part` of a sample behind sample `whole`, limited to `scale` of its band.
fn interpolated(samples: &[f32], whole: usize, part: f64, scale: f64) -> f32 {
    let reach = (REACH as f64 / scale) as usize;
    let first = (whole + 1).saturating_sub(reach);
    let end = (whole + 1 + reach).min(samples.len());
    let offset = first as f64 - whole as f64 - part;
    let near = samples[first..end].iter().enumerate();
    let sum: f64 = near.map(|(i, &s)| f64::from(s) * looked_up((offset + i as f64).abs() * scale)).sum();
    (sum * scale) as f32
}

/// The kernel at a distance in samples of the lower rate.
fn looked_up(distance: f64) -> f64 {
    let at = distance * POINTS as f64;
    let i = at as usize;
    match KERNEL.get(i..i + 2) {
        Some(&[left, right]) => left + (right - left) * (at - i as f64),
        _ => 0.0,
    }
}

fn kernel(distance: f64) -> f64 {
    let angle = PI * CUTOFF * distance;
    let sinc = if angle == 0.0 { 1.0 } else { angle.sin() / angle };
    let from_center = distance / REACH as f64;
    CUTOFF * sinc * bessel_i0(BETA * (1.0 - from_center * from_center).max(0.0).sqrt()) / bessel_i0(BETA)
}

/// The modified Bessel function of order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter_square = x * x / 4.0;
    let terms = (1..).scan(1.0, |term, k| {
        *term *= quarter_square / f64::from(k * k);
        Some(*term)
    });
    1.0 + terms.take_while(|&term| term > 1e-12).sum::<f64>()
}
