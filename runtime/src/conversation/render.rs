//! From messages to a prompt.

use super::LanguageModel;
use super::prompt::{Content, Prompt};
use crate::backend::Backend;
use crate::model::chat_template::{Message, Part, RenderOptions};
use crate::model::media::{Detail, Image, Sound};
use crate::model::tokenizer::Special;
use crate::model::vision::{self, Written};
use crate::{Error, ErrorKind, Result};

/// What stands for a sound in the text of a template.
const SOUND: &str = "<|audio|>";

/// Set into what users typed, where it would read as a place of a picture or a sound. Tokenizers drop it.
const GUARD: char = '\u{FDD0}';

/// A part that is not text.
#[derive(Clone, Copy)]
enum Media<'a> {
    Image(&'a Image),
    Sound(&'a Sound),
}

impl Media<'_> {
    fn placeholder(self) -> &'static str {
        match self {
            Self::Image(_) => vision::PLACEHOLDER,
            Self::Sound(_) => SOUND,
        }
    }
}

impl<B: Backend> LanguageModel<B> {
    /// A chat, as the model's template writes it. Without a template the parts follow each other.
    ///
    /// Nothing in the texts can become a control token: nobody ends their turn by typing the token that does.
    ///
    /// # Errors
    /// What the template says, and [`ErrorKind::Unsupported`] when there is a picture or a sound and no tower for it.
    pub fn prompt(&self, messages: &[Message], options: &RenderOptions) -> Result<Prompt> {
        let media: Vec<_> = messages.iter().flat_map(|message| &message.content).filter_map(media).collect();
        let messages: Vec<_> = messages.iter().map(|message| self.shielded(message)).collect();
        let text = self.rendered(&messages, options, &media)?;
        let mut prompt = Prompt::default();
        let mut rest = text.as_str();
        for media in media {
            let (before, after) = rest.split_once(media.placeholder()).unwrap_or((rest, ""));
            self.write_text(before, &mut prompt);
            self.write_media(media, &mut prompt)?;
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

    /// The text of `messages`, with the placeholders of `media` in their order. Where the template has no place for
    /// them they are given to it as text.
    fn rendered(&self, messages: &[Message], options: &RenderOptions, media: &[Media<'_>]) -> Result<String> {
        let Some(template) = &self.template else {
            let texts = flat(messages).into_iter().flat_map(|message| message.content);
            return Ok(texts.filter_map(|part| part.as_text().map(str::to_owned)).collect());
        };
        let text = match template.takes_parts() {
            true => template.render(messages, options)?,
            false => template.render(&flat(messages), options)?,
        };
        if has_places(&text, media) {
            return Ok(text);
        }
        let text = template.render(&flat(messages), options)?;
        if !has_places(&text, media) {
            let detail = format!("it does not write the {} pictures and sounds of the messages", media.len());
            return Err(Error::new(ErrorKind::Malformed, "tokenizer.chat_template", detail));
        }
        Ok(text)
    }

    fn shielded(&self, message: &Message) -> Message {
        let mut message = message.clone();
        for part in &mut message.content {
            if let Part::Text(text) = part {
                *text = self.tokenizer.shield(text).into_owned();
                for placeholder in [vision::PLACEHOLDER, SOUND] {
                    let (first, others) = placeholder.split_at(1);
                    *text = text.replace(placeholder, &format!("{first}{GUARD}{others}"));
                }
            }
        }
        message
    }

    fn write_text(&self, text: &str, prompt: &mut Prompt) {
        if !text.is_empty() {
            prompt.push_tokens(self.tokenizer.encode(text, Special::Parse));
        }
    }

    fn write_media(&self, media: Media<'_>, prompt: &mut Prompt) -> Result<()> {
        match media {
            Media::Image(image) => self.write_image(image, prompt),
            Media::Sound(_) => {
                Err(Error::new(ErrorKind::Unsupported, "message", "the model has no ears for its sound"))
            }
        }
    }

    fn write_image(&self, image: &Image, prompt: &mut Prompt) -> Result<()> {
        let Some(tower) = &self.vision else {
            let detail = "found a picture, but no mmproj that the model could see with";
            return Err(Error::new(ErrorKind::Unsupported, "message", detail));
        };
        let (rows, columns) = match image.detail() {
            Detail::Overview => (0, 0),
            Detail::Tiles => tower.preprocessor().grid(image.picture()),
        };
        let mut tile = 0;
        for piece in vision::written(rows, columns) {
            match piece {
                Written::Text(text) => self.write_text(&text, prompt),
                Written::Tile(_) => {
                    let id = image.id().part(&[rows, columns, tile]);
                    prompt.push_content(id, Content::Tile(image.clone(), tile), tower.tokens());
                    tile += 1;
                }
            }
        }
        Ok(())
    }
}

fn media(part: &Part) -> Option<Media<'_>> {
    match part {
        Part::Text(_) => None,
        Part::Image(image) => Some(Media::Image(image)),
        Part::Audio(sound) => Some(Media::Sound(sound)),
    }
}

/// The messages with a placeholder as text for each picture and sound.
fn flat(messages: &[Message]) -> Vec<Message> {
    let text = |part: &Part| match media(part) {
        Some(media) => Part::Text(media.placeholder().to_owned()),
        None => part.clone(),
    };
    let flat = |message: &Message| {
        let content = message.content.iter().map(text).collect();
        Message { content, ..message.clone() }
    };
    messages.iter().map(flat).collect()
}

/// Whether `text` has the placeholders of `media`, in order, and no more.
fn has_places(text: &str, media: &[Media<'_>]) -> bool {
    let mut rest = text;
    for media in media {
        let Some((before, after)) = rest.split_once(media.placeholder()) else { return false };
        if [vision::PLACEHOLDER, SOUND].iter().any(|placeholder| before.contains(placeholder)) {
            return false;
        }
        rest = after;
    }
    media.is_empty() || ![vision::PLACEHOLDER, SOUND].iter().any(|placeholder| rest.contains(placeholder))
}
