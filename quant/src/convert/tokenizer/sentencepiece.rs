//! Vocabularies of SentencePiece, from `tokenizer.model` or from a `tokenizer.json` made of one.

use std::io;
use std::path::Path;

use super::super::json::{JsonFile, Node};
use super::{Files, TokenType, Vocabulary, added_tokens, classify_added, named_specials};
use crate::error::{Error, ErrorKind, Result};

/// The score of tokens that come from elsewhere than the SentencePiece model.
const NO_SCORE: f32 = -1000.0;
/// The score of unused tokens.
const UNUSED_SCORE: f32 = -10_000.0;

/// The vocabulary of `dir` when it is one of SentencePiece, else `None`.
pub(super) fn read(dir: &Path, files: &Files<'_>, size: usize) -> Result<Option<Vocabulary>> {
    let path = dir.join("tokenizer.model");
    match std::fs::read(&path) {
        Ok(bytes) => {
            let pieces = read_pieces(&bytes).map_err(|e| e.in_file(&path))?;
            return from_pieces(pieces, dir, files, size).map(Some);
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(Error::io("read", e).in_file(&path)),
    }
    match &files.tokenizer {
        Some(tokenizer) if has_byte_fallback(tokenizer)? => from_json(tokenizer, files).map(Some),
        _ => Ok(None),
    }
}

fn has_byte_fallback(tokenizer: &Node<'_>) -> Result<bool> {
    let model = tokenizer.require("model")?;
    let decoder = tokenizer.get("decoder")?.map(|decoder| decoder.opt("type")).transpose()?.flatten();
    Ok(model.opt("type")? == Some("BPE")
        && model.opt("byte_fallback")? == Some(true)
        && decoder == Some("Sequence"))
}

/// Base tokens by id, then the added ones, whatever size the model's table has.
fn from_json(tokenizer: &Node<'_>, files: &Files<'_>) -> Result<Vocabulary> {
    let named = named_specials(files)?;
    let vocab = tokenizer.require("model")?.require("vocab")?;
    let mut tokens =
        vocab.entries()?.map(|(token, id)| Ok((id.to()?, token))).collect::<Result<Vec<(usize, _)>>>()?;
    let base = tokens.len();
    let added = added_tokens(tokenizer)?;
    tokens.extend(added.iter().filter(|token| token.id >= base).map(|token| (token.id, token.content)));
    tokens.sort_unstable();
    if let Some((place, _)) = tokens.iter().enumerate().find(|(place, (id, _))| place != id) {
        return Err(vocab.error(&format!("one token with id {place}, and none twice")));
    }

    let mut vocabulary = Vocabulary::unused(tokens.len(), NO_SCORE);
    for (id, token) in tokens {
        let ty = match token {
            byte if id < base && is_byte(byte) => TokenType::Byte,
            special if named.contains(special) => TokenType::Control,
            _ if id < base => TokenType::Normal,
            _ => TokenType::UserDefined,
        };
        vocabulary.set(id, token.to_owned(), NO_SCORE, ty);
    }
    Ok(vocabulary)
}

/// `<0x1F>`.
fn is_byte(token: &str) -> bool {
    let digits = token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    digits.is_some_and(|digits| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The pieces of the model, with the tokens that the files beside it add, filled up to `size`.
fn from_pieces(pieces: Vec<Piece>, dir: &Path, files: &Files<'_>, size: usize) -> Result<Vocabulary> {
    let mut vocabulary = Vocabulary::unused(size, UNUSED_SCORE);
    for (id, piece) in pieces.into_iter().enumerate().take(size) {
        vocabulary.set(id, piece.text, piece.score, piece.ty);
    }
    if let Some(added) = JsonFile::read_if_there(dir, "added_tokens.json")? {
        for (token, id) in added.root().entries()? {
            let id: usize = id.to()?;
            if id < size {
                vocabulary.set(id, token.to_owned(), NO_SCORE, TokenType::UserDefined);
            }
        }
    }
    if let Some(settings) = &files.settings
        && let Some(added) = settings.get("added_tokens_decoder")?
    {
        for (id, token) in added.entries()? {
            let id: usize = id.parse().map_err(|_| token.error("a token whose key is its id"))?;
            let (ty, text) = classify_added(token.need("content")?, token.opt("special")?.unwrap_or(false));
            if id < size {
                vocabulary.set(id, text, NO_SCORE, ty);
            }
        }
    }
    Ok(vocabulary)
}

/// A `SentencePiece` message.
struct Piece {
    text: String,
    score: f32,
    ty: TokenType,
}

/// Reads the pieces, field 1, of a `ModelProto`. Source: `sentencepiece_model.proto`.
fn read_pieces(bytes: &[u8]) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut message = Message(bytes);
    while let Some((field, value)) = message.next()? {
        if let (1, Field::Bytes(piece)) = (field, value) {
            pieces.push(read_piece(piece, pieces.len())?);
        }
    }
    Ok(pieces)
}

fn read_piece(bytes: &[u8], index: usize) -> Result<Piece> {
    let mut piece = Piece { text: String::new(), score: 0.0, ty: TokenType::Normal };
    let mut message = Message(bytes);
    while let Some((field, value)) = message.next()? {
        match (field, value) {
            (1, Field::Bytes(text)) => {
                let text = std::str::from_utf8(text);
                piece.text = text
                    .map_err(|e| Error::malformed(format!("pieces[{index}].piece"), e, "UTF-8"))?
                    .to_owned();
            }
            (2, Field::Fixed32(bits)) => piece.score = f32::from_bits(bits),
            // Llama.cpp takes user-defined pieces for normal ones.
            (3, Field::Varint(ty)) => {
                piece.ty = match ty {
                    2 => TokenType::Unknown,
                    3 => TokenType::Control,
                    5 => TokenType::Unused,
                    6 => TokenType::Byte,
                    _ => TokenType::Normal,
                }
            }
            _ => {}
        }
    }
    Ok(piece)
}

/// The rest of a protocol buffers message.
struct Message<'a>(&'a [u8]);

enum Field<'a> {
    Varint(u64),
    Fixed32(u32),
    Fixed64,
    Bytes(&'a [u8]),
}

impl<'a> Message<'a> {
    /// The next field with its number, `None` at the end.
    fn next(&mut self) -> Result<Option<(u64, Field<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Field::Fixed64
            }
            2 => {
                let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Field::Bytes(self.take(len)?)
            }
            5 => {
                Field::Fixed32(self.take(4)?.iter().rev().fold(0, |bits, &byte| bits << 8 | u32::from(byte)))
            }
            wire => return Err(Error::malformed("pieces", format!("wire type {wire}"), "0, 1, 2 or 5")),
        };
        Ok(Some((tag >> 3, field)))
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::malformed("pieces", "a number of more than 64 bits", "a varint"))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(|| {
            let detail = format!("{len} bytes expected, {} left", self.0.len());
            Error::new(ErrorKind::Truncated, "pieces", detail)
        })?;
        self.0 = rest;
        Ok(taken)
    }
}
