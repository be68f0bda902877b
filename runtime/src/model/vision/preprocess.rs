//! The idefics3 (SmolVLM, SmolVLM2) picture processor.

use lorgnette_quant::gguf::Metadata;

use super::grid::Size;
use super::picture::Picture;
use super::pixels::{Pixels, Place, Tile};
use super::resize::resize;
use crate::model::media::{Detail, Image};
use crate::{Error, Result};

/// The longest edge of a resized picture (`MAX_IMAGE_SIZE` in Hugging Face's code).
const MAX_EDGE: usize = 4096;

/// Turns pictures into pixels as Hugging Face's `Idefics3ImageProcessorPil` and `SmolVLMImageProcessorPil` do: the
/// same bytes after each resize, the same values within 3e-7.
///
/// llama.cpp (`mtmd_image_preprocessor_idefics3`) differs: its overview is always made from the picture already
/// stretched to whole tiles, as here in [`Preprocessor::tiles`] but not in [`Preprocessor::overview`]; a picture that
/// fits into one tile gets both that tile and an overview, where Hugging Face gives only the one; and where the
/// longest edge is not whole tiles, it can count a row or a column less.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessor {
    tile: usize,
    longest_edge: usize,
    mean: [f32; 3],
    std: [f32; 3],
}

impl Preprocessor {
    /// The most tiles along an edge.
    const MAX_GRID: usize = 16;

    /// Reads `clip.vision.image_size` (the side of a tile), `.image_mean`, `.image_std`, and `.preproc_image_size`,
    /// the longest edge of a picture before it is cut; without that key it is four tiles, as in Hugging Face's class.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Missing`], [`crate::ErrorKind::WrongType`], and [`crate::ErrorKind::Malformed`] when a
    /// size is 0 or beyond 4096, an edge is longer than 16 tiles, or a mean or deviation is not usable.
    pub fn from_metadata(metadata: &Metadata) -> Result<Self> {
        let tile = edge(metadata, "clip.vision.image_size")?
            .ok_or_else(|| Error::missing("clip.vision.image_size", "the side of a tile in pixels"))?;
        let key = "clip.vision.preproc_image_size";
        let longest_edge = edge(metadata, key)?.unwrap_or_else(|| (4 * tile).min(MAX_EDGE));
        if longest_edge > Self::MAX_GRID * tile {
            let expected = format!("at most {} tiles of {tile}", Self::MAX_GRID);
            return Err(Error::malformed(key, longest_edge, expected));
        }
        let mean = channels(metadata, "clip.vision.image_mean", f32::is_finite, "3 finite numbers")?;
        let std =
            channels(metadata, "clip.vision.image_std", |v| v.is_normal() && v > 0.0, "3 numbers above 0")?;
        Ok(Self { tile, longest_edge, mean, std })
    }

    /// The same processor with pictures first resized to `longest_edge`, within 1 and 4096 pixels and 16 tiles.
    /// Shorter is faster and keeps less detail.
    #[must_use]
    pub fn with_longest_edge(mut self, longest_edge: usize) -> Self {
        self.longest_edge = longest_edge.clamp(1, MAX_EDGE.min(Self::MAX_GRID * self.tile));
        self
    }

    /// The side of a tile, in pixels.
    pub fn tile(&self) -> usize {
        self.tile
    }

    /// What an image asks for.
    pub fn pixels(&self, image: &Image) -> Pixels {
        match image.detail() {
            Detail::Overview => self.overview(image.picture()),
            Detail::Tiles => self.tiles(image.picture()),
        }
    }

    /// One tile that shows the whole picture (Hugging Face's `do_image_splitting=False`).
    pub fn overview(&self, picture: &Picture) -> Pixels {
        self.overview_only(&self.to_longest_edge(picture))
    }

    /// The rows and columns that [`Preprocessor::tiles`] cuts `picture` into; `(0, 0)` when one tile holds it all.
    pub fn grid(&self, picture: &Picture) -> (usize, usize) {
        let size = size_of(picture).with_longest_edge(self.longest_edge).in_tiles(self.tile);
        match (size.height / self.tile, size.width / self.tile) {
            (1, 1) => (0, 0),
            grid => grid,
        }
    }

    /// The picture cut into tiles, and an overview; only the overview when one tile holds it all
    /// (Hugging Face's `do_image_splitting=True`).
    pub fn tiles(&self, picture: &Picture) -> Pixels {
        let fitted = self.to_longest_edge(picture);
        let size = size_of(&fitted).in_tiles(self.tile);
        let whole = resize(&fitted, size.width, size.height);
        let (rows, columns) = (size.height / self.tile, size.width / self.tile);
        if rows * columns == 1 {
            return self.overview_only(&whole);
        }
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let mut tiles: Vec<Tile> = places.map(|(row, column)| self.part(&whole, row, column)).collect();
        tiles.extend(self.overview_only(&whole).tiles);
        Pixels { rows, columns, tiles }
    }

    fn to_longest_edge(&self, picture: &Picture) -> Picture {
        let size = size_of(picture).with_longest_edge(self.longest_edge);
        resize(picture, size.width, size.height)
    }

    fn overview_only(&self, picture: &Picture) -> Pixels {
        let overview = self.normalised(&resize(picture, self.tile, self.tile), 0, 0, Place::Overview);
        Pixels { rows: 0, columns: 0, tiles: vec![overview] }
    }

    fn part(&self, whole: &Picture, row: usize, column: usize) -> Tile {
        self.normalised(whole, column * self.tile, row * self.tile, Place::Part { row, column })
    }

    /// The tile at (`x`, `y`) of `picture`, rescaled by 1/255, less the mean, by the deviation.
    fn normalised(&self, picture: &Picture, x: usize, y: usize, place: Place) -> Tile {
        let mut values = Vec::with_capacity(3 * self.tile * self.tile);
        for channel in 0..3 {
            let levels = self.levels(channel);
            for row in picture.rgb().chunks_exact(3 * picture.width()).skip(y).take(self.tile) {
                let pixels = row.chunks_exact(3).skip(x).take(self.tile);
                values.extend(pixels.map(|pixel| levels[usize::from(pixel[channel])]));
            }
        }
        Tile { place, side: self.tile, values }
    }

    /// What each of the 256 levels of a channel becomes.
    fn levels(&self, channel: usize) -> [f32; 256] {
        let (mean, std) = (self.mean[channel], self.std[channel]);
        std::array::from_fn(|level| ((level as f64 / 255.0) as f32 - mean) / std)
    }
}

fn size_of(picture: &Picture) -> Size {
    Size { width: picture.width(), height: picture.height() }
}

fn edge(metadata: &Metadata, key: &str) -> Result<Option<usize>> {
    let Some(edge) = metadata.get::<u32>(key)? else { return Ok(None) };
    match edge as usize {
        edge @ 1..=MAX_EDGE => Ok(Some(edge)),
        _ => Err(Error::malformed(key, edge, format!("1 to {MAX_EDGE} pixels"))),
    }
}

fn channels(metadata: &Metadata, key: &str, usable: fn(f32) -> bool, expected: &str) -> Result<[f32; 3]> {
    let found = metadata.require::<&[f32]>(key)?;
    <[f32; 3]>::try_from(found)
        .ok()
        .filter(|values| values.iter().all(|&v| usable(v)))
        .ok_or_else(|| Error::malformed(key, format!("{found:?}"), expected))
}
