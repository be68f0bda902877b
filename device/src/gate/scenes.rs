//! Since when a camera shows what it shows.

use super::Gate;
use super::grid::{Grid, Scratch};
use crate::Timestamp;
use crate::camera::Luma;

/// Blocks along the width of a picture, at most.
const COLUMNS: usize = 32;
/// Levels of brightness that a block may be beyond those around it.
const THRESHOLD: f32 = 12.0;
/// The part of the blocks that may be.
const SHARE: f32 = 0.1;

/// Finds where one scene ends and the next begins, from frame to frame. There are two signs of it.
///
/// - Two frames that a [`Gate`] holds for the same show what is new: frames from before are of what was there. A wearer who
///   holds still and turns a package round is noticed so.
/// - More than a tenth of the blocks of a coarse grid lie outside of the range of what was there around them, or what was
///   there outside of the range around them. This is noticed in motion too, while a tremble or blur is not: it moves
///   brightness between neighbours. Whether a pixel still shows what it did is decided so when frames are accumulated
///   (neighbourhood clamping: Karis, High-Quality Temporal Supersampling, 2014).
#[derive(Debug, Default)]
pub struct Scenes {
    gate: Gate,
    size: (usize, usize),
    /// The first frame of the scene.
    first: Grid,
    current: Grid,
    scratch: Scratch,
    since: Timestamp,
}

impl Scenes {
    /// Takes the next frame, and says since when frames show the scene that it does. Nothing is allocated after the first
    /// frames of a size.
    pub fn since(&mut self, luma: Luma<'_>, captured: Timestamp) -> Timestamp {
        if !self.gate.judge(luma, captured).is_worth_it() {
            self.since = self.gate.since();
        }
        if self.is_elsewhere(luma) {
            self.since = captured;
        }
        // A clock may be set back.
        self.since = self.since.min(captured);
        self.since
    }

    /// Forgets the scene: the next frame begins one.
    pub fn reset(&mut self) {
        self.gate.reset();
        self.size = (0, 0);
    }

    fn is_elsewhere(&mut self, luma: Luma<'_>) -> bool {
        let size = (luma.width, luma.height);
        self.current.reduce(COLUMNS, luma, (0, 0), &mut self.scratch);
        let is_elsewhere = self.size != size || {
            let gain = self.first.gain_to(&self.current, &mut self.scratch);
            share_outside(&self.first, &self.current, gain) > SHARE
        };
        if is_elsewhere {
            self.size = size;
            std::mem::swap(&mut self.first, &mut self.current);
        }
        is_elsewhere
    }
}

/// The part of the blocks where one grid, the first made brighter by `gain`, is outside of the range around that block of
/// the other, which has its shape.
fn share_outside(first: &Grid, second: &Grid, gain: f32) -> f32 {
    let (columns, rows) = second.size();
    let mut outside = 0;
    for (x, y) in (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))) {
        let (before, now) = (gain * first.row(y)[x], second.row(y)[x]);
        let around_before = range_around(first, x, y).map(|mean| gain * mean);
        outside +=
            usize::from(is_outside(now, around_before) || is_outside(before, range_around(second, x, y)));
    }
    outside as f32 / (columns * rows).max(1) as f32
}

fn is_outside(mean: f32, [low, high]: [f32; 2]) -> bool {
    mean < low - THRESHOLD || mean > high + THRESHOLD
}

/// The least and the most of a block and those that touch it.
fn range_around(grid: &Grid, x: usize, y: usize) -> [f32; 2] {
    let (columns, rows) = grid.size();
    let near = |y: usize| grid.row(y)[x.saturating_sub(1)..columns.min(x + 2)].iter();
    let around = (y.saturating_sub(1)..rows.min(y + 2)).flat_map(near);
    around.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &mean| [low.min(mean), high.max(mean)])
}
