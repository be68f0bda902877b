//! How far the head has trembled between two frames.

use crate::camera::Luma;

/// The most pixels of a shake. Beyond, the wearer moves.
const REACH: usize = 4;
/// Sums are taken over one row in so many, and over one run of pixels in so many.
const EVERY: usize = 4;
/// Pixels of a run.
const RUN: usize = 64;

/// The margin that is left out of the comparison on each side of a frame, so that every shift finds pixels.
pub(super) fn margin(width: usize, height: usize) -> usize {
    REACH.min(width.min(height) / 32)
}

/// Sums of columns and of rows: a shift of the picture shifts them.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    columns: Vec<u32>,
    rows: Vec<u32>,
}

impl Profiles {
    pub(super) fn take(&mut self, luma: Luma<'_>) {
        self.columns.clear();
        self.columns.resize(luma.width, 0);
        self.rows.clear();
        for y in 0..luma.height {
            let row = luma.row(y);
            match luma.step {
                1 => self.add::<1>(row, y),
                2 => self.add::<2>(row, y),
                _ => self.add::<3>(row, y),
            }
        }
    }

    fn add<const STEP: usize>(&mut self, row: &[u8], y: usize) {
        let runs = row.chunks(RUN * STEP).step_by(EVERY);
        let sum = |run: &[u8]| run.iter().step_by(STEP).map(|&value| u32::from(value)).sum::<u32>();
        self.rows.push(runs.map(sum).sum());
        if y.is_multiple_of(EVERY) {
            let pixels = row.iter().step_by(STEP);
            self.columns.iter_mut().zip(pixels).for_each(|(sum, &value)| *sum += u32::from(value));
        }
    }

    /// How many pixels to the right and down `current`, of the same size, has moved: at most the [`margin`].
    pub(super) fn shift_to(&self, current: &Self) -> (isize, isize) {
        let margin = margin(self.columns.len(), self.rows.len());
        (shift(&self.columns, &current.columns, margin), shift(&self.rows, &current.rows, margin))
    }
}

/// The shift that makes `now` most like `before`, made as bright as that. Nothing is taken for a shift that does not
/// make it a good deal more alike.
fn shift(before: &[u32], now: &[u32], margin: usize) -> isize {
    const WORTH: f32 = 0.8;
    let sum = |profile: &[u32]| profile.iter().map(|&value| value as f32).sum::<f32>();
    let gain = sum(now) / sum(before).max(1.0);
    let inner = &before[margin..before.len() - margin];
    let apart = |start: usize| -> f32 {
        let moved = &now[start..start + inner.len()];
        inner.iter().zip(moved).map(|(&before, &now)| (now as f32 - gain * before as f32).abs()).sum()
    };
    let unmoved = apart(margin);
    let best = (0..=2 * margin).map(|start| (start, apart(start))).min_by(|a, b| a.1.total_cmp(&b.1));
    match best {
        Some((start, apart)) if apart < WORTH * unmoved => start as isize - margin as isize,
        _ => 0,
    }
}
