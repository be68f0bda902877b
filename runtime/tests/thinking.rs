//! Reasoning under a budget.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use common::models::converted;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{
    AnswerOptions, Constraint, Conversation, Event, Finish, LanguageModel,
};
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

fn ask_in_chains(conversation: &mut Conversation<Cpu>, budget: usize, options: &AnswerOptions) -> Thought {
    let messages = [Message::text(Role::User, "which is cheaper?")];
    thinking::answer(conversation, &messages, options, Mode::Thinking { budget }, &mut go_on).unwrap()
}

#[test]
fn chains_share_the_budget_to_the_token() {
    for name in MODELS {
        for (chains, budget) in [(2, 20), (3, 20), (5, 5), (9, 4)] {
            let options = AnswerOptions { chains, ..options() };
            let thought = ask_in_chains(&mut conversation(name), budget, &options);
            assert_eq!(thought.reasoning_tokens, budget, "{name}: {chains} chains");
            assert!((1..=chains).contains(&thought.votes) || thought.answer.text.is_empty(), "{thought:?}");
            assert!(thought.answer.answer_tokens() <= 5);
        }
    }
}

#[test]
fn the_prompt_of_chains_is_computed_once() {
    for name in MODELS {
        let mut conversation = conversation(name);
        let one = ask(&mut conversation, Mode::Thinking { budget: 1 }, &mut go_on);
        let options = AnswerOptions { chains: 4, ..options() };
        let mut fresh = self::conversation(name);
        let thought = ask_in_chains(&mut fresh, 16, &options);
        assert_eq!(thought.answer.prefilled_tokens, thought.answer.prompt_tokens, "{name}");
        assert!(thought.answer.prompt_tokens < one.answer.prompt_tokens, "no thoughts are in it");
        let again = ask_in_chains(&mut fresh, 16, &options);
        assert_eq!(again.answer.prefilled_tokens, 1, "{name}: the prompt is remembered");
    }
}

#[test]
fn the_first_chain_thinks_what_one_alone_would() {
    for name in MODELS {
        let alone = ask(&mut conversation(name), Mode::Thinking { budget: 6 }, &mut go_on);
        // All but the first say nothing: there is only one vote.
        let mut conversation = conversation(name);
        let mut thoughts = String::new();
        let options = AnswerOptions { chains: 2, ..options() };
        let messages = [Message::text(Role::User, "which is cheaper?")];
        let mode = Mode::Thinking { budget: 12 };
        let chains = thinking::answer(&mut conversation, &messages, &options, mode, &mut |event| {
            if let Event::Thought(text) = event {
                thoughts.push_str(text);
            }
            ControlFlow::Continue(())
        });
        assert_eq!(thoughts.trim(), alone.reasoning, "{name}");
        assert_eq!(chains.unwrap().answer.text, alone.answer.text, "{name}: the first wins where none agree");
    }
}

#[test]
fn chains_that_agree_win() {
    // Held to one word, all come to the same answer.
    let constraint = Some(Constraint::Regex("yes".to_owned()));
    let options = AnswerOptions { chains: 3, constraint, ..options() };
    let thought = ask_in_chains(&mut conversation(MODELS[0]), 12, &options);
    assert_eq!((thought.answer.text.as_str(), thought.votes), ("yes", 3));
    assert_eq!(thought.answer.finish, Finish::End);
}

#[test]
fn chains_can_be_broken_off() {
    let messages = [Message::text(Role::User, "which is cheaper?")];
    let options = AnswerOptions { chains: 3, ..options() };
    let mut seen = 0;
    let mode = Mode::Thinking { budget: 90 };
    let thought = thinking::answer(&mut conversation(MODELS[0]), &messages, &options, mode, &mut |event| {
        seen += usize::from(matches!(event, Event::Thought(_)));
        if seen == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let thought = thought.unwrap();
    assert_eq!(
        (thought.answer.finish, thought.answer.text.as_str(), thought.votes),
        (Finish::Cancelled, "", 0)
    );
    assert_eq!(thought.reasoning_tokens, 12, "four steps of three chains");
}
