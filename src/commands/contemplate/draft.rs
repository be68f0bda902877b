use std::ops::ControlFlow;

use lorgnette_quant::{Progress, Result};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation, Event};
use lorgnette_runtime::mode::contemplating::Local;
use lorgnette_runtime::model::chat_template::{Message, Part, Role};

use crate::console::Watch;

/// Tokens of a description at most.
const DESCRIPTION: usize = 96;

/// What the device says of the pictures.
pub(super) fn described<B: Backend>(
    conversation: &mut Conversation<B>,
    question: &Message,
    options: &AnswerOptions,
    watch: &Watch,
) -> Result<String> {
    let mut parts: Vec<_> =
        question.content.iter().filter(|part| matches!(part, Part::Image(_))).cloned().collect();
    parts.push(Part::Text("Describe what is seen, with all text and numbers that can be read.".to_owned()));
    let options = AnswerOptions { max_tokens: DESCRIPTION, constraint: None, ..options.clone() };
    let message = [Message::parts(Role::User, parts)];
    let answer = conversation.answer(&message, &options, &mut |_| match watch.cancelled() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    })?;
    watch.check()?;
    Ok(answer.text)
}

/// The device's own answer.
pub(super) fn local<B: Backend + 'static>(
    mut conversation: Conversation<B>,
    question: Message,
    options: AnswerOptions,
) -> Box<dyn Local> {
    Box::new(move |on: &mut dyn FnMut(&str) -> ControlFlow<()>| -> Result<()> {
        let hear = &mut |event: Event<'_>| match event {
            Event::Piece(text) => on(text),
            // Nothing is said, but it may be asked to stop.
            Event::Encoded { .. } | Event::Prefilled { .. } | Event::Thought(_) => on(""),
        };
        conversation.answer(&[question], &options, hear).map(drop)
    })
}
