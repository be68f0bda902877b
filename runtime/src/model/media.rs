//! Pictures and sounds as parts of a message.

use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use super::audio::{Block, Clip};
use super::vision::Picture;

/// What a picture or a sound holds, in 128 bits (XXH3): what is the same has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentId(u128);

impl ContentId {
    fn of(shape: &[usize], bytes: impl Iterator<Item = impl AsRef<[u8]>>) -> Self {
        let mut hash = Xxh3::new();
        shape.iter().for_each(|size| hash.update(&size.to_le_bytes()));
        bytes.for_each(|bytes| hash.update(bytes.as_ref()));
        Self(hash.digest128())
    }

    fn of_samples(samples: &[f32]) -> Self {
        Self::of(&[samples.len()], samples.iter().map(|sample| sample.to_le_bytes()))
    }

    /// What is the same in all clips that begin with `samples`. It is no picture's and no whole sound's: those are no
    /// parts, and no other part is without numbers.
    pub(crate) fn of_beginning(samples: &[f32]) -> Self {
        Self::of_samples(samples).part(&[])
    }

    /// The part that `numbers` single out.
    pub(crate) fn part(self, numbers: &[usize]) -> Self {
        Self::of(numbers, std::iter::once(self.0.to_le_bytes()))
    }
}

/// How a chat writes a picture or a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// What templates write for it, and its rows take the place of.
    pub token: &'static str,
    /// What is written where a template knows only text: the token, and what frames it.
    pub framed: &'static str,
}

/// How closely a picture is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Detail {
    /// Once, as a whole: one pass of the vision tower.
    #[default]
    Overview,
    /// In tiles, and once as a whole: as many passes as the picture has tiles, and one.
    Tiles,
}

/// A picture that is shown to a model. Clones share it.
#[derive(Clone, Debug)]
pub struct Image {
    picture: Arc<Picture>,
    id: ContentId,
    detail: Detail,
}

impl Image {
    /// A picture to be looked at as a whole.
    pub fn new(picture: Picture) -> Self {
        let id = ContentId::of(&[picture.width(), picture.height()], std::iter::once(picture.rgb()));
        Self { picture: Arc::new(picture), id, detail: Detail::Overview }
    }

    /// The same picture, looked at otherwise.
    #[must_use]
    pub fn with_detail(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// The picture.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// How closely it is looked at.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// What it holds. The same picture in other detail has the same.
    pub fn id(&self) -> ContentId {
        self.id
    }
}

impl PartialEq for Image {
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.detail) == (other.id, other.detail)
    }
}

impl Eq for Image {}

/// A sound that is played to a model. Clones share it.
#[derive(Clone, Debug)]
pub struct Sound {
    clip: Arc<Clip>,
    id: ContentId,
}

impl Sound {
    /// A sound to be heard whole.
    pub fn new(clip: Clip) -> Self {
        Self { id: ContentId::of_samples(clip.samples()), clip: Arc::new(clip) }
    }

    /// What one of the blocks it is heard in holds.
    pub(crate) fn block(&self, block: Block) -> ContentId {
        match block.samples {
            Some(samples) => ContentId::of_beginning(&self.clip.samples()[..samples]),
            None => self.id,
        }
    }

    /// The clip.
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// What it holds.
    pub fn id(&self) -> ContentId {
        self.id
    }
}

impl PartialEq for Sound {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Sound {}
