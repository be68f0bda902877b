//! Local models that call tools: the call is held to the schemas of the toolbox while it is generated, what came of it
//! goes into the chat as data, and the model goes on. What the conversation remembers is not computed again.

mod format;
mod grammar;
mod shown;

use std::ops::ControlFlow;

use serde_json::json;

use self::format::Format;
use self::shown::Shown;
use super::{Call, Reply, Turn, wait};
use crate::backend::Backend;
use crate::conversation::{self, AnswerOptions, Constraint, Conversation, Finish};
use crate::model::chat_template::{Message, Role};
use crate::{Error, ErrorKind, Result};

/// Whether the model has to call a tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// It decides.
    #[default]
    Auto,
    /// It calls at least one.
    Required,
}

/// What happens while an answer with tools is made. [`Event::Answer`] has pieces of the text alone, never of a call.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Of one round of the conversation.
    Answer(conversation::Event<'a>),
    /// A call is proposed; it is not made yet.
    Calling(&'a Call),
    /// A call, or the wearer's leave for it, is waited for. Comes about twenty times a second.
    Waiting,
    /// What came of it.
    Called(&'a Reply),
}

/// An answer with what was called on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// All text that was shown.
    pub text: String,
    /// Why the last round ended. A call that was cut off was not made.
    pub finish: Finish,
    /// What each round took; there is one more than there were calls that were answered.
    pub rounds: Vec<conversation::Answer>,
    /// What came of each call, in order.
    pub replies: Vec<Reply>,
}

/// Answers the last of `messages`, and calls the tools of `turn` on the way, as often as it allows. `on` hears of every
/// event, and breaks off: the answer as in [`Conversation::answer`], a call by dropping it.
///
/// # Errors
/// As [`Conversation::answer`], and [`ErrorKind::Argument`] when `options` have a constraint: calls have their own.
pub fn answer<B: Backend>(
    conversation: &mut Conversation<B>,
    messages: &[Message],
    options: &AnswerOptions,
    choice: Choice,
    turn: &mut Turn,
    on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Answered> {
    if options.constraint.is_some() {
        let detail = "found a constraint of the answer beside tools, expected one of them";
        return Err(Error::new(ErrorKind::Argument, "tools", detail));
    }
    let format = Format::of(conversation.template());
    let mut messages = messages.to_vec();
    let mut options = options.clone();
    format.offer(turn.toolbox(), &mut messages, &mut options.render);
    let mut answered =
        Answered { text: String::new(), finish: Finish::Cancelled, rounds: Vec::new(), replies: Vec::new() };
    loop {
        let must = choice == Choice::Required && answered.replies.is_empty();
        options.constraint = Some(Constraint::Grammar(grammar::lark(format, turn, must)));
        let round = generate(conversation, &messages, &options, format, &mut answered.text, on)?;
        answered.finish = round.finish;
        let said = (round.finish == Finish::End).then(|| round.text.clone());
        answered.rounds.push(round);
        let id = format!("call_{}", answered.replies.len() + 1);
        let Some((text, call)) = said.as_deref().and_then(|said| format.parse(said, id)) else { break };
        let Some(reply) = make(call, turn, on) else {
            answered.finish = Finish::Cancelled;
            break;
        };
        messages.extend(format.messages(text, &reply));
        let heard = on(Event::Called(&reply));
        answered.replies.push(reply);
        if heard.is_break() {
            answered.finish = Finish::Cancelled;
            break;
        }
    }
    Ok(answered)
}

/// One round. The text that is shown goes to `text` too.
fn generate<B: Backend>(
    conversation: &mut Conversation<B>,
    messages: &[Message],
    options: &AnswerOptions,
    format: Format,
    text: &mut String,
    on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<conversation::Answer> {
    let marks = [format::OPEN.to_owned()];
    let mut shown = Shown::new(format, &marks);
    let mut show = |piece: String, on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>| {
        text.push_str(&piece);
        let event = Event::Answer(conversation::Event::Piece(&piece));
        if piece.is_empty() { ControlFlow::Continue(()) } else { on(event) }
    };
    let answer = conversation.answer(messages, options, &mut |event| match event {
        conversation::Event::Piece(piece) => show(shown.push(piece), on),
        event => on(Event::Answer(event)),
    })?;
    if answer.finish != Finish::Cancelled {
        // What comes after the end cannot be broken off any more.
        let _ = show(shown.finish(), on);
    }
    Ok(answer)
}

/// Makes a call; `None` when `on` broke it off.
fn make(call: Call, turn: &mut Turn, on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>) -> Option<Reply> {
    if on(Event::Calling(&call)).is_break() {
        return None;
    }
    wait::block_on_while(turn.call(call), || on(Event::Waiting).is_continue())
}

/// The member of a message that says what was called, as templates want it.
fn tool_calls(call: &Call) -> serde_json::Value {
    let function = json!({"name": call.name, "arguments": call.arguments});
    json!([{"type": "function", "id": call.id, "function": function}])
}

/// The message in which `call` was proposed, behind `text`.
fn proposal(text: &str, call: &Call) -> Message {
    let mut message = Message::text(Role::Assistant, text);
    message.members.insert("tool_calls".to_owned(), tool_calls(call));
    message
}
