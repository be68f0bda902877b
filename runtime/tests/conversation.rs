//! Conversations on a small model of random weights: what is computed, what is kept, and how an answer ends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{
    Answer, AnswerOptions, Conversation, Event, Finish, LanguageModel, Sampling, WhenFull,
};
use lorgnette_runtime::model::chat_template::{Message, RenderOptions, Role};
use lorgnette_runtime::model::tokenizer::Special;

const CAPACITY: usize = 256;

fn model() -> Arc<LanguageModel<Cpu>> {
    Arc::new(LanguageModel::load(Cpu, &common::models::converted("Qwen2.5-tiny")).unwrap())
}

fn options(max_tokens: usize) -> AnswerOptions {
    // Warm, so that a model of random weights does not say one token for ever.
    let sampling = Sampling { temperature: 1.5, seed: 4, ..Sampling::default() };
    AnswerOptions { max_tokens, sampling, ..AnswerOptions::default() }
}

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

/// The answer, and the pieces it came in.
fn ask(
    conversation: &mut Conversation<Cpu>,
    messages: &[Message],
    options: &AnswerOptions,
) -> (Answer, Vec<String>) {
    let mut pieces = Vec::new();
    let answer = conversation.answer(messages, options, &mut |event| {
        if let Event::Piece(text) = event {
            pieces.push(text.to_owned());
        }
        ControlFlow::Continue(())
    });
    (answer.unwrap(), pieces)
}

#[test]
fn pieces_make_the_answer() {
    let (answer, pieces) =
        ask(&mut Conversation::new(model(), CAPACITY).unwrap(), &[user("Hello")], &options(40));
    assert_eq!(pieces.concat(), answer.text);
    assert!(pieces.len() > 5 && pieces.iter().all(|piece| !piece.is_empty()));
    assert_eq!((answer.finish, answer.answer_tokens()), (Finish::Length, 40));
}

#[test]
fn only_what_is_new_is_computed() {
    let model = model();
    let mut kept = Conversation::new(model.clone(), CAPACITY).unwrap();
    let mut messages = vec![user("Hello")];
    let (first, _) = ask(&mut kept, &messages, &options(12));
    assert_eq!(first.prefilled_tokens, first.prompt_tokens);

    messages.push(Message::text(Role::Assistant, first.text));
    messages.push(user("And now?"));
    let (second, _) = ask(&mut kept, &messages, &options(12));
    assert!(second.prefilled_tokens <= second.prompt_tokens - first.prompt_tokens, "{second:?}");

    let (again, _) = ask(&mut kept, &messages, &options(12));
    assert_eq!(again.prefilled_tokens, 1, "the last token is computed for its logits");
    let (fresh, _) = ask(&mut Conversation::new(model, CAPACITY).unwrap(), &messages, &options(12));
    assert_eq!((&again.text, &second.text), (&fresh.text, &fresh.text), "remembering changes no answer");
}

#[test]
fn breaking_off_takes_one_token_and_breaks_nothing() {
    let model = model();
    let whole =
        ask(&mut Conversation::new(model.clone(), CAPACITY).unwrap(), &[user("Hello")], &options(20)).0;
    let mut conversation = Conversation::new(model, CAPACITY).unwrap();
    for after in 1..5 {
        let mut pieces = 0;
        let answer = conversation.answer(&[user("Hello")], &options(20), &mut |event| {
            pieces += usize::from(matches!(event, Event::Piece(_)));
            if pieces == after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let answer = answer.unwrap();
        assert_eq!((answer.finish, pieces), (Finish::Cancelled, after));
        assert!(whole.text.starts_with(&answer.text));
    }
    let broken =
        conversation.answer(&[user("Another question")], &options(20), &mut |_| ControlFlow::Break(()));
    assert_eq!(broken.unwrap().answer_tokens(), 0, "in the prompt already");
    assert_eq!(ask(&mut conversation, &[user("Hello")], &options(20)).0.text, whole.text);
}

#[test]
fn a_stop_string_ends_the_answer_before_it() {
    let mut conversation = Conversation::new(model(), CAPACITY).unwrap();
    let whole = ask(&mut conversation, &[user("Hello")], &options(40)).0.text;
    let middle: Vec<char> = whole.chars().skip(10).take(3).collect();
    let stop = String::from_iter(middle);
    let stopped = AnswerOptions { stop: vec![stop.clone()], ..options(40) };
    let (answer, pieces) = ask(&mut conversation, &[user("Hello")], &stopped);
    assert_eq!(answer.finish, Finish::Stop);
    assert_eq!(answer.text, whole[..whole.find(&stop).unwrap()]);
    assert_eq!(pieces.concat(), answer.text);
}

#[test]
fn a_full_context_is_said_and_a_long_prompt_refused() {
    let model = model();
    let prompt = model.prompt(&[user("Hello")], &options(1).render).unwrap().slots().len();
    let mut conversation = Conversation::new(model, prompt + 7).unwrap();
    let (answer, _) = ask(&mut conversation, &[user("Hello")], &options(1000));
    assert_eq!((answer.finish, answer.answer_tokens()), (Finish::ContextFull, 8));

    let long =
        conversation.answer(&[user(&"Hello ".repeat(50))], &options(1), &mut |_| ControlFlow::Continue(()));
    let error = long.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "prompt"));
    assert_eq!(ask(&mut conversation, &[user("Hello")], &options(1000)).0.text, answer.text);
}

#[test]
fn nobody_types_a_control_token() {
    let model = model();
    let end = model.tokenizer().encode("<|im_end|>", Special::Parse);
    let [end] = end[..] else { unreachable!("one token") };
    let count = |text: &str| {
        let prompt = model.prompt(&[user(text)], &options(1).render).unwrap();
        prompt.tokens().filter(|&token| token == end).count()
    };
    assert_eq!(count("hello"), count("hel<|im_end|>lo"));
    assert!(count("hello") > 0, "the template ends turns with it");
}

#[test]
fn a_window_slides_on_and_keeps_the_rules() {
    let model = model();
    let messages = [Message::text(Role::System, "Be short."), user("Hello")];
    let prompt = model.prompt(&messages, &options(1).render).unwrap().slots().len();
    let capacity = prompt + 16;
    let mut conversation = Conversation::new(model.clone(), capacity).unwrap();
    let slide = AnswerOptions { when_full: WhenFull::Slide, ..options(60) };
    let (answer, pieces) = ask(&mut conversation, &messages, &slide);
    assert_eq!((answer.finish, answer.answer_tokens()), (Finish::Length, 60));
    assert_eq!(pieces.concat(), answer.text);
    assert!(answer.forgotten_tokens > 0 && conversation.slots().len() <= capacity);
    let rules = AnswerOptions::default().render;
    let rules =
        model.prompt(&messages[..1], &RenderOptions { add_generation_prompt: false, ..rules }).unwrap();
    assert!(conversation.slots().starts_with(rules.slots()) && rules.slots().len() > 10);
    let (short, _) = ask(&mut Conversation::new(model, CAPACITY).unwrap(), &messages, &options(60));
    let same = short.text.chars().zip(answer.text.chars()).take_while(|(a, b)| a == b).count();
    assert!(same > 5, "until it slides the answer is the same");
}

/// A model whose template is `source`.
fn with_template(source: &str) -> Arc<LanguageModel<Cpu>> {
    let mut parts = common::mmproj::parts(&common::models::converted("Qwen2.5-tiny"));
    parts.0.set("tokenizer.chat_template", source);
    Arc::new(LanguageModel::load(Cpu, &common::mmproj::write(&parts)).unwrap())
}

#[test]
fn a_window_slides_by_whole_turns_and_not_into_another_chat() {
    let model = with_template(include_str!("golden/chat_templates/alternating.jinja"));
    let mut conversation = Conversation::new(model, 150).unwrap();
    let slide = AnswerOptions { when_full: WhenFull::Slide, ..options(4) };
    let mut messages = vec![Message::text(Role::System, "Be short.")];
    let mut forgotten = Vec::new();
    for turn in 0..8 {
        messages.push(user(&format!("Question {turn}, which is not short at all")));
        forgotten.push(ask(&mut conversation, &messages, &slide).0.forgotten_messages);
        messages.push(Message::text(Role::Assistant, "Yes."));
    }
    assert!(forgotten.is_sorted() && forgotten[7] > 0 && forgotten.iter().all(|count| count % 2 == 0));

    let mut other: Vec<_> = (0..3).flat_map(|_| [user("Hi"), Message::text(Role::Assistant, "Ho")]).collect();
    other.push(user("And now?"));
    assert_eq!(ask(&mut conversation, &other, &slide).0.forgotten_messages, 0);
}

#[test]
fn what_a_tool_was_called_with_holds_no_control_token() {
    let source = "{% for message in messages %}{{ message.content }}{{ message.tool_calls }}{% endfor %}";
    let model = with_template(source);
    let mut message = Message::text(Role::Assistant, "");
    message.members.insert("tool_calls".into(), serde_json::json!([{"name": ["<|im_end|>"]}]));
    let end = model.tokenizer().encode("<|im_end|>", Special::Parse)[0];
    let prompt = model.prompt(&[message], &options(1).render).unwrap();
    assert!(prompt.tokens().all(|token| token != end) && prompt.slots().len() > 10);
}
