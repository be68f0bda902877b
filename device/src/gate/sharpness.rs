//! How sharp a picture is.

use crate::camera::Luma;

/// Rows that are looked at, about.
const ROWS: usize = 240;
/// Pixels between those that are compared: noise differs between neighbours, edges over a few pixels.
const REACH: usize = 2;

/// How sharp a picture is: the mean square of the steps between pixels two apart, along rows and columns, over the
/// square of the mean brightness. It tells pictures of the same scene apart (the Brenner measure), not scenes.
///
/// 0 for a picture with fewer than three rows or columns.
pub fn sharpness(luma: Luma<'_>) -> f32 {
    if luma.width <= REACH || luma.height <= REACH {
        return 0.0;
    }
    let stride = (luma.height / ROWS).max(1);
    let rows = (0..luma.height - REACH).step_by(stride);
    let mut total = Sums::default();
    for y in rows {
        let (row, below) = (luma.row(y), luma.row(y + REACH));
        total.add(match luma.step {
            1 => row_sums::<1>(row, below),
            2 => row_sums::<2>(row, below),
            _ => row_sums::<3>(row, below),
        });
    }
    let pixels = total.pixels as f32;
    let mean = total.brightness as f32 / pixels + 1.0;
    total.steps as f32 / pixels / (mean * mean)
}

#[derive(Default)]
struct Sums {
    pixels: u64,
    brightness: u64,
    /// Squares of steps.
    steps: u64,
}

impl Sums {
    fn add(&mut self, (pixels, brightness, steps): (usize, u32, u64)) {
        self.pixels += pixels as u64;
        self.brightness += u64::from(brightness);
        self.steps += steps;
    }
}

/// Pixels, their sum, and the squares of the steps to the right and down. `STEP` bytes lie between pixels.
fn row_sums<const STEP: usize>(row: &[u8], below: &[u8]) -> (usize, u32, u64) {
    let length = row.len() - REACH * STEP;
    let (here, right, below) = (&row[..length], &row[REACH * STEP..], &below[..length]);
    let (mut brightness, mut steps) = (0u32, 0u64);
    // Short runs, whose sums fit into 32 bits.
    const RUN: usize = 1024 * 6;
    for start in (0..length).step_by(RUN) {
        let run = start..length.min(start + RUN);
        let (here, right, below) = (&here[run.clone()], &right[run.clone()], &below[run]);
        let mut sum = 0u32;
        for ((&here, &right), &below) in here.iter().zip(right).zip(below).step_by(STEP) {
            let (x, y) = (i32::from(right) - i32::from(here), i32::from(below) - i32::from(here));
            brightness += u32::from(here);
            sum += (x * x + y * y) as u32;
        }
        steps += u64::from(sum);
    }
    (length.div_ceil(STEP), brightness, steps)
}
