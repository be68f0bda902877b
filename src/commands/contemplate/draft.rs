use std::ops::ControlFlow;

use lorgnette_quant::Result;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation, Event};
use lorgnette_runtime::mode::contemplating::Local;
use lorgnette_runtime::model::chat_template::Message;

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
            Event::Encoded { .. } | Event::Prefilled { .. } | Event::Computing | Event::Thought(_) => on(""),
        };
        conversation.answer(&[question], &options, hear).map(drop)
    })
}
