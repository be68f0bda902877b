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
/// Points of the table a sample of the lower rate; lines between them are within 2e-6 of the kernel.
const POINTS: usize = 1024;
/// The most positions between two samples whose weights are kept; 44.1 kHz has 160 of them.
const MAX_KEPT: u64 = 1000;

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
    let divisor = greatest_common_divisor(rate, SAMPLE_RATE);
    let (from, to) = (u64::from(rate / divisor), u64::from(SAMPLE_RATE / divisor));
    let scale = (to as f64 / from as f64).min(1.0);
    let weights = |part: u64| weights(part as f64 / to as f64, scale);
    let kept: Vec<Vec<f32>> = if to <= MAX_KEPT { (0..to).map(weights).collect() } else { Vec::new() };
    let sample = |i: u64| {
        let (whole, part) = ((i * from / to) as usize, i * from % to);
        match kept.get(part as usize) {
            Some(weights) => weighted(&samples, whole, weights),
            None => weighted(&samples, whole, &weights(part)),
        }
    };
    (0..(samples.len() as u64 * to).div_ceil(from)).map(sample).collect()
}

/// The weights of the samples around a position `part` of a sample behind one of them, which has as many before it
/// as behind it and is itself the last of the first half.
fn weights(part: f64, scale: f64) -> Vec<f32> {
    let reach = (REACH as f64 / scale) as isize;
    let distance = |i: isize| (i as f64 - part).abs() * scale;
    (1 - reach..=reach).map(|i| (looked_up(distance(i)) * scale) as f32).collect()
}

/// The sum of the samples around sample `whole` by their weights.
fn weighted(samples: &[f32], whole: usize, weights: &[f32]) -> f32 {
    let before = weights.len() / 2 - 1;
    let missing = before.saturating_sub(whole);
    let near = &samples[(whole + missing - before).min(samples.len())..];
    dot(near, &weights[missing..])
}

/// The sum of products over the shorter of the two, in lanes that fill a vector register.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let len = a.len().min(b.len());
    let (a, b) = (a[..len].chunks_exact(LANES), b[..len].chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    let lanes = a.zip(b).fold([0.0; LANES], |sums, (a, b)| std::array::from_fn(|i| sums[i] + a[i] * b[i]));
    lanes.iter().sum::<f32>() + rest
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
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
