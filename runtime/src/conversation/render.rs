//! From messages to a prompt.

use serde_json::Value;

use super::LanguageModel;
use super::prompt::{Content, Prompt};
use crate::backend::Backend;
use crate::model::chat_template::{Message, Part, RenderOptions};
use crate::model::media::{Image, Placeholder, Sound};
use crate::model::tokenizer::Special;
use crate::model::vision::Written;
use crate::{Error, ErrorKind, Result};

/// A part that is not text.
#[derive(Clone, Copy)]
enum Media<'a> {
    Image(&'a Image),
    Sound(&'a Sound),
}

impl<B: Backend> LanguageModel<B> {
    /// A chat, as the model's template writes it. Without a template the parts follow each other.
    ///
    /// Nothing in the texts, nor in what tools say of themselves, can become a control token: nobody ends their turn by
    /// typing the token that does.
    ///
    /// # Errors
    /// What the template says, and [`ErrorKind::Unsupported`] when there is a picture or a sound and no tower for it.
    pub fn prompt(&self, messages: &[Message], options: &RenderOptions) -> Result<Prompt> {
        let media: Vec<_> = messages.iter().flat_map(|message| &message.content).filter_map(media).collect();
        let places = media.iter().map(|media| self.placeholder(*media)).collect::<Result<Vec<_>>>()?;
        let messages: Vec<_> = messages.iter().map(|message| self.shielded(message)).collect();
        let text = self.rendered(&messages, &self.with_shielded_tools(options), &places)?;
        let mut prompt = Prompt::default();
        let mut rest = text.as_str();
        for (media, place) in media.into_iter().zip(places) {
            let (before, after) = rest.split_once(place.token).unwrap_or((rest, ""));
            self.write_text(before, &mut prompt);
            self.write_media(media, &mut prompt);
            rest = after;
        }
        self.write_text(rest, &mut prompt);
        let bos = self.tokenizer.bos().filter(|_| self.tokenizer.adds_bos());
        if let Some(bos) =
            bos.filter(|bos| prompt.slots().first().and_then(|slot| slot.token()) != Some(*bos))
        {
            prompt.insert_first(bos);
        }
        Ok(prompt)
    }

    /// The text of messages without pictures and sounds.
    ///
    /// # Errors
    /// What the template says.
    pub(crate) fn text(&self, messages: &[Message], options: &RenderOptions) -> Result<String> {
        self.rendered(messages, &self.with_shielded_tools(options), &[])
    }

    fn placeholder(&self, media: Media<'_>) -> Result<Placeholder> {
        let (found, placeholder) = match media {
            Media::Image(_) => ("picture", self.vision.as_ref().map(|tower| tower.placeholder())),
            Media::Sound(_) => ("sound", self.audio.as_ref().map(|tower| tower.placeholder())),
        };
        placeholder.ok_or_else(|| {
            let detail = format!("found a {found}, but no mmproj with a tower for it");
            Error::new(ErrorKind::Unsupported, "message", detail)
        })
    }

    /// The placeholders that texts must not have.
    fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        let vision = self.vision.as_ref().map(|tower| tower.placeholder());
        vision.into_iter().chain(self.audio.as_ref().map(|tower| tower.placeholder()))
    }

    fn shielded(&self, message: &Message) -> Message {
        let tokens: Vec<_> = self.placeholders().map(|placeholder| placeholder.token).collect();
        let shield = |text: &mut String| *text = self.tokenizer.shield_from(text, &tokens);
        let mut message = message.clone();
        for part in &mut message.content {
            if let Part::Text(text) = part {
                shield(text);
            }
        }
        message.members.values_mut().for_each(|member| each_text(member, &shield));
        message
    }

    fn with_shielded_tools(&self, options: &RenderOptions) -> RenderOptions {
        let tokens: Vec<_> = self.placeholders().map(|placeholder| placeholder.token).collect();
        let mut options = options.clone();
        let shield = |text: &mut String| *text = self.tokenizer.shield_from(text, &tokens);
        options.tools.iter_mut().for_each(|tool| each_text(tool, &shield));
        options
    }

    /// The text of `messages`, with `places` in their order. Where the template has none they are given to it as text.
    fn rendered(
        &self,
        messages: &[Message],
        options: &RenderOptions,
        places: &[Placeholder],
    ) -> Result<String> {
        let Some(template) = &self.template else {
            let parts = flat(messages, places).into_iter().flat_map(|message| message.content);
            return Ok(parts.filter_map(|part| part.as_text().map(str::to_owned)).collect());
        };
        if template.takes_parts() {
            let text = template.render(messages, options)?;
            if self.has_places(&text, places) {
                return Ok(text);
            }
        }
        let text = template.render(&flat(messages, places), options)?;
        if !self.has_places(&text, places) {
            let detail =
                format!("it does not write the {} pictures and sounds of the messages", places.len());
            return Err(Error::new(ErrorKind::Malformed, "tokenizer.chat_template", detail));
        }
        Ok(text)
    }

    /// Whether `text` has the tokens of `places`, in order, and no more.
    fn has_places(&self, text: &str, places: &[Placeholder]) -> bool {
        let mut rest = text;
        for place in places {
            let Some((before, after)) = rest.split_once(place.token) else { return false };
            if self.placeholders().any(|other| before.contains(other.token)) {
                return false;
            }
            rest = after;
        }
        !self.placeholders().any(|other| rest.contains(other.token))
    }

    fn write_text(&self, text: &str, prompt: &mut Prompt) {
        if !text.is_empty() {
            prompt.push_tokens(self.tokenizer.encode(text, Special::Parse));
        }
    }

    fn write_media(&self, media: Media<'_>, prompt: &mut Prompt) {
        match media {
            Media::Image(image) => self.write_image(image, prompt),
            Media::Sound(sound) => {
                let Some(tower) = &self.audio else { return };
                for (number, block) in tower.blocks(sound.clip().samples().len()).enumerate() {
                    let content = Content::Block(sound.clone(), number);
                    prompt.push_content(sound.block(block), content, block.tokens);
                }
            }
        }
    }

    fn write_image(&self, image: &Image, prompt: &mut Prompt) {
        let Some(tower) = &self.vision else { return };
        let pieces = tower.written(image);
        let tiles = pieces.iter().filter(|piece| matches!(piece, Written::Tile(_))).count();
        let mut number = 0;
        for piece in pieces {
            match piece {
                Written::Text(text) => self.write_text(&text, prompt),
                Written::Tile(_) => {
                    let id = image.id().part(&[tiles, number]);
                    prompt.push_content(id, Content::Tile(image.clone(), number), tower.tokens());
                    number += 1;
                }
            }
        }
    }
}

/// Calls `f` with every text in `value`.
fn each_text(value: &mut Value, f: &impl Fn(&mut String)) {
    match value {
        Value::String(text) => f(text),
        Value::Array(values) => values.iter_mut().for_each(|value| each_text(value, f)),
        Value::Object(members) => members.values_mut().for_each(|value| each_text(value, f)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn media(part: &Part) -> Option<Media<'_>> {
    match part {
        Part::Text(_) => None,
        Part::Image(image) => Some(Media::Image(image)),
        Part::Audio(sound) => Some(Media::Sound(sound)),
    }
}

/// The messages with `places` as text for their pictures and sounds.
fn flat(messages: &[Message], places: &[Placeholder]) -> Vec<Message> {
    let mut places = places.iter();
    let mut text = |part: &Part| match media(part) {
        Some(_) => Part::Text(places.next().map_or("", |place| place.framed).to_owned()),
        None => part.clone(),
    };
    let mut flat = |message: &Message| {
        let content = message.content.iter().map(&mut text).collect();
        Message { content, ..message.clone() }
    };
    messages.iter().map(&mut flat).collect()
}
