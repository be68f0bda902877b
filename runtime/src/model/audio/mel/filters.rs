//! Slaney's mel filters.

use super::spectrum::FREQUENCIES;

/// Hz from one value of the spectrum to the next.
const HZ_PER_FREQUENCY: f64 = 40.0;
const MAX_HZ: f64 = 8000.0;

/// Triangles over the power spectrum, evenly spaced in mel from 0 to 8 kHz and each of unit area
/// (`mel_filter_bank(.., norm="slaney", mel_scale="slaney")` in Hugging Face's `audio_utils`).
#[derive(Clone)]
pub(super) struct Filters(Vec<Filter>);

/// The part of one filter that is not 0.
#[derive(Clone)]
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

impl Filters {
    pub(super) fn new(bins: usize) -> Self {
        let edge = |i: usize| hz(mel(MAX_HZ) * i as f64 / (bins + 1) as f64);
        Self((0..bins).map(|i| Filter::new(edge(i), edge(i + 1), edge(i + 2))).collect())
    }

    /// The energy in each bin.
    pub(super) fn energies<'a>(&'a self, power: &'a [f64; FREQUENCIES]) -> impl Iterator<Item = f64> + 'a {
        self.0.iter().map(|filter| filter.energy(power))
    }
}

impl Filter {
    fn new(low: f64, center: f64, high: f64) -> Self {
        let weight = |frequency: usize| {
            let hz = frequency as f64 * HZ_PER_FREQUENCY;
            let (rise, fall) = ((hz - low) / (center - low), (high - hz) / (high - center));
            rise.min(fall).max(0.0) * 2.0 / (high - low)
        };
        let first = (0..FREQUENCIES).find(|&f| weight(f) > 0.0).unwrap_or(0);
        Self { first, weights: (first..FREQUENCIES).map(weight).take_while(|&w| w > 0.0).collect() }
    }

    fn energy(&self, power: &[f64; FREQUENCIES]) -> f64 {
        self.weights.iter().zip(&power[self.first..]).map(|(w, p)| w * p).sum()
    }
}

/// Slaney's scale: linear to 1 kHz, logarithmic above.
const BREAK_HZ: f64 = 1000.0;
const BREAK_MEL: f64 = 15.0;
const HZ_PER_MEL: f64 = BREAK_HZ / BREAK_MEL;

fn log_step() -> f64 {
    6.4f64.ln() / 27.0
}

fn mel(hz: f64) -> f64 {
    if hz < BREAK_HZ { hz / HZ_PER_MEL } else { BREAK_MEL + (hz / BREAK_HZ).ln() / log_step() }
}

fn hz(mel: f64) -> f64 {
    if mel < BREAK_MEL { mel * HZ_PER_MEL } else { BREAK_HZ * ((mel - BREAK_MEL) * log_step()).exp() }
}
