//! How long towers take. What is computed does not depend on what is seen and heard.

use std::time::{Duration, Instant};

use crate::Result;
use crate::backend::Backend;
use crate::model::audio::{AudioTower, Clip, SAMPLE_RATE};
use crate::model::vision::{Place, Tile, VisionTower};

/// One pass over one tile.
///
/// # Errors
/// As [`VisionTower::encode`].
pub fn encode_tile<B: Backend>(tower: &VisionTower<B>) -> Result<Duration> {
    let side = tower.preprocessor().tile();
    let values = (0..3 * side * side).map(|i| (i % 255) as f32 / 127.5 - 1.0).collect();
    let tile = Tile { place: Place::Overview, side, values };
    let start = Instant::now();
    tower.encode(&tile)?;
    tower.backend().finish()?;
    Ok(start.elapsed())
}

/// A sound of `seconds`, spectrogram and all.
///
/// # Errors
/// As [`Clip::new`] and [`AudioTower::encode`].
pub fn encode_sound<B: Backend>(tower: &AudioTower<B>, seconds: usize) -> Result<Duration> {
    let samples = seconds * SAMPLE_RATE as usize;
    let clip = Clip::new((0..samples).map(|i| (i % 160) as f32 / 160.0 - 0.5).collect())?;
    let start = Instant::now();
    tower.encode(&clip)?;
    tower.backend().finish()?;
    Ok(start.elapsed())
}
