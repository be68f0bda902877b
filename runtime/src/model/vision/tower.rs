//! Pixels to rows that a language model reads as tokens: a SigLIP encoder (Zhai et al. 2023) and the connector of
//! Idefics3 (Laurençon et al. 2024), which shuffles squares of patches into channels and projects them.

use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;

use super::pixels::Tile;
use super::preprocess::Preprocessor;
use super::written::{PLACEHOLDER, Written, written};
use crate::backend::{Activation, Backend, Dense, Linear};
use crate::model::encoder::{Encoder, EncoderConfig};
use crate::model::keys::Keys;
use crate::model::loader::{Loader, located};
use crate::model::media::{Detail, Image, Placeholder};
use crate::model::projector::projector_type;
use crate::{Error, ErrorKind, Result};

/// A vision tower and its projector, loaded into a backend.
pub struct VisionTower<B: Backend> {
    backend: B,
    grid: Grid,
    preprocessor: Preprocessor,
    patches: Dense<B::Weights>,
    positions: B::Weights,
    encoder: Encoder<B::Weights>,
    projector: Dense<B::Weights>,
    width: usize,
}

/// The most patches along the side of a tile: twice those of SmolVLM.
const MAX_SIDE: usize = 64;

/// How a tile is cut.
#[derive(Clone, Copy)]
struct Grid {
    /// Pixels along the side of a patch.
    patch: usize,
    /// Patches along the side of a tile.
    side: usize,
    /// Patches along the side of the square that becomes one token.
    scale: usize,
}

impl<B: Backend> VisionTower<B> {
    /// Loads the vision half of the mmproj in `model`; `None` when it has none.
    ///
    /// # Errors
    /// A projector other than `idefics3` (the error says what is known), a key or tensor that is missing or has
    /// another type or shape than the others ask for.
    pub fn load(backend: B, model: &Arc<Gguf>) -> Result<Option<Self>> {
        let has = model.metadata().get("clip.has_vision_encoder")?.unwrap_or(false);
        has.then(|| Self::read(backend, model)).transpose().map_err(|e| located(e, model))
    }

    fn read(backend: B, model: &Arc<Gguf>) -> Result<Self> {
        projector_type(model.metadata(), "vision", &["idefics3"])?;
        let keys = Keys::new(model.metadata(), "clip.vision");
        let config = EncoderConfig::read(&keys)?;
        let grid = Grid::read(&keys)?;
        let loader = Loader { backend: &backend, model };
        let width = keys.positive("projection_dim")?;
        let merged = config.width * grid.scale * grid.scale;
        Ok(Self {
            grid,
            preprocessor: Preprocessor::from_metadata(model.metadata())?,
            patches: patches(&loader, &grid, config.width)?,
            positions: loader.tensor("v.position_embd.weight", &[config.width, grid.side * grid.side])?,
            encoder: Encoder::load(&loader, "v", config, activation(&keys)?)?,
            projector: Dense {
                norm: None,
                linear: loader.linear("mm.model.fc", merged, width)?,
                activation: None,
            },
            width,
            backend,
        })
    }

    /// Where it is computed.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// How pictures become the tiles it takes.
    pub fn preprocessor(&self) -> &Preprocessor {
        &self.preprocessor
    }

    /// What stands for a picture in the text of a template.
    pub fn placeholder(&self) -> Placeholder {
        PLACEHOLDER
    }

    /// What takes its place in a prompt. Tiles are numbered in the order of [`Preprocessor::pixels`].
    pub fn written(&self, image: &Image) -> Vec<Written> {
        let (rows, columns) = match image.detail() {
            Detail::Overview => (0, 0),
            Detail::Tiles => self.preprocessor.grid(image.picture()),
        };
        written(rows, columns)
    }

    /// Rows that a tile becomes.
    pub fn tokens(&self) -> usize {
        (self.grid.side / self.grid.scale).pow(2)
    }

    /// Elements of a row: the width of the language model it was made for.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One pass: `[tokens][width]`, from the top left, row by row.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when the tile is not as large as [`Preprocessor::tile`].
    pub fn encode(&self, tile: &Tile) -> Result<B::Rows> {
        let side = self.grid.side * self.grid.patch;
        if tile.side != side || tile.values.len() != 3 * side * side {
            let detail = format!("found a tile of {} pixels, expected {side}", tile.side);
            return Err(Error::new(ErrorKind::Argument, "picture", detail));
        }
        let backend = &self.backend;
        let windows = backend.upload(3 * self.grid.patch.pow(2), self.grid.windows(&tile.values))?;
        let mut x = backend.dense(&self.patches, &windows)?;
        backend.add_positions(&self.positions, 0, &mut x)?;
        let mut memory = self.encoder.memory(backend, self.grid.side.pow(2), false)?;
        self.encoder.forward(backend, &mut x, &mut memory, 0)?;
        let x = backend.norm(self.encoder.post_norm(), &x)?;
        let shuffled = backend.gather(&x, &self.grid.shuffled(), self.grid.scale.pow(2))?;
        backend.dense(&self.projector, &shuffled)
    }
}

impl Grid {
    fn read(keys: &Keys<'_>) -> Result<Self> {
        let (image, patch) = (keys.positive("image_size")?, keys.positive("patch_size")?);
        let scale = keys.optional_positive("projector.scale_factor")?.unwrap_or(1);
        if image / patch > MAX_SIDE {
            let detail = format!("found {image}, expected at most {MAX_SIDE} patches of {patch} pixels");
            return Err(Error::new(ErrorKind::Unsupported, keys.name("image_size"), detail));
        }
        if !image.is_multiple_of(patch) || !(image / patch).is_multiple_of(scale) {
            let expected = format!("a multiple of {scale} patches of {patch} pixels");
            return Err(Error::malformed(keys.name("image_size"), image, expected));
        }
        Ok(Self { patch, side: image / patch, scale })
    }

    /// `[3][side][side]` pixels, cut into patches: `[patches][3 * patch * patch]`.
    fn windows(&self, pixels: &[f32]) -> Vec<f32> {
        let Self { patch, side, .. } = *self;
        let row = side * patch;
        let mut windows = Vec::with_capacity(pixels.len());
        for (top, left) in (0..side).flat_map(|y| (0..side).map(move |x| (y * patch, x * patch))) {
            for channel in pixels.chunks_exact(row * row) {
                for y in top..top + patch {
                    windows.extend_from_slice(&channel[y * row + left..][..patch]);
                }
            }
        }
        windows
    }

    /// The patches of each token, row by row of its square.
    fn shuffled(&self) -> Vec<Option<usize>> {
        let Self { side, scale, .. } = *self;
        let squares = (0..side / scale).flat_map(|y| (0..side / scale).map(move |x| (y * scale, x * scale)));
        let square = |(top, left): (usize, usize)| {
            (0..scale).flat_map(move |y| (0..scale).map(move |x| Some((top + y) * side + left + x)))
        };
        squares.flat_map(square).collect()
    }
}

fn activation(keys: &Keys<'_>) -> Result<Activation> {
    let says = |key: &str| Ok::<_, Error>(keys.metadata().get(key)?.unwrap_or(false));
    Ok(match (says("clip.use_gelu")?, says("clip.use_silu")?) {
        (true, _) => Activation::GeluTanh,
        (_, true) => Activation::Silu,
        _ => Activation::GeluQuick,
    })
}

/// A convolution whose windows do not overlap is a projection of each.
fn patches<B: Backend>(loader: &Loader<'_, B>, grid: &Grid, width: usize) -> Result<Dense<B::Weights>> {
    let Grid { patch, .. } = *grid;
    let weight = loader.matrix("v.patch_embd.weight", &[patch, patch, 3, width])?;
    let linear = Linear {
        weight: loader.backend.load(weight.with_columns(3 * patch * patch)?)?,
        bias: loader.optional_tensor("v.patch_embd.bias", &[width])?,
    };
    Ok(Dense { norm: None, linear, activation: None })
}
