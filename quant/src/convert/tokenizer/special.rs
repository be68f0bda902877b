//! Special tokens, and whether they are added to a prompt.
//!
//! The files overlap and disagree: post-processors, `tokenizer_config.json` and `config.json` all have a say. The
//! order of precedence is that of `SpecialVocab` in `gguf-py/gguf/vocab.py`.

use std::path::Path;

use super::super::json::Node;
use super::chat_template::ChatTemplates;
use super::names::Names;
use super::{Files, added_tokens};
use crate::error::Result;
use crate::gguf::Metadata;

/// What is known of the special tokens.
#[derive(Default)]
pub(super) struct Special {
    /// Ids by kind; the first that is set stays.
    ids: Vec<(&'static str, u32)>,
    /// Whether a kind is added to a prompt.
    add: Vec<(&'static str, bool)>,
    templates: ChatTemplates,
}

impl Special {
    /// Reads what the files say; ids from `vocab_size` on are left out.
    pub(super) fn read(dir: &Path, files: &Files<'_>, vocab_size: Option<usize>) -> Result<Self> {
        let mut special = Self::default();
        let mut names = Names::read(files)?;
        if let Some(tokenizer) = &files.tokenizer
            && let Some(processor) = tokenizer.get("post_processor")?
        {
            match processor.get("processors")? {
                Some(list) => list.items()?.try_for_each(|part| special.read_processor(&part, &mut names))?,
                None => special.read_processor(&processor, &mut names)?,
            }
        }
        if let Some(settings) = &files.settings {
            special.read_settings(settings, files, &names, vocab_size)?;
            special.templates = ChatTemplates::read(dir, settings)?;
        }
        special.read_model_config(files.model_config, &names, vocab_size)?;
        Ok(special)
    }

    /// Sets the keys of everything known.
    pub(super) fn set_keys(self, metadata: &mut Metadata) {
        for (kind, id) in self.ids {
            if let Some(name) = id_name(kind) {
                metadata.set(format!("tokenizer.ggml.{name}_token_id"), id);
            }
        }
        for (kind, add) in self.add.into_iter().filter(|(kind, _)| ["bos", "eos", "sep"].contains(kind)) {
            metadata.set(format!("tokenizer.ggml.add_{kind}_token"), add);
        }
        self.templates.set_keys(metadata);
    }

    fn read_processor(&mut self, processor: &Node<'_>, names: &mut Names) -> Result<()> {
        match processor.need("type")? {
            "ByteLevel" => ["bos", "eos"].into_iter().for_each(|kind| self.add_by_default(kind, false)),
            "TemplateProcessing" => self.read_template(processor, names)?,
            _ => {}
        }
        Ok(())
    }

    /// Reads what a template puts before and after one text, and between two.
    fn read_template(&mut self, processor: &Node<'_>, names: &mut Names) -> Result<()> {
        let single = pieces(processor, "single")?;
        let (mut first, mut last) = (None, None);
        if let [start, .., end] = &single[..] {
            first = start.special;
            last = end.special;
        }
        if let Some(first) = first {
            names.learn_start(first);
            self.set_add("bos", names.is("bos", first) || names.is("cls", first));
        }
        if let Some(last) = last {
            names.learn_end(last);
            self.set_add("eos", names.is("eos", last));
        }

        let pair = pieces(processor, "pair")?;
        let mut between = &pair[..];
        if let ([start, rest @ ..], Some(first)) = (between, first)
            && start.special == Some(first)
        {
            between = rest;
        }
        if let ([rest @ .., end], Some(last)) = (between, last)
            && end.special == Some(last)
        {
            between = rest;
        }
        if let [a, middle @ .., b] = between
            && a.sequence == Some("A")
            && b.sequence == Some("B")
            && !middle.is_empty()
        {
            let separates =
                |token: &Piece<'_>| token.special.is_some_and(|t| names.is("sep", t) || names.is("eos", t));
            let add = match middle {
                [one] => separates(one) && last.is_none(),
                [one, two] => (separates(one) && last.is_none()) || separates(two),
                _ => false,
            };
            self.set_add("sep", add);
            names.learn_separator(add);
        }
        Ok(())
    }

    fn read_settings(
        &mut self,
        settings: &Node<'_>,
        files: &Files<'_>,
        names: &Names,
        vocab_size: Option<usize>,
    ) -> Result<()> {
        let added = files.tokenizer.as_ref().map(added_tokens).transpose()?.unwrap_or_default();
        for kind in names.kinds() {
            if let Some(add) = settings.get(&format!("add_{kind}_token"))?.and_then(|node| node.try_to()) {
                self.add_by_default(kind, add);
            }
            let text = names.get(kind).map(|named| named.text.as_str());
            if let Some(token) = added.iter().find(|token| Some(token.content) == text) {
                self.set_id(kind, token.id as u64, vocab_size);
            }
        }
        Ok(())
    }

    /// The ids in `config.json`, and in its `text_config`.
    fn read_model_config(
        &mut self,
        config: &Node<'_>,
        names: &Names,
        vocab_size: Option<usize>,
    ) -> Result<()> {
        let text = config.get("text_config")?;
        for kind in names.kinds() {
            let key = format!("{kind}_token_id");
            let inner = |text: &Node<'_>| text.get(&key).map(|id| id.and_then(|id| id.try_to()));
            let id: Option<u32> = match config.get(&key)? {
                // A list of end tokens is for the sampler; it names no one.
                Some(id) => id.try_to(),
                None => text.as_ref().map(inner).transpose()?.flatten(),
            };
            if let Some(id) = id {
                self.set_id(kind, u64::from(id), vocab_size);
            }
        }
        Ok(())
    }

    fn set_id(&mut self, kind: &'static str, id: u64, vocab_size: Option<usize>) {
        let known = self.ids.iter().any(|(k, _)| *k == kind);
        if let (false, Ok(id)) = (known, u32::try_from(id))
            && vocab_size.is_none_or(|size| (id as usize) < size)
        {
            self.ids.push((kind, id));
        }
    }

    fn add_by_default(&mut self, kind: &'static str, add: bool) {
        if !self.add.iter().any(|(k, _)| *k == kind) {
            self.add.push((kind, add));
        }
    }

    fn set_add(&mut self, kind: &'static str, add: bool) {
        match self.add.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, old)) => *old = add,
            None => self.add.push((kind, add)),
        }
    }
}

/// What llama.cpp calls the id of a kind; it has no key for the class token.
fn id_name(kind: &str) -> Option<&str> {
    match kind {
        "unk" => Some("unknown"),
        "sep" => Some("seperator"),
        "pad" => Some("padding"),
        "cls" => None,
        other => Some(other),
    }
}

/// An element of a template: a special token, or the first or second text.
struct Piece<'a> {
    special: Option<&'a str>,
    sequence: Option<&'a str>,
}

fn pieces<'a>(processor: &Node<'a>, name: &str) -> Result<Vec<Piece<'a>>> {
    let Some(list) = processor.get(name)? else { return Ok(Vec::new()) };
    let id = |piece: &Node<'a>, member: &str| piece.get(member)?.map(|inner| inner.need("id")).transpose();
    list.items()?
        .map(|piece| Ok(Piece { special: id(&piece, "SpecialToken")?, sequence: id(&piece, "Sequence")? }))
        .collect()
}
