//! What is said, heard while it is said.

use std::sync::Arc;

use super::LanguageModel;
use crate::backend::Backend;
use crate::model::audio::{AudioStream, AudioTower, Clip};
use crate::model::media::{ContentId, Sound};
use crate::{Error, ErrorKind, Result};

/// A sound that grows. Where the audio tower works in blocks each is encoded when it is complete, and its rows are kept
/// with the model: a prompt with the sound so far finds them there.
pub struct Recording<B: Backend> {
    model: Arc<LanguageModel<B>>,
    tower: Arc<AudioTower<B>>,
    stream: AudioStream<B>,
    samples: Vec<f32>,
    /// Blocks that no later sample changes.
    complete: usize,
}

impl<B: Backend> Recording<B> {
    /// An empty recording for `model`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the model does not hear; as [`AudioTower::stream`].
    pub fn new(model: Arc<LanguageModel<B>>) -> Result<Self> {
        let tower = model.audio().cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "recording",
                "found no mmproj with an audio tower, expected one",
            )
        })?;
        Ok(Self { stream: tower.stream()?, tower, model, samples: Vec::new(), complete: 0 })
    }

    /// Takes the next samples, at [`SAMPLE_RATE`](crate::model::audio::SAMPLE_RATE), and encodes the blocks that they
    /// complete. Returns how many those are.
    ///
    /// # Errors
    /// As [`AudioStream::push`]; the samples are not taken.
    pub fn push(&mut self, samples: &[f32]) -> Result<usize> {
        let so_far = self.samples.len();
        self.samples.extend_from_slice(samples);
        if let Err(error) = self.take(so_far) {
            self.samples.truncate(so_far);
            return Err(error);
        }
        let before = self.complete;
        self.complete = self.tower.blocks(self.samples.len()).filter(|block| block.samples.is_some()).count();
        Ok(self.complete - before)
    }

    /// What was said up to the end of the last complete block; `None` before there is one.
    pub fn complete(&self) -> Option<Sound> {
        let last = self.tower.blocks(self.samples.len()).filter_map(|block| block.samples).last()?;
        Clip::new(self.samples[..last].to_vec()).ok().map(Sound::new)
    }

    /// All that was said, as if it ended here; `None` while it is shorter than a clip may be. What comes after the last
    /// complete block is encoded. The recording may go on.
    ///
    /// # Errors
    /// What the backend says.
    pub fn sound(&mut self) -> Result<Option<Sound>> {
        let Ok(clip) = Clip::new(self.samples.clone()) else { return Ok(None) };
        let sound = Sound::new(clip);
        let rest = self.tower.blocks(self.samples.len()).nth(self.complete);
        if let Some(rest) = rest.filter(|_| self.tower.has_blocks())
            && let Some(rows) = self.stream.rest()?
        {
            self.model.keep(sound.block(rest), rows, rest.tokens);
        }
        Ok(Some(sound))
    }

    /// Forgets what was said, for another recording.
    pub fn reset(&mut self) {
        self.samples.clear();
        self.stream.reset();
        self.complete = 0;
    }

    /// Samples so far.
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Passes of the audio tower, in all recordings.
    pub fn passes(&self) -> usize {
        self.stream.blocks()
    }

    /// Encodes what came after the first `so_far` samples.
    fn take(&mut self, so_far: usize) -> Result<()> {
        if !self.tower.has_blocks() {
            return Ok(());
        }
        let rows = self.stream.push_blocks(&self.samples[so_far..])?;
        let blocks = self.tower.blocks(self.samples.len()).skip(self.complete);
        let complete = blocks.filter_map(|block| Some((block, block.samples?)));
        for ((block, samples), rows) in complete.zip(rows) {
            self.model.keep(ContentId::of_beginning(&self.samples[..samples]), rows, block.tokens);
        }
        Ok(())
    }
}
