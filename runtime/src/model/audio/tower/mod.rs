//! Sound to rows that a language model reads as tokens: the encoder of Whisper (Radford et al. 2022) and the projectors
//! of Ultravox, Qwen2-Audio and Voxtral.
//!
//! # How long a clip may be
//! A clip is encoded in proportion to its length, never padded to 30 s. There are positions for 30 s; a longer clip is
//! cut into pieces of that length, each encoded by itself. The last token of a piece may stand for less sound than the
//! others: zeros fill up what is stacked. Qwen2-Audio drops a last row that has no other to make a mean with; here it is
//! kept if it is all there is, so that a clip of one frame (10 ms) becomes one token.
//!
//! # Blocks
//! A tower that was trained so (`clip.audio.attention.block_frames`) works in blocks. Each row sees its own block and
//! those before it, no window of a convolution reaches beyond the end of its block, and the spectrogram's peak is that
//! of the blocks so far ([`Peak::OfBlocksSoFar`](super::Peak::OfBlocksSoFar)). What a block becomes is then final, and
//! an [`AudioStream`] gives it while the wearer still speaks. A piece is as many whole blocks as there are positions
//! for. Other towers see the whole piece; [`AudioTower::with_blocks`] makes one work in blocks all the same.

mod block;
mod conv;
mod cut;
mod projector;
mod stream;

use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;

pub(crate) use self::block::Block;
use self::conv::Convolutions;
use self::cut::{Cut, STRIDE};
use self::projector::Projector;
pub use self::stream::AudioStream;
use super::{Clip, HOP, LogMelStream, log_mel};
use crate::backend::{Activation, Backend};
use crate::model::encoder::{Encoder, EncoderConfig, Memory};
use crate::model::keys::Keys;
use crate::model::loader::{Loader, located};
use crate::model::media::Placeholder;
use crate::{Error, ErrorKind, Result};

/// The table of positions, `[positions][width]`.
const POSITIONS: &str = "a.position_embd.weight";

/// The most positions of a tower: those of Whisper, 30 s.
const MAX_POSITIONS: usize = 1500;

/// An audio tower and its projector, loaded into a backend.
pub struct AudioTower<B: Backend> {
    backend: B,
    bins: usize,
    cut: Cut,
    convolutions: Convolutions<B::Weights>,
    table: B::Weights,
    positions: usize,
    encoder: Encoder<B::Weights>,
    projector: Projector<B::Weights>,
    width: usize,
}

/// What a block needs of those before it in its piece.
struct Context<B: Backend> {
    memory: Memory<B>,
    positions: usize,
    frames: Vec<f32>,
}

impl<B: Backend> AudioTower<B> {
    /// Loads the audio half of the mmproj in `model`; `None` when it has none.
    ///
    /// # Errors
    /// A projector other than `ultravox`, `qwen2a` and `voxtral` (the error says what is known), a key or tensor that
    /// is missing or has another type or shape than the others ask for, blocks that are not whole tokens.
    pub fn load(backend: B, model: &Arc<Gguf>) -> Result<Option<Self>> {
        let has = model.metadata().get("clip.has_audio_encoder")?.unwrap_or(false);
        has.then(|| Self::read(backend, model)).transpose().map_err(|e| located(e, model))
    }

    fn read(backend: B, model: &Arc<Gguf>) -> Result<Self> {
        let keys = Keys::new(model.metadata(), "clip.audio");
        let config = EncoderConfig::read(&keys)?;
        let loader = Loader { backend: &backend, model };
        let (bins, width) = (mel_bins(&keys)?, keys.positive("projection_dim")?);
        let positions = positions(&loader)?;
        let projector = Projector::load(&loader, &keys, config.width, width)?;
        Ok(Self {
            bins,
            cut: cut(&keys, projector.frames_of_token(), positions)?,
            convolutions: Convolutions::load(&loader, bins, config.width)?,
            table: loader.tensor(POSITIONS, &[config.width, positions])?,
            positions,
            encoder: Encoder::load(&loader, "a", config, Activation::GeluErf)?,
            projector,
            width,
            backend,
        })
    }

    /// The same tower working in blocks of `frames` of 10 ms. For one that was trained to see all of a clip this is an
    /// approximation; `runtime/examples/audio.rs` measures how far it is off.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when a block does not hold whole tokens, or more than there are positions for.
    pub fn with_blocks(mut self, frames: usize) -> Result<Self> {
        self.cut = Cut::blocks(frames, self.frames_of_token(), self.positions).map_err(|expected| {
            Error::new(ErrorKind::Argument, "block", format!("found {frames} frames, expected {expected}"))
        })?;
        Ok(self)
    }

    /// Where it is computed.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// What stands for a sound in the text of a template.
    pub fn placeholder(&self) -> Placeholder {
        self.projector.placeholder()
    }

    /// Tokens that a clip of so many samples becomes.
    pub fn tokens(&self, samples: usize) -> usize {
        let tokens = |frames: usize| self.projector.tokens(frames.div_ceil(STRIDE));
        let frames = samples / HOP;
        frames / self.cut.block * tokens(self.cut.block) + tokens(frames % self.cut.block)
    }

    /// Frames of 10 ms that a token stands for: blocks are multiples of it.
    pub fn frames_of_token(&self) -> usize {
        self.projector.frames_of_token()
    }

    /// Elements of a row: the width of the language model it was made for.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A whole clip: `[tokens][width]`.
    ///
    /// # Errors
    /// What the backend says.
    pub fn encode(&self, clip: &Clip) -> Result<B::Rows> {
        self.joined(&self.encode_blocks(clip)?)
    }

    /// As [`encode`](Self::encode), the rows of each block by themselves.
    pub(crate) fn encode_blocks(&self, clip: &Clip) -> Result<Vec<B::Rows>> {
        let mel = log_mel(clip, self.bins, self.cut.peak)?;
        let positions = mel.frames().div_ceil(STRIDE).min(self.cut.positions());
        self.encode_frames(&mut self.context(positions)?, &mel.values)
    }

    /// A stream at the start of a clip.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when its keys and values do not fit in memory.
    pub fn stream(self: &Arc<Self>) -> Result<AudioStream<B>> {
        AudioStream::new(Arc::clone(self))
    }

    fn context(&self, positions: usize) -> Result<Context<B>> {
        let memory = self.encoder.memory(&self.backend, positions, self.cut.has_memory())?;
        Ok(Context { memory, positions: 0, frames: Vec::new() })
    }

    /// The tokens of each block of `frames`. All but a clip's last block are full.
    fn encode_frames(&self, context: &mut Context<B>, frames: &[f32]) -> Result<Vec<B::Rows>> {
        frames.chunks(self.cut.block * self.bins).map(|block| self.encode_block(context, block)).collect()
    }

    fn encode_block(&self, context: &mut Context<B>, frames: &[f32]) -> Result<B::Rows> {
        let Self { backend, encoder, .. } = self;
        let count = (frames.len() / self.bins).div_ceil(STRIDE);
        let mut x = self.convolutions.forward(backend, &context.frames, frames)?;
        backend.add_positions(&self.table, context.positions, &mut x)?;
        encoder.forward(backend, &mut x, &mut context.memory, context.positions)?;
        context.positions += count;
        context.frames = self.convolutions.tail(frames).to_vec();
        if context.positions == self.cut.positions() {
            context.reset();
        }
        self.projector.forward(backend, encoder.post_norm(), &x, count)
    }

    pub(crate) fn joined(&self, blocks: &[B::Rows]) -> Result<B::Rows> {
        self.backend.concat(&blocks.iter().collect::<Vec<_>>())
    }
}

impl<B: Backend> Context<B> {
    /// What has to be put back to encode other frames than those that come next.
    fn mark(&self) -> (usize, Vec<f32>) {
        (self.positions, self.frames.clone())
    }

    /// Keys and values behind a mark are written over.
    fn go_back(&mut self, (positions, frames): (usize, Vec<f32>)) {
        (self.positions, self.frames) = (positions, frames);
    }

    /// At the start of a piece.
    fn reset(&mut self) {
        self.positions = 0;
        self.frames.clear();
    }
}

fn mel_bins(keys: &Keys<'_>) -> Result<usize> {
    let bins = keys.positive("num_mel_bins")?;
    if bins <= LogMelStream::MAX_BINS {
        return Ok(bins);
    }
    let detail = format!("found {bins}, expected at most {}", LogMelStream::MAX_BINS);
    Err(Error::new(ErrorKind::Unsupported, keys.name("num_mel_bins"), detail))
}

fn positions<B: Backend>(loader: &Loader<'_, B>) -> Result<usize> {
    let positions = loader.rows(POSITIONS)?;
    if positions <= MAX_POSITIONS {
        return Ok(positions);
    }
    let detail = format!("found {positions} rows, expected at most {MAX_POSITIONS} (30 s)");
    Err(Error::new(ErrorKind::Unsupported, format!("tensor {POSITIONS:?} shape"), detail))
}

fn cut(keys: &Keys<'_>, token: usize, positions: usize) -> Result<Cut> {
    const KEY: &str = "attention.block_frames";
    let Some(frames) = keys.get(KEY)? else { return Ok(Cut::full(positions)) };
    Cut::blocks(frames, token, positions)
        .map_err(|expected| Error::malformed(keys.name(KEY), frames, expected))
}
