//! The rows of a prompt's pictures and sounds: kept from before, or made by the towers.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::LanguageModel;
use super::answer::{Answer, Event, Listener, finished};
use super::embeddings::{Embedding, Embeddings};
use super::prompt::{Content, Contents, Slot};
use crate::backend::Backend;
use crate::model::audio::AudioTower;
use crate::model::media::{ContentId, Image, Sound};
use crate::model::vision::Pixels;
use crate::{Error, ErrorKind, Result};

/// The rows of contents.
pub(super) type Rows<B> = HashMap<ContentId, Arc<<B as Backend>::Rows>>;

/// What several contents that follow each other come from: tiles of one picture, blocks of one sound.
struct Made<B: Backend> {
    pixels: Option<(Image, Pixels)>,
    blocks: Option<(Sound, Vec<Arc<B::Rows>>)>,
}

impl<B: Backend> Default for Made<B> {
    fn default() -> Self {
        Self { pixels: None, blocks: None }
    }
}

impl<B: Backend> LanguageModel<B> {
    /// The rows that `slots` ask for; `None` when `on` broke it off.
    pub(super) fn rows_of(
        &self,
        slots: &[Slot],
        contents: &Contents,
        answer: &mut Answer,
        on: &mut Listener<'_>,
    ) -> Result<Option<Rows<B>>> {
        let mut rows = Rows::<B>::new();
        let mut missing = Vec::new();
        for id in content_ids(slots) {
            match self.kept().get(id) {
                Some(kept) => drop(rows.insert(id, kept)),
                None => missing.push(id),
            }
        }
        let total = missing.len();
        let mut made = Made::default();
        for (done, id) in missing.into_iter().enumerate() {
            self.decoder.backend().start()?;
            let made = self.encode(contents.get(&id), &mut made, answer)?;
            if !finished(self.decoder.backend(), on)? {
                return Ok(None);
            }
            rows.insert(id, Arc::clone(&made.rows));
            self.kept().insert(id, made);
            if on(Event::Encoded { done: done + 1, total }).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(rows))
    }

    fn encode(
        &self,
        content: Option<&Content>,
        made: &mut Made<B>,
        answer: &mut Answer,
    ) -> Result<Embedding<B::Rows>> {
        match content {
            Some(Content::Tile(image, number)) => self.encode_tile(image, *number, made, answer),
            Some(Content::Block(sound, number)) => self.encode_block(sound, *number, made, answer),
            None => Err(gone()),
        }
    }

    fn encode_tile(
        &self,
        image: &Image,
        number: usize,
        made: &mut Made<B>,
        answer: &mut Answer,
    ) -> Result<Embedding<B::Rows>> {
        let tower = self.vision.as_ref().ok_or_else(gone)?;
        let pixels = match made.pixels.take().filter(|(last, _)| last == image) {
            Some(same) => made.pixels.insert(same),
            None => made.pixels.insert((image.clone(), tower.preprocessor().pixels(image))),
        };
        answer.vision_passes += 1;
        let tile = pixels.1.tiles.get(number).ok_or_else(gone)?;
        Ok(Embedding { rows: Arc::new(tower.encode(tile)?), count: tower.tokens() })
    }

    /// A block needs those before it, so that all are encoded.
    fn encode_block(
        &self,
        sound: &Sound,
        number: usize,
        made: &mut Made<B>,
        answer: &mut Answer,
    ) -> Result<Embedding<B::Rows>> {
        let tower = self.audio.as_ref().ok_or_else(gone)?;
        let blocks = match made.blocks.take().filter(|(last, _)| last == sound) {
            Some(same) => made.blocks.insert(same),
            None => {
                let blocks = self.whole_blocks(tower, sound)?;
                answer.audio_passes += blocks.len();
                made.blocks.insert((sound.clone(), blocks))
            }
        };
        let count = tower.blocks(sound.clip().samples().len()).nth(number).ok_or_else(gone)?.tokens;
        Ok(Embedding { rows: Arc::clone(blocks.1.get(number).ok_or_else(gone)?), count })
    }

    /// The rows of each block; of a tower without blocks all rows together.
    fn whole_blocks(&self, tower: &AudioTower<B>, sound: &Sound) -> Result<Vec<Arc<B::Rows>>> {
        let blocks = tower.encode_blocks(sound.clip())?;
        if tower.has_blocks() {
            return Ok(blocks.into_iter().map(Arc::new).collect());
        }
        Ok(vec![Arc::new(tower.joined(&blocks)?)])
    }

    /// Keeps the rows of a block that was encoded elsewhere.
    pub(super) fn keep(&self, id: ContentId, rows: B::Rows, count: usize) {
        self.kept().insert(id, Embedding { rows: Arc::new(rows), count });
    }

    fn kept(&self) -> MutexGuard<'_, Embeddings<B::Rows>> {
        // What is kept is whole at any time.
        self.embeddings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The contents in `slots`, in order, each once.
fn content_ids(slots: &[Slot]) -> Vec<ContentId> {
    let mut ids: Vec<ContentId> = Vec::new();
    for slot in slots {
        if let Slot::Row { content, .. } = slot
            && !ids.contains(content)
        {
            ids.push(*content);
        }
    }
    ids
}

fn gone() -> Error {
    Error::new(ErrorKind::Argument, "prompt", "it has a picture or a sound that the model has not")
}
