//! Sound of any rate at [`SAMPLE_RATE`], by rubato, as it comes.

use std::ops::RangeInclusive;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
    calculate_cutoff,
};

use super::{CHUNK_LEN, SAMPLE_RATE};
use crate::error::{Error, ErrorKind, Result};

/// The rates that are taken, in Hz.
pub(super) const RATES: RangeInclusive<u32> = 1_000..=384_000;
/// How far the filter reaches to either side, in samples of the lower of the two rates: 4 ms where that is 16 kHz.
const REACH: usize = 64;
/// Samples that the filter gives at a time. A chunk waits for no more than this beyond the filter's own delay.
const STEP: usize = 64;

/// A resampler whose output is the same however its input is cut into pieces. Output `n` is the sound at
/// `n / 16000` seconds of the input, within a sample: the filter's delay is taken off, in whole samples.
pub(super) struct Resampler {
    rate: u32,
    /// None where the rate is right already.
    filter: Option<Async<f32>>,
    input: Vec<f32>,
    output: Vec<f32>,
    /// Outputs of the filter's delay that are still to come.
    delay: usize,
    /// Samples taken since the last reset.
    taken: u64,
    /// Samples given since the last reset.
    given: u64,
}

impl Resampler {
    /// A resampler of sound at `rate` Hz.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a rate that is not among [`RATES`].
    pub(super) fn new(rate: u32) -> Result<Self> {
        if !RATES.contains(&rate) {
            let detail =
                format!("found a sample rate of {rate} Hz, expected {} to {}", RATES.start(), RATES.end());
            return Err(Error::new(ErrorKind::Unsupported, detail));
        }
        let filter = if rate == SAMPLE_RATE { None } else { Some(filter(rate)?) };
        let delay = filter.as_ref().map_or(0, |filter| filter.output_delay());
        Ok(Self { rate, filter, input: Vec::new(), output: Vec::new(), delay, taken: 0, given: 0 })
    }

    /// Takes the next samples.
    pub(super) fn push(&mut self, samples: &[f32]) {
        self.taken += samples.len() as u64;
        if self.filter.is_none() {
            self.output.extend_from_slice(samples);
            return;
        }
        self.input.extend_from_slice(samples);
        while self.input.len() >= self.needed() {
            self.run();
        }
    }

    /// The next chunk, if there is enough for one.
    pub(super) fn pull(&mut self) -> Option<Box<[f32; CHUNK_LEN]>> {
        let chunk = self.output.first_chunk().map(|chunk| Box::new(*chunk))?;
        self.output.drain(..CHUNK_LEN);
        self.given += CHUNK_LEN as u64;
        Some(chunk)
    }

    /// Ends the sound: what is still in the filter comes out, and silence fills up the last chunk.
    pub(super) fn finish(&mut self) {
        let total = (self.taken * u64::from(SAMPLE_RATE)).div_ceil(u64::from(self.rate));
        let missing = (total - self.given.min(total)) as usize;
        while self.filter.is_some() && self.output.len() < missing {
            self.input.resize(self.needed(), 0.0);
            self.run();
        }
        self.output.truncate(missing);
        self.output.resize(missing.next_multiple_of(CHUNK_LEN), 0.0);
    }

    /// Forgets everything, so that the next sample has nothing before it.
    pub(super) fn reset(&mut self) {
        if let Some(filter) = &mut self.filter {
            filter.reset();
            self.delay = filter.output_delay();
        }
        self.input.clear();
        self.output.clear();
        (self.taken, self.given) = (0, 0);
    }

    /// Samples of input that the filter's next step takes.
    fn needed(&self) -> usize {
        self.filter.as_ref().map_or(0, |filter| filter.input_frames_next())
    }

    /// One step of the filter, for which there is input.
    fn run(&mut self) {
        let needed = self.needed();
        let Some(filter) = &mut self.filter else { return };
        let mut step = [0.0; STEP];
        let input = InterleavedSlice::new(&self.input, 1, needed);
        let output = InterleavedSlice::new_mut(&mut step, 1, STEP);
        let (Ok(input), Ok(mut output)) = (input, output) else { return };
        let done = filter.process_into_buffer(&input, &mut output, None);
        debug_assert!(done.is_ok(), "{done:?}");
        self.input.drain(..needed);
        let delayed = self.delay.min(STEP);
        self.delay -= delayed;
        self.output.extend_from_slice(&step[delayed..]);
    }
}

/// A sinc under the square of a Blackman-Harris window, cut off where that window is down at half the lower rate.
fn filter(rate: u32) -> Result<Async<f32>> {
    const WINDOW: WindowFunction = WindowFunction::BlackmanHarris2;
    let ratio = f64::from(SAMPLE_RATE) / f64::from(rate);
    let points = 2 * REACH;
    let (interpolation, phases) = phases(rate);
    let parameters =
        SincInterpolationParameters::new((points as f64 / ratio.min(1.0)).ceil() as usize, WINDOW)
            .f_cutoff(calculate_cutoff(points, WINDOW))
            .interpolation(interpolation)
            .oversampling_factor(phases);
    Async::new_sinc(ratio, 1.0, &parameters, STEP, 1, FixedAsync::Output)
        .map_err(|error| Error::new(ErrorKind::Unsupported, format!("resampling from {rate} Hz: {error}")))
}

/// At how many places between two samples the filter is kept, and how it is had elsewhere. Outputs fall on few places
/// where the rates have a large common divisor, as all usual ones do: then nothing lies between. There are at least
/// 128, as rubato is one place off.
fn phases(rate: u32) -> (SincInterpolationType, usize) {
    const PLACES: usize = 128;
    const MAX_PLACES: usize = 640;
    let needed = (SAMPLE_RATE / greatest_common_divisor(rate, SAMPLE_RATE)) as usize;
    if needed <= MAX_PLACES {
        (SincInterpolationType::Nearest, needed * PLACES.div_ceil(needed))
    } else {
        (SincInterpolationType::Cubic, PLACES)
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
