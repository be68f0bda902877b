//! The rows of a prompt's pictures and sounds: kept from before, or made by the towers.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::LanguageModel;
use super::answer::{Answer, Event, Listener};
use super::embeddings::{Embedding, Embeddings};
use super::prompt::{Content, Contents, Slot};
use crate::backend::Backend;
use crate::model::media::{ContentId, Image};
use crate::model::vision::Pixels;
use crate::{Error, ErrorKind, Result};

/// The rows of contents.
pub(super) type Rows<B> = HashMap<ContentId, Arc<<B as Backend>::Rows>>;

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
        let mut pixels = None;
        for (done, id) in missing.into_iter().enumerate() {
            let made = self.encode(contents.get(&id), &mut pixels, answer)?;
            rows.insert(id, Arc::clone(&made.rows));
            self.kept().insert(id, made);
            if on(Event::Encoded { done: done + 1, total }).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(rows))
    }

    /// `pixels` are those of the last picture: its tiles follow each other.
    fn encode(
        &self,
        content: Option<&Content>,
        pixels: &mut Option<(Image, Pixels)>,
        answer: &mut Answer,
    ) -> Result<Embedding<B::Rows>> {
        match content {
            Some(Content::Tile(image, number)) => {
                let tower = self.vision.as_ref().ok_or_else(gone)?;
                let pixels = match pixels.take().filter(|(last, _)| last == image) {
                    Some(same) => pixels.insert(same),
                    None => pixels.insert((image.clone(), tower.preprocessor().pixels(image))),
                };
                answer.vision_passes += 1;
                let tile = pixels.1.tiles.get(*number).ok_or_else(gone)?;
                Ok(Embedding { rows: Arc::new(tower.encode(tile)?), count: tower.tokens() })
            }
            Some(Content::Sound(sound)) => {
                let tower = self.audio.as_ref().ok_or_else(gone)?;
                answer.audio_passes += 1;
                let count = tower.tokens(sound.clip().samples().len());
                Ok(Embedding { rows: Arc::new(tower.encode(sound.clip())?), count })
            }
            None => Err(gone()),
        }
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
