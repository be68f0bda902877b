//! Reasoning under a budget.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use common::models::converted;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation, Event, Finish, LanguageModel};
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::mode::thinking::{self, Thought};
use lorgnette_runtime::model::chat_template::{Message, Role};

/// One whose template knows of thinking, and one whose template does not.
const MODELS: [&str; 2] = ["qwen3-0.6b", "Llama-3.2-tiny-Instruct"];

fn conversation(model: &str) -> Conversation<Cpu> {
    Conversation::new(Arc::new(LanguageModel::load(Cpu, &converted(model)).unwrap()), 400).unwrap()
}

fn options() -> AnswerOptions {
    AnswerOptions { max_tokens: 5, ..AnswerOptions::default() }
}

fn ask(
    conversation: &mut Conversation<Cpu>,
    mode: Mode,
    on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Thought {
    let messages = [Message::text(Role::User, "which is cheaper?")];
    thinking::answer(conversation, &messages, &options(), mode, on).unwrap()
}

fn go_on(_: Event<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn the_budget_is_obeyed_to_the_token() {
    for name in MODELS {
        for budget in [1, 7, 30] {
            let thought = ask(&mut conversation(name), Mode::Thinking { budget }, &mut go_on);
            assert!(thought.reasoning_tokens <= budget, "{name}: {} of {budget}", thought.reasoning_tokens);
            // A model of random weights does not close its thoughts.
            assert_eq!(thought.reasoning_tokens, budget, "{name}");
            assert!(thought.answer.answer_tokens() <= 5, "{name}");
        }
    }
}

#[test]
fn what_was_thought_is_not_computed_again() {
    for name in MODELS {
        let mut conversation = conversation(name);
        let thought = ask(&mut conversation, Mode::Thinking { budget: 20 }, &mut go_on);
        let closing = conversation
            .model()
            .tokenizer()
            .encode("\n</think>\n\n", lorgnette_runtime::model::tokenizer::Special::Parse);
        let begun = thought.answer.prompt_tokens - 20 - closing.len();
        assert_eq!(thought.answer.prefilled_tokens, begun + closing.len(), "{name}");
    }
}

#[test]
fn thoughts_are_told_apart_from_the_answer() {
    for name in MODELS {
        let (mut thoughts, mut pieces) = (String::new(), String::new());
        let thought = ask(&mut conversation(name), Mode::Thinking { budget: 12 }, &mut |event| {
            match event {
                Event::Thought(text) => thoughts.push_str(text),
                Event::Piece(text) => pieces.push_str(text),
                _ => {}
            }
            ControlFlow::Continue(())
        });
        assert_eq!((thoughts.trim(), pieces), (thought.reasoning.as_str(), thought.answer.text), "{name}");
    }
}

#[test]
fn a_thought_can_be_broken_off() {
    let thought = ask(&mut conversation(MODELS[0]), Mode::Thinking { budget: 50 }, &mut |event| {
        if matches!(event, Event::Thought(_)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((thought.answer.finish, thought.answer.text.as_str()), (Finish::Cancelled, ""));
    assert!(thought.reasoning_tokens < 50);
}

#[test]
fn instant_is_a_plain_answer() {
    let messages = [Message::text(Role::User, "which is cheaper?")];
    let name = MODELS[1];
    let plain = conversation(name).answer(&messages, &options(), &mut go_on).unwrap();
    let instant = ask(&mut conversation(name), Mode::Instant, &mut go_on);
    assert_eq!((instant.answer, instant.reasoning.as_str()), (plain, ""));
}
