//! What a model is asked: tokens, and between them the rows of pictures and sounds.

use std::collections::HashMap;

use crate::TokenId;
use crate::model::media::{ContentId, Image, Sound};

/// What stands at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// A token.
    Token(TokenId),
    /// A row of a tile or a sound.
    Row {
        /// What the rows are of.
        content: ContentId,
        /// Which of them, from 0.
        row: usize,
    },
}

/// What rows are made of.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// The tile of a picture with this number, in the order of its pixels.
    Tile(Image, usize),
    /// The block of a sound with this number.
    Block(Sound, usize),
}

/// A rendered chat.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    slots: Vec<Slot>,
    contents: Contents,
}

pub(super) type Contents = HashMap<ContentId, Content>;

impl Prompt {
    /// What stands at each position.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The tokens among them.
    pub fn tokens(&self) -> impl Iterator<Item = TokenId> + '_ {
        self.slots.iter().filter_map(Slot::token)
    }

    pub(super) fn into_parts(self) -> (Vec<Slot>, Contents) {
        (self.slots, self.contents)
    }

    pub(super) fn truncate(&mut self, slots: usize) {
        self.slots.truncate(slots);
    }

    pub(super) fn push_tokens(&mut self, tokens: impl IntoIterator<Item = TokenId>) {
        self.slots.extend(tokens.into_iter().map(Slot::Token));
    }

    pub(super) fn insert_first(&mut self, token: TokenId) {
        self.slots.insert(0, Slot::Token(token));
    }

    pub(super) fn push_content(&mut self, id: ContentId, content: Content, rows: usize) {
        self.slots.extend((0..rows).map(|row| Slot::Row { content: id, row }));
        self.contents.insert(id, content);
    }
}

impl Slot {
    /// The token, if it is one.
    pub fn token(&self) -> Option<TokenId> {
        match self {
            Self::Token(token) => Some(*token),
            Self::Row { .. } => None,
        }
    }
}
