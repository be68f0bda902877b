//! Samples, as they come, to frames of log-mel energies.

use super::HOP;
use super::filters::Filters;
use super::spectrum::{FRAME, Spectrum};

const HALF: usize = FRAME / 2;
const LEAST_ENERGY: f64 = 1e-10;

/// Cuts samples into frames and gives the logarithm of their mel energies, not yet held against a loudest value.
#[derive(Clone)]
pub(super) struct Frames {
    spectrum: Spectrum,
    filters: Filters,
    /// The samples that a later frame may need, the first of them being sample `dropped` of the clip.
    samples: Vec<f32>,
    dropped: usize,
    /// The next frame to give.
    next: usize,
}

impl Frames {
    pub(super) fn new(bins: usize) -> Self {
        Self {
            spectrum: Spectrum::new(),
            filters: Filters::new(bins),
            samples: Vec::new(),
            dropped: 0,
            next: 0,
        }
    }

    /// Takes the next samples and appends to `out` the frames that no later sample can change: frame `t` once there
    /// are more than 200 samples, `160 t + 200` at least.
    pub(super) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.samples.extend_from_slice(samples);
        let seen = self.dropped + self.samples.len();
        if seen > HALF {
            self.give_until((seen - HALF) / HOP + 1, out);
            self.forget();
        }
    }

    /// Appends to `out` the frames that the end of the clip completes, and is new again.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) {
        self.give_until((self.dropped + self.samples.len()) / HOP, out);
        self.reset();
    }

    /// Drops the clip begun.
    pub(super) fn reset(&mut self) {
        self.samples.clear();
        (self.dropped, self.next) = (0, 0);
    }

    /// Samples there have to be before frame `frame` is given by [`push`](Self::push).
    pub(super) fn samples_for(frame: usize) -> usize {
        frame * HOP + HALF
    }

    fn give_until(&mut self, end: usize, out: &mut Vec<f32>) {
        let (samples, dropped) = (&self.samples, self.dropped);
        let seen = dropped + samples.len();
        for frame in self.next..end {
            let sample = |i| samples[mirrored(frame * HOP + i, seen) - dropped];
            let power = self.spectrum.power(sample);
            out.extend(self.filters.energies(&power).map(|energy| energy.max(LEAST_ENERGY).log10() as f32));
        }
        self.next = self.next.max(end);
    }

    fn forget(&mut self) {
        let keep = (self.next * HOP).saturating_sub(HALF);
        self.samples.drain(..keep - self.dropped);
        self.dropped = keep;
    }
}

/// The sample that stands at `at - 200` of a clip of `len` samples, which goes on mirrored about its ends for ever.
fn mirrored(at: usize, len: usize) -> usize {
    let last = len - 1;
    if last == 0 {
        return 0;
    }
    let from_first = at.abs_diff(HALF) % (2 * last);
    from_first.min(2 * last - from_first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_goes_on_mirrored_about_its_ends() {
        let around: Vec<usize> = (HALF - 5..HALF + 9).map(|at| mirrored(at, 4)).collect();
        assert_eq!(around, [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(mirrored(17, 1), 0);
    }
}
