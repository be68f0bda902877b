//! Special tokens, whether they are added to a prompt, and the chat template.
//!
//! The files overlap and disagree: post-processors, `tokenizer_config.json` and `config.json` all have a say. The
//! order of precedence is that of `SpecialVocab` in `gguf-py/gguf/vocab.py`.

use std::path::Path;

use super::super::json::{JsonFile, Node, read_text_if_there};
use super::{Files, added_tokens, token_text};
use crate::error::Result;
use crate::gguf::{Metadata, Strings};

/// The special tokens that `tokenizer_config.json` names, as `bos_token` and so on.
pub(super) const TOKEN_KINDS: [&str; 7] = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

/// What is known of the special tokens.
#[derive(Default)]
pub(super) struct Special {
    /// Ids by kind; the first that is set stays.
    ids: Vec<(&'static str, u32)>,
    /// Whether a kind is added to a prompt.
    add: Vec<(&'static str, bool)>,
    templates: Vec<(String, String)>,
}

/// A token named in `tokenizer_config.json`.
#[derive(Clone)]
struct Named {
    text: String,
    /// Given as text and not as an object; only such ones are found equal to a post-processor's.
    bare: bool,
}

/// The named tokens, with what a post-processor adds to them.
struct Names(Vec<(&'static str, Named)>);

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
            special.templates = read_templates(dir, settings)?;
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
        let named = self.templates.iter().filter(|(name, _)| name != DEFAULT_TEMPLATE);
        let names: Strings = named.clone().map(|(name, _)| name).collect();
        for (name, template) in named {
            metadata.set(format!("tokenizer.chat_template.{name}"), template.as_str());
        }
        if !names.is_empty() {
            metadata.set("tokenizer.chat_templates", names);
        }
        if let Some((_, template)) = self.templates.into_iter().find(|(name, _)| name == DEFAULT_TEMPLATE) {
            metadata.set("tokenizer.chat_template", template);
        }
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

impl Names {
    /// The tokens of `tokenizer_config.json`, a missing start or end taken from the class and separator tokens.
    fn read(files: &Files<'_>) -> Result<Self> {
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
    fn learn_start(&mut self, text: &str) {
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
    fn learn_end(&mut self, text: &str) {
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
    fn learn_separator(&mut self, add: bool) {
        if add {
            self.fill("sep", "eos");
        }
    }

    fn get(&self, kind: &str) -> Option<&Named> {
        self.0.iter().find(|(k, _)| *k == kind).map(|(_, named)| named)
    }

    fn is(&self, kind: &str, text: &str) -> bool {
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
    fn kinds(&self) -> impl Iterator<Item = &'static str> {
        TOKEN_KINDS.into_iter().chain(["eot", "eom"].into_iter().filter(|kind| self.get(kind).is_some()))
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

const DEFAULT_TEMPLATE: &str = "default";

/// The chat templates by name, from `tokenizer_config.json`, else `chat_template.jinja`, else `chat_template.json`.
fn read_templates(dir: &Path, settings: &Node<'_>) -> Result<Vec<(String, String)>> {
    if let Some(node) = settings.get("chat_template")? {
        return named_templates(&node);
    }
    if let Some(template) = read_text_if_there(&dir.join("chat_template.jinja"))? {
        return Ok(vec![(DEFAULT_TEMPLATE.to_owned(), template)]);
    }
    match JsonFile::read_if_there(dir, "chat_template.json")? {
        Some(file) => file.root().get("chat_template")?.map_or(Ok(Vec::new()), |node| named_templates(&node)),
        None => Ok(Vec::new()),
    }
}

/// One template, or a list of them with names.
fn named_templates(node: &Node<'_>) -> Result<Vec<(String, String)>> {
    if let Some(template) = node.try_to::<&str>() {
        return Ok(vec![(DEFAULT_TEMPLATE.to_owned(), template.to_owned())]);
    }
    let key_part = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    node.items()?
        .map(|choice| {
            let name: &str = choice.need("name")?;
            Ok((name.chars().map(key_part).collect(), choice.need::<&str>("template")?.to_owned()))
        })
        .collect()
}
