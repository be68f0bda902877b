//! The special tokens by what they are for, as `tokenizer_config.json` names them and post-processors show them.

use super::{Files, token_text};
use crate::error::Result;

/// The special tokens that `tokenizer_config.json` names, as `bos_token` and so on.
pub(super) const TOKEN_KINDS: [&str; 7] = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

/// A token named in `tokenizer_config.json`.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) text: String,
    /// Given as text and not as an object; only such ones are found equal to a post-processor's.
    bare: bool,
}

/// The named tokens, with what a post-processor adds to them.
pub(super) struct Names(Vec<(&'static str, Named)>);

impl Names {
    /// The tokens of `tokenizer_config.json`, a missing start or end taken from the class and separator tokens.
    pub(super) fn read(files: &Files<'_>) -> Result<Self> {
        let mut names = Self(Vec::new());
        let Some(settings) = &files.settings else { return Ok(names) };
        for kind in TOKEN_KINDS {
            if let Some(node) = settings.get(&format!("{kind}_token"))?
                && let Some(text) = token_text(&node)
            {
                names.set(kind, Named { text: text.to_owned(), bare: node.try_to::<&str>().is_some() });
            }
        }
        names.fill("bos", "cls");
        names.fill("eos", "sep");
        Ok(names)
    }

    /// A template begins with `text`: it is the start token, or the class token if there is another start token.
    pub(super) fn learn_start(&mut self, text: &str) {
        if !self.is("bos", text) && !self.is("cls", text) {
            let named = Named { text: text.to_owned(), bare: true };
            for kind in ["bos", "cls"] {
                if self.get(kind).is_none() {
                    self.set(kind, named.clone());
                }
            }
        }
    }

    /// A template ends with `text`: it is the end token, and what was called so ends a turn or a message.
    pub(super) fn learn_end(&mut self, text: &str) {
        if self.is("eos", text) {
            return;
        }
        let free = ["eot", "eom"].into_iter().find(|kind| self.get(kind).is_none());
        if let (Some(free), Some(old)) = (free, self.get("eos").cloned()) {
            self.set(free, old);
        }
        self.set("eos", Named { text: text.to_owned(), bare: true });
    }

    /// A template separates two texts: without a separator token it does so by the end token.
    pub(super) fn learn_separator(&mut self, add: bool) {
        if add {
            self.fill("sep", "eos");
        }
    }

    pub(super) fn get(&self, kind: &str) -> Option<&Named> {
        self.0.iter().find(|(k, _)| *k == kind).map(|(_, named)| named)
    }

    pub(super) fn is(&self, kind: &str, text: &str) -> bool {
        self.get(kind).is_some_and(|named| named.bare && named.text == text)
    }

    fn set(&mut self, kind: &'static str, named: Named) {
        match self.0.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, old)) => *old = named,
            None => self.0.push((kind, named)),
        }
    }

    fn fill(&mut self, kind: &'static str, from: &str) {
        if let (None, Some(named)) = (self.get(kind), self.get(from).cloned()) {
            self.set(kind, named);
        }
    }

    /// The kinds in the order of their keys.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &'static str> {
        TOKEN_KINDS.into_iter().chain(["eot", "eom"].into_iter().filter(|kind| self.get(kind).is_some()))
    }
}
