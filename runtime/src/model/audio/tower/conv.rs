//! The convolutions before a Whisper encoder: windows of three frames, at every frame and then at every second one.
//!
//! What a window reaches beyond the end of its block is zeros; before the block it finds the real frames. So what a
//! block becomes does not depend on what follows it.

use super::cut::STRIDE;
use crate::Result;
use crate::backend::{Activation, Backend, Dense, Linear, Matrix};
use crate::model::loader::Loader;

/// Frames of a window.
const TAPS: usize = 3;

/// Frames before a block that its windows reach, since the second convolution reads what the first made of them.
const REACH: usize = 2;

/// Two convolutions over time, as projections of windows. Their weights are floats in memory, whatever the file has.
pub(super) struct Convolutions<W> {
    bins: usize,
    first: Dense<W>,
    second: Dense<W>,
}

impl<W> Convolutions<W> {
    pub(super) fn load<B: Backend<Weights = W>>(
        loader: &Loader<'_, B>,
        bins: usize,
        width: usize,
    ) -> Result<Self> {
        Ok(Self {
            bins,
            first: convolution(loader, "a.conv1d.1", bins, width)?,
            second: convolution(loader, "a.conv1d.2", width, width)?,
        })
    }

    /// `[frames][bins]` to `[positions][width]`. `before` are the last frames of the block before, none at the start
    /// of a piece; see [`tail`](Self::tail).
    pub(super) fn forward<B: Backend<Weights = W>>(
        &self,
        backend: &B,
        before: &[f32],
        frames: &[f32],
    ) -> Result<B::Rows> {
        let start = before.len() / self.bins;
        let end = start + frames.len() / self.bins;
        let rows = backend.upload(self.bins, [before, frames].concat())?;
        // The last row of the block before is made again, as it was made there.
        let last = start.checked_sub(1);
        let mut windows: Vec<_> = last.into_iter().flat_map(|at| window(at, start)).collect();
        windows.extend((start..end).flat_map(|at| window(at, end)));
        let rows = backend.dense(&self.first, &backend.gather(&rows, &windows, TAPS)?)?;

        let start = usize::from(last.is_some());
        let end = windows.len() / TAPS;
        let windows: Vec<_> = (start..end).step_by(STRIDE).flat_map(|at| window(at, end)).collect();
        backend.dense(&self.second, &backend.gather(&rows, &windows, TAPS)?)
    }

    /// What the block after `frames` needs of them.
    pub(super) fn tail<'a>(&self, frames: &'a [f32]) -> &'a [f32] {
        &frames[frames.len().saturating_sub(REACH * self.bins)..]
    }
}

/// The rows around `at`. There are none from `end` on.
fn window(at: usize, end: usize) -> [Option<usize>; TAPS] {
    [at.checked_sub(1), Some(at), Some(at + 1).filter(|&right| right < end)]
}

/// PyTorch has `[output][input][tap]`; a window is `[tap][input]`.
fn convolution<B: Backend>(
    loader: &Loader<'_, B>,
    name: &str,
    input: usize,
    output: usize,
) -> Result<Dense<B::Weights>> {
    let weight = format!("{name}.weight");
    let values = loader.values(&weight, &[TAPS, input, output])?;
    let mut rows = Vec::with_capacity(values.len());
    for kernel in values.chunks_exact(TAPS * input) {
        rows.extend((0..TAPS).flat_map(|tap| kernel[tap..].iter().step_by(TAPS)));
    }
    let linear = Linear {
        weight: loader.backend.load(Matrix::from_values(weight, TAPS * input, &rows)?)?,
        bias: loader.optional_tensor(&format!("{name}.bias"), &[output])?,
    };
    Ok(Dense { norm: None, linear, activation: Some(Activation::GeluErf) })
}
