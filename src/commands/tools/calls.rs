use std::io::{self, Write};
use std::ops::ControlFlow;

use lorgnette_quant::Result;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation, Event};
use lorgnette_runtime::model::chat_template::Message;
use lorgnette_runtime::tool::local::{self, Answered, Choice};
use lorgnette_runtime::tool::{Reply, Turn};
use serde::Serialize;
use serde_json::Value;

use super::Tools;

/// A call, and what came of it.
#[derive(Serialize)]
pub(crate) struct ToolCall {
    name: String,
    arguments: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<Reply> for ToolCall {
    fn from(Reply { call, outcome }: Reply) -> Self {
        let (result, error) = match outcome {
            Ok(observation) => (Some(observation.untrusted_text().to_owned()), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { name: call.name, arguments: call.arguments, result, error }
    }
}

impl Tools {
    /// Answers, and tells of calls on stderr.
    pub(crate) fn answer<B: Backend>(
        &self,
        conversation: &mut Conversation<B>,
        prompt: &[Message],
        options: &AnswerOptions,
        hear: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Answered> {
        let mut turn = Turn::about(self.toolbox.clone(), prompt);
        local::answer(conversation, prompt, options, Choice::Auto, &mut turn, &mut |event| match event {
            local::Event::Answer(event) => hear(event),
            local::Event::Called(reply) => {
                say(&format!("{} {}", reply.call.name, reply.to_data()));
                hear(Event::Piece(""))
            }
            local::Event::Calling(_) | local::Event::Waiting => hear(Event::Piece("")),
        })
    }

    /// Waits for the timers that run, and tells of each that rings, as long as `goes_on`.
    pub(crate) fn wait(&self, goes_on: impl Fn() -> bool) {
        while goes_on() && self.wait_a_little() {
            self.timers.rang().iter().for_each(|timer| say(&format!("timer {:?}", timer.label)));
        }
    }
}

fn say(text: &str) {
    // With stderr gone there is nobody left to tell.
    drop(writeln!(io::stderr(), "lorgnette: {text}"));
}
