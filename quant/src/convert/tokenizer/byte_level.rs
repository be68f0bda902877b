//! Byte-level BPE, as GPT-2 has it: tokens are written in an alphabet of 256 printable characters.

use super::super::json::Node;
use super::{Files, TokenType, Vocabulary, added_tokens, classify_added, named_specials};
use crate::error::Result;
use crate::gguf::Strings;

/// The tokens of `tokenizer.json`, filled up to `size` with unused ones.
pub(super) fn vocabulary(tokenizer: &Node<'_>, files: &Files<'_>, size: usize) -> Result<Vocabulary> {
    let model = tokenizer.require("model")?;
    if model.opt("type")?.unwrap_or("BPE") != "BPE" {
        return Err(model.require("type")?.unsupported("BPE"));
    }
    let range = format!("an id below vocab_size, which is {size}");
    let mut vocabulary = Vocabulary::unused(size, 0.0);
    let named = named_specials(files)?;
    for (token, id) in model.require("vocab")?.entries()? {
        let place: usize = id.to()?;
        if place >= size {
            return Err(id.error(&range));
        }
        let ty = if named.contains(token) { TokenType::Control } else { TokenType::Normal };
        vocabulary.set(place, token.to_owned(), 0.0, ty);
    }
    for token in added_tokens(tokenizer)? {
        if token.id >= size {
            return Err(tokenizer
                .require("added_tokens")?
                .error(&format!("{range} (token {:?})", token.content)));
        }
        let (ty, text) = classify_added(token.content, token.special);
        vocabulary.set(token.id, text, 0.0, ty);
    }
    Ok(vocabulary)
}

/// The merges, best first, each as two tokens with a space between.
pub(super) fn merges(tokenizer: &Node<'_>) -> Result<Strings> {
    let list = tokenizer.require("model")?.require("merges")?;
    let mut merges = Strings::default();
    for merge in list.items()? {
        match merge.try_to::<&str>() {
            Some(text) => merges.push(text),
            None => merges.push(&pair(&merge)?),
        }
    }
    if merges.is_empty() {
        return Err(list.error("one merge at least"));
    }
    Ok(merges)
}

/// The two tokens of a merge written as an array, with a space inside a token written as byte-level BPE writes it.
fn pair(merge: &Node<'_>) -> Result<String> {
    let parts = merge.items()?.map(|part| part.to()).collect::<Result<Vec<&str>>>()?;
    match parts[..] {
        [left, right] => Ok(format!("{} {}", left.replace(' ', "Ġ"), right.replace(' ', "Ġ"))),
        _ => Err(merge.error("two tokens")),
    }
}
