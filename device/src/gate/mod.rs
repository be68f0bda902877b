//! Whether a frame is worth encoding: it is when something in it is new.
//!
//! A [`Gate`] compares each frame with the last one that it let through, on a grid of block means: what the means
//! average away is noise, what is the same everywhere is exposure, what a shake of the head by a few pixels explains is
//! no news. The comparison is with the last frame let through, not with the last frame, so that what changes slowly
//! adds up until it counts. [`Recent`] keeps the sharpest of the latest frames for "what am I looking at now?", and
//! [`Scenes`] says which of them show what was there before.
//!
//! The gate reads brightness where it lies in the frame. A JPEG has to be decoded for it, which costs several times
//! what the gate does; frames in YUYV and NV12 cost nothing more.

mod grid;
mod recent;
mod scenes;
mod sharpness;
mod shift;

use std::time::Duration;

pub use recent::Recent;
pub use scenes::Scenes;
pub use sharpness::sharpness;

use crate::Timestamp;
use crate::camera::{Luma, Region};
use grid::Grid;
use shift::Profiles;

/// Blocks along the width of a picture, at most.
const COLUMNS: usize = 160;

/// How a [`Gate`] decides.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GateOptions {
    /// Levels of brightness, of 256, that a block may differ by at least before it counts. More where the picture
    /// is noisy.
    pub threshold: f32,
    /// Blocks of a tile (8 x 8 blocks) that have to differ for it to have changed.
    pub blocks: usize,
    /// A frame is let through after so long, changed or not.
    pub refresh: Option<Duration>,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self { threshold: 6.0, blocks: 6, refresh: None }
    }
}

/// What a [`Gate`] says of a frame, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// Worth it: there is nothing to compare it with, or pictures had another size before.
    First,
    /// Worth it: more than half of the picture is new, as when the wearer turns.
    Scene {
        /// The part of the tiles that changed.
        share: f32,
    },
    /// Worth it: something changed within the rest.
    Change {
        /// The part of the tiles that changed.
        share: f32,
        /// A box around them, in pixels of the frame.
        region: Region,
    },
    /// Worth it: nothing changed, but the last frame let through is old.
    Stale,
    /// Not worth it: what was let through shows the same.
    Same {
        /// How many times brighter this one is than that.
        gain: f32,
    },
}

impl Verdict {
    /// Whether the frame is worth encoding.
    pub fn is_worth_it(&self) -> bool {
        !matches!(self, Self::Same { .. })
    }
}

/// A frame as it is compared.
#[derive(Debug, Default)]
struct View {
    size: (usize, usize),
    profiles: Profiles,
    grid: Grid,
}

/// Lets through the frames that show something new.
#[derive(Debug, Default)]
pub struct Gate {
    options: GateOptions,
    /// The last frame let through, and when it was captured.
    reference: View,
    since: Timestamp,
    current: View,
    scratch: grid::Scratch,
}

impl Gate {
    /// A gate that lets the first frame through.
    pub fn new(options: GateOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Compares a frame with the last one let through, which it becomes when it is worth it.
    ///
    /// Nothing is allocated after the first frames of a size, two of which are kept.
    pub fn judge(&mut self, luma: Luma<'_>, captured: Timestamp) -> Verdict {
        let current = &mut self.current;
        current.size = (luma.width, luma.height);
        current.profiles.take(luma);
        let verdict = if current.size == self.reference.size {
            let shift = self.reference.profiles.shift_to(&current.profiles);
            current.grid.reduce(COLUMNS, luma, shift, &mut self.scratch);
            self.compare(captured)
        } else {
            Verdict::First
        };
        if verdict.is_worth_it() {
            // Later frames are compared with this one as it lies, not as it was moved.
            self.current.grid.reduce(COLUMNS, luma, (0, 0), &mut self.scratch);
            std::mem::swap(&mut self.reference, &mut self.current);
            self.since = captured;
        }
        verdict
    }

    /// Forgets what was let through: the next frame is worth it.
    pub fn reset(&mut self) {
        self.reference.size = (0, 0);
    }

    /// When the last frame let through was captured.
    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    fn compare(&mut self, captured: Timestamp) -> Verdict {
        let GateOptions { threshold, blocks, refresh } = self.options;
        let difference =
            self.reference.grid.compare(&self.current.grid, threshold, blocks, &mut self.scratch);
        let age = captured.since(self.since);
        match difference.region {
            Some(_) if difference.share > 0.5 => Verdict::Scene { share: difference.share },
            Some(region) => Verdict::Change { share: difference.share, region },
            None if refresh.is_some_and(|refresh| age >= refresh) => Verdict::Stale,
            None => Verdict::Same { gain: difference.gain },
        }
    }
}
