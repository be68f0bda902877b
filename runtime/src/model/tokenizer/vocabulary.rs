//! The tokens of a model: their texts, their types and the bytes they stand for.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use lorgnette_quant::gguf::{Metadata, Strings};
use lorgnette_quant::{Error, ErrorKind, Result};

use super::byte_level;
use crate::TokenId;

const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";

/// The kinds of tokens, with llama.cpp's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Text.
    Normal,
    /// Stands for what no other token does.
    Unknown,
    /// Steers the model; its text is only a name.
    Control,
    /// Text that is always one token, wherever it stands.
    UserDefined,
    /// A place in the table that the model was not trained on.
    Unused,
    /// One byte.
    Byte,
}

impl TokenType {
    fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            // Llama.cpp knows an undefined type, 0, and treats it as text.
            0 | 1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }
}

/// How the text of a normal token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// A character for each byte.
    ByteLevel,
    /// A space as U+2581.
    SentencePiece,
}

/// Texts and types by id, and ids by text.
pub(super) struct Vocabulary {
    texts: Strings,
    types: Vec<TokenType>,
    ids: HashMap<Box<str>, TokenId, RandomState>,
    spelling: Spelling,
}

impl Vocabulary {
    /// Reads tokens and types.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when the arrays differ in length, a type is none or a text stands twice.
    pub(super) fn from_metadata(metadata: &Metadata, spelling: Spelling) -> Result<Self> {
        let texts: &Strings = metadata.require(TOKENS)?;
        if texts.is_empty() || TokenId::try_from(texts.len()).is_err() {
            return Err(Error::malformed(TOKENS, format!("{} tokens", texts.len()), "1 to 4294967295"));
        }
        let types = read_types(metadata, texts.len())?;
        let mut ids = HashMap::with_capacity_and_hasher(texts.len(), RandomState::default());
        for (id, text) in (0..).zip(texts.iter()).filter(|(_, text)| !text.is_empty()) {
            if let Some(first) = ids.insert(text.into(), id) {
                let found = format!("{text:?} twice, as {first} and as {id}");
                return Err(Error::malformed(TOKENS, found, "each token once"));
            }
        }
        Ok(Self { texts: texts.clone(), types, ids, spelling })
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.types.len()
    }

    /// The text of `id` as the file writes it.
    pub(super) fn text(&self, id: TokenId) -> Option<&str> {
        self.texts.get(id as usize)
    }

    pub(super) fn token_type(&self, id: TokenId) -> Option<TokenType> {
        self.types.get(id as usize).copied()
    }

    pub(super) fn set_type(&mut self, id: TokenId, ty: TokenType) {
        if let Some(place) = self.types.get_mut(id as usize) {
            *place = ty;
        }
    }

    pub(super) fn id_of(&self, text: &str) -> Option<TokenId> {
        self.ids.get(text).copied()
    }

    /// The id of `text` when it is a token of type `ty`.
    pub(super) fn id_of_type(&self, text: &str, ty: TokenType) -> Option<TokenId> {
        self.id_of(text).filter(|&id| self.token_type(id) == Some(ty))
    }

    /// Ids with their texts and types.
    pub(super) fn iter(&self) -> impl Iterator<Item = (TokenId, &str, TokenType)> {
        (0..).zip(self.texts.iter()).zip(&self.types).map(|((id, text), ty)| (id, text, *ty))
    }

    /// Appends the bytes that `id` stands for in an answer: none for tokens that are not text.
    pub(super) fn push_bytes(&self, id: TokenId, bytes: &mut Vec<u8>) {
        let (Some(text), Some(ty)) = (self.text(id), self.token_type(id)) else { return };
        match (ty, self.spelling) {
            (TokenType::Unknown | TokenType::Control | TokenType::Unused, _) => {}
            (TokenType::UserDefined, _) => bytes.extend(text.as_bytes()),
            (TokenType::Byte, _) => bytes.extend(byte_of(text)),
            (TokenType::Normal, Spelling::ByteLevel) => byte_level::push_bytes(text, bytes),
            (TokenType::Normal, Spelling::SentencePiece) => bytes.extend(text.replace('▁', " ").as_bytes()),
        }
    }

    /// Whether the text that `id` stands for in an answer starts with a space.
    pub(super) fn starts_with_space(&self, id: TokenId) -> bool {
        self.token_type(id) == Some(TokenType::Normal)
            && self.text(id).is_some_and(|text| text.starts_with('▁'))
            && self.spelling == Spelling::SentencePiece
    }
}

fn read_types(metadata: &Metadata, len: usize) -> Result<Vec<TokenType>> {
    let Some(numbers) = metadata.get::<&[i32]>(TYPES)? else { return Ok(vec![TokenType::Normal; len]) };
    check_len(TYPES, numbers.len(), len)?;
    let types = numbers.iter().enumerate().map(|(id, &number)| {
        TokenType::from_number(number)
            .ok_or_else(|| Error::malformed(TYPES, format!("type {number} for token {id}"), "0 to 6"))
    });
    types.collect()
}

/// That the array of `key` has as many elements as there are tokens.
pub(super) fn check_len(key: &str, found: usize, tokens: usize) -> Result<()> {
    if found == tokens {
        return Ok(());
    }
    let detail = format!("found {found} elements, expected one for each of {tokens} tokens");
    Err(Error::new(ErrorKind::Malformed, key, detail))
}

/// The byte of `<0x1F>`.
pub(super) fn byte_of(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let two = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    two.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}
