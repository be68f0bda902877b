//! The chat templates, from `tokenizer_config.json`, else `chat_template.jinja`, else `chat_template.json`.

use std::path::Path;

use super::super::json::{JsonFile, Node, read_text_if_there};
use crate::error::Result;
use crate::gguf::{Metadata, Strings};

/// Templates by name.
#[derive(Default)]
pub(super) struct ChatTemplates(Vec<(String, String)>);

/// The name of the one that is used when none is asked for.
const DEFAULT: &str = "default";

impl ChatTemplates {
    /// Reads the templates of `dir`, whose `tokenizer_config.json` is `settings`.
    pub(super) fn read(dir: &Path, settings: &Node<'_>) -> Result<Self> {
        if let Some(node) = settings.get("chat_template")? {
            return Self::named(&node);
        }
        if let Some(template) = read_text_if_there(&dir.join("chat_template.jinja"))? {
            return Ok(Self::one(&template));
        }
        match JsonFile::read_if_there(dir, "chat_template.json")? {
            Some(file) => {
                file.root().get("chat_template")?.map_or(Ok(Self::default()), |node| Self::named(&node))
            }
            None => Ok(Self::default()),
        }
    }

    /// Sets a key for each template, and one for the list of their names.
    pub(super) fn set_keys(&self, metadata: &mut Metadata) {
        let named = self.0.iter().filter(|(name, _)| name != DEFAULT);
        let names: Strings = named.clone().map(|(name, _)| name).collect();
        for (name, template) in named {
            metadata.set(format!("tokenizer.chat_template.{name}"), template.as_str());
        }
        if !names.is_empty() {
            metadata.set("tokenizer.chat_templates", names);
        }
        if let Some((_, template)) = self.0.iter().find(|(name, _)| name == DEFAULT) {
            metadata.set("tokenizer.chat_template", template.as_str());
        }
    }

    fn one(template: &str) -> Self {
        Self(vec![(DEFAULT.to_owned(), template.to_owned())])
    }

    /// One template, or a list of them with names.
    fn named(node: &Node<'_>) -> Result<Self> {
        if let Some(template) = node.try_to() {
            return Ok(Self::one(template));
        }
        let key_part = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let choices = node.items()?.map(|choice| {
            let name: &str = choice.need("name")?;
            Ok((name.chars().map(key_part).collect(), choice.need::<&str>("template")?.to_owned()))
        });
        choices.collect::<Result<_>>().map(Self)
    }
}
