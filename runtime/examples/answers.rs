//! Answers many questions with one model: `answers MODEL.gguf MMPROJ.gguf < QUESTIONS > ANSWERS`, JSON lines both.
//!
//! A question has `text`, `image` and `audio` (paths), of which some may be missing, and may have `before` (what is typed
//! first, about the same picture, and answered too), `think` (whether the model thinks first), `regex` (the form of the
//! answer) and `rows` (whether the answer is to show what the towers make of picture and sound, and not to say anything).

#![allow(clippy::print_stdout, reason = "an example prints what it was asked for")]

use std::io::stdin;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{AnswerOptions, Constraint, Conversation, Event, LanguageModel};
use lorgnette_runtime::mode::{Mode, thinking};
use lorgnette_runtime::model::audio::{Clip, decode_wav};
use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::media::{Image, Sound};
use lorgnette_runtime::model::vision::{self, Picture};
use lorgnette_runtime::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Tokens of an answer at most, and of the thoughts before it.
const MAX_TOKENS: usize = 200;
/// Positions of a conversation.
const CAPACITY: usize = 1024;

#[derive(Deserialize)]
struct Question {
    text: Option<String>,
    image: Option<PathBuf>,
    audio: Option<PathBuf>,
    before: Option<String>,
    #[serde(default)]
    think: bool,
    regex: Option<String>,
    #[serde(default)]
    rows: bool,
}

#[derive(Default, Serialize)]
struct Reply {
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    image_rows: Vec<f32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audio_rows: Vec<f32>,
}

fn main() -> Result<()> {
    let mut paths = std::env::args().skip(1);
    let (Some(text), Some(mmproj)) = (paths.next(), paths.next()) else {
        return Err(Error::new(ErrorKind::Argument, "", "usage: answers MODEL.gguf MMPROJ.gguf < QUESTIONS"));
    };
    let model = LanguageModel::load(Cpu, &Arc::new(Gguf::open(text)?))?;
    let model = Arc::new(model.with_towers(&Arc::new(Gguf::open(mmproj)?))?);
    for line in stdin().lines() {
        let line = line.map_err(|e| Error::io("read", e))?;
        let question: Question =
            serde_json::from_str(&line).map_err(|e| Error::malformed("question", e, "a JSON object"))?;
        let reply = if question.rows { rows(&model, &question)? } else { answer(&model, &question)? };
        let reply = serde_json::to_string(&reply)
            .map_err(|e| Error::new(ErrorKind::Malformed, "answer", e.to_string()))?;
        println!("{reply}");
    }
    Ok(())
}

fn answer(model: &Arc<LanguageModel<Cpu>>, question: &Question) -> Result<Reply> {
    let mut conversation = Conversation::new(Arc::clone(model), CAPACITY)?;
    let mut options = AnswerOptions { max_tokens: MAX_TOKENS, ..AnswerOptions::default() };
    let mut answer = |messages: &[Message], options: &AnswerOptions, mode| {
        let on = &mut |_: Event<'_>| ControlFlow::Continue(());
        let thought = thinking::answer(&mut conversation, messages, options, mode, on)?;
        Ok::<_, Error>(thought.answer.text)
    };
    let mut messages = Vec::new();
    let mut parts: Vec<_> =
        picture(question)?.map(|picture| Part::Image(Image::new(picture))).into_iter().collect();
    if let Some(before) = &question.before {
        parts.push(Part::Text(before.clone()));
        messages.push(Message::parts(Role::User, std::mem::take(&mut parts)));
        let said = answer(&messages, &options, Mode::Instant)?;
        messages.push(Message::text(Role::Assistant, said));
    }
    parts.extend(clip(question)?.map(|clip| Part::Audio(Sound::new(clip))));
    parts.extend(question.text.clone().map(Part::Text));
    messages.push(Message::parts(Role::User, parts));
    options.constraint = question.regex.clone().map(Constraint::Regex);
    let mode = if question.think { Mode::Thinking { budget: MAX_TOKENS } } else { Mode::Instant };
    Ok(Reply { text: answer(&messages, &options, mode)?, ..Reply::default() })
}

fn rows(model: &LanguageModel<Cpu>, question: &Question) -> Result<Reply> {
    let mut reply = Reply::default();
    if let (Some(picture), Some(tower)) = (picture(question)?, model.vision()) {
        for tile in tower.preprocessor().overview(&picture).tiles {
            reply.image_rows.extend(Cpu.download(tower.encode(&tile)?)?);
        }
    }
    if let (Some(clip), Some(tower)) = (clip(question)?, model.audio()) {
        reply.audio_rows = Cpu.download(tower.encode(&clip)?)?;
    }
    Ok(reply)
}

fn picture(question: &Question) -> Result<Option<Picture>> {
    question.image.as_deref().map(|path| read(path, vision::decode)).transpose()
}

fn clip(question: &Question) -> Result<Option<Clip>> {
    question.audio.as_deref().map(|path| read(path, decode_wav)).transpose()
}

fn read<T>(path: &Path, decode: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
    let bytes = std::fs::read(path).map_err(|e| Error::io("read", e).in_file(path))?;
    decode(&bytes).map_err(|e| e.in_file(path))
}
