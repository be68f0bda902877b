//! The power spectrum of one frame.

use std::f64::consts::TAU;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Samples in a frame.
pub(super) const FRAME: usize = 400;
/// Values in a spectrum, from 0 Hz to half the sample rate.
pub(super) const FREQUENCIES: usize = FRAME / 2 + 1;

/// A Fourier transform of [`FRAME`] samples with its window and its room to work in.
#[derive(Clone)]
pub(super) struct Spectrum {
    transform: Arc<dyn RealToComplex<f64>>,
    window: [f64; FRAME],
    windowed: Vec<f64>,
    transformed: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(FRAME);
        Self {
            window: std::array::from_fn(|i| 0.5 - 0.5 * (TAU * i as f64 / FRAME as f64).cos()),
            windowed: transform.make_input_vec(),
            transformed: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
        }
    }

    /// The power at each frequency of the frame whose `i`-th sample is `sample(i)`.
    pub(super) fn power(&mut self, sample: impl Fn(usize) -> f32) -> [f64; FREQUENCIES] {
        for (i, (value, weight)) in self.windowed.iter_mut().zip(&self.window).enumerate() {
            *value = f64::from(sample(i)) * weight;
        }
        let sized =
            self.transform.process_with_scratch(&mut self.windowed, &mut self.transformed, &mut self.scratch);
        debug_assert!(sized.is_ok(), "the buffers were made by the plan");
        std::array::from_fn(|i| self.transformed[i].norm_sqr())
    }
}
