//! A language model with all that it reads, sees and hears with.

use std::sync::{Arc, Mutex, PoisonError};

use lorgnette_quant::gguf::Gguf;

use super::constraint::{Constraint, Guide, LazyCompiler};
use super::embeddings::Embeddings;
use super::prefixes::Prefixes;
use crate::backend::Backend;
use crate::model::audio::AudioTower;
use crate::model::chat_template::ChatTemplate;
use crate::model::decoder::Decoder;
use crate::model::loader::located;
use crate::model::tokenizer::Tokenizer;
use crate::model::vision::VisionTower;
use crate::{Error, Result};

/// Rows of pictures and sounds that are kept: some hundred pictures of 64 rows. In bytes, four times the width of the
/// model as much.
const KEPT_ROWS: usize = 8192;

/// Positions whose keys and values are kept after a conversation went another way: some twenty questions about a
/// picture, or one about a picture in tiles. [`Decoder::kv_bytes`] says how much that is.
const KEPT_POSITIONS: usize = 2048;

/// A language model with its tokenizer, the way it writes a chat, and the towers it sees and hears with. Conversations
/// share it.
pub struct LanguageModel<B: Backend> {
    pub(super) decoder: Decoder<B>,
    pub(super) tokenizer: Tokenizer,
    pub(super) template: Option<ChatTemplate>,
    pub(super) vision: Option<VisionTower<B>>,
    pub(super) audio: Option<Arc<AudioTower<B>>>,
    pub(super) embeddings: Mutex<Embeddings<B::Rows>>,
    pub(super) prefixes: Mutex<Prefixes<B>>,
    constraints: LazyCompiler,
}

impl<B: Backend> LanguageModel<B> {
    /// Loads what is in `model`, a model that only reads.
    ///
    /// # Errors
    /// What [`Decoder::load`], [`Tokenizer::from_metadata`] and [`ChatTemplate::from_metadata`] say.
    pub fn load(backend: B, model: &Arc<Gguf>) -> Result<Self> {
        Ok(Self {
            decoder: Decoder::load(backend, model)?,
            tokenizer: Tokenizer::from_metadata(model.metadata()).map_err(|e| located(e, model))?,
            template: ChatTemplate::from_metadata(model.metadata()).map_err(|e| located(e, model))?,
            vision: None,
            audio: None,
            embeddings: Mutex::new(Embeddings::new(KEPT_ROWS)),
            prefixes: Mutex::new(Prefixes::new(KEPT_POSITIONS)),
            constraints: LazyCompiler::default(),
        })
    }

    /// The same model with the towers in `mmproj`.
    ///
    /// # Errors
    /// What [`VisionTower::load`] and [`AudioTower::load`] say; a file without towers; towers that were made for a model
    /// of another width.
    pub fn with_towers(mut self, mmproj: &Arc<Gguf>) -> Result<Self> {
        let backend = self.decoder.backend();
        self.vision = VisionTower::load(backend.clone(), mmproj)?;
        self.audio = AudioTower::load(backend.clone(), mmproj)?.map(Arc::new);
        self.check_towers().map_err(|e| located(e, mmproj))?;
        // What other towers made is of no use.
        self.embeddings = Mutex::new(Embeddings::new(KEPT_ROWS));
        self.prefixes = Mutex::new(Prefixes::new(KEPT_POSITIONS));
        Ok(self)
    }

    fn check_towers(&self) -> Result<()> {
        let vision = self.vision.as_ref().map(|tower| ("clip.vision.projection_dim", tower.width()));
        let audio = self.audio.as_ref().map(|tower| ("clip.audio.projection_dim", tower.width()));
        if vision.is_none() && audio.is_none() {
            let keys = "clip.has_vision_encoder or clip.has_audio_encoder";
            return Err(Error::missing(keys, "an mmproj with a tower"));
        }
        let width = self.decoder.config().width;
        match vision.into_iter().chain(audio).find(|(_, found)| *found != width) {
            Some((key, found)) => {
                Err(Error::malformed(key, found, format!("{width}, the width of the language model")))
            }
            None => Ok(()),
        }
    }

    /// From now on keeps no more than `most` rows of pictures and sounds that were shown before.
    pub fn keep_rows(&self, most: usize) {
        self.embeddings.lock().unwrap_or_else(PoisonError::into_inner).limit(most);
    }

    /// The network.
    pub fn decoder(&self) -> &Decoder<B> {
        &self.decoder
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// What holds one answer to `constraint`, if any.
    pub(super) fn guide(&self, constraint: Option<&Constraint>) -> Result<Guide> {
        let Some(constraint) = constraint else { return Ok(Guide::free()) };
        self.constraints.guide(constraint, &self.tokenizer, self.decoder.config().vocabulary)
    }

    /// What it sees with.
    pub fn vision(&self) -> Option<&VisionTower<B>> {
        self.vision.as_ref()
    }

    /// What it hears with.
    pub fn audio(&self) -> Option<&Arc<AudioTower<B>>> {
        self.audio.as_ref()
    }
}
