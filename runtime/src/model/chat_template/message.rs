//! Messages, and the form templates expect them in.

use lorgnette_quant::{Error, ErrorKind, Result};
use serde_json::{Map, Value as Json, json};

use crate::model::media::{Image, Sound};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who sets the rules.
    System,
    /// Who asks.
    User,
    /// The model.
    Assistant,
    /// A tool that the model called.
    Tool,
}

impl Role {
    /// The name templates know the role by.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// A part of a message. Of pictures and sounds a template sees only their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture.
    Image(Image),
    /// A sound.
    Audio(Sound),
}

impl Part {
    /// The words, if it is words.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What one speaker says.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The speaker.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<Part>,
    /// Other members, by the names templates have for them: `tool_calls`, `reasoning_content`, `name`.
    pub members: Map<String, Json>,
}

impl Message {
    /// A message of words.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self::parts(role, vec![Part::Text(text.into())])
    }

    /// A message of several parts.
    pub fn parts(role: Role, content: Vec<Part>) -> Self {
        Self { role, content, members: Map::new() }
    }

    /// The message for a template that takes a list of parts, a string, or both.
    pub(super) fn to_json(&self, takes_parts: bool, takes_text: bool) -> Result<Json> {
        let only_text = self.content.iter().all(|part| matches!(part, Part::Text(_)));
        let content = match takes_parts && !(only_text && takes_text) {
            true => self.content.iter().map(Part::to_json).collect(),
            false => Json::String(self.flat()?),
        };
        let mut message = Map::from_iter([("role".to_owned(), self.role.name().into())]);
        message.insert("content".to_owned(), content);
        message.extend(self.members.clone());
        Ok(Json::Object(message))
    }

    /// The texts behind each other.
    fn flat(&self) -> Result<String> {
        let text = |part: &Part| match part {
            Part::Text(text) => Ok(text.clone()),
            Part::Image(_) | Part::Audio(_) => {
                let detail = "it has no place for a picture or a sound";
                Err(Error::new(ErrorKind::Argument, super::DEFAULT, detail))
            }
        };
        self.content.iter().map(text).collect()
    }
}

impl Part {
    fn to_json(&self) -> Json {
        match self {
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Image(_) => json!({"type": "image"}),
            Self::Audio(_) => json!({"type": "audio"}),
        }
    }
}
