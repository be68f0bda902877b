//! Answers that are held to a form, by small models of random weights: whatever they would rather say, what ends by
//! itself has the form.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{
    Answer, AnswerOptions, Constraint, Conversation, Event, Finish, LanguageModel, Sampler, Sampling,
};
use lorgnette_runtime::model::chat_template::{Message, Role};
use lorgnette_runtime::model::decoder::Wanted;
use lorgnette_runtime::{ErrorKind, Result};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

const CAPACITY: usize = 256;
const FAMILY: &str = "👩‍👩‍👧";

type Model = Arc<LanguageModel<Cpu>>;

/// One with a byte-level vocabulary, one with SentencePiece's.
static MODELS: LazyLock<[Model; 2]> = LazyLock::new(|| {
    ["Qwen2.5-tiny", "llama-2-json-v1.0-chat"]
        .map(|name| Arc::new(LanguageModel::load(Cpu, &common::models::converted(name)).unwrap()))
});

fn conversation(model: &Model) -> Conversation<Cpu> {
    Conversation::new(model.clone(), CAPACITY).unwrap()
}

fn held(constraint: Constraint, seed: u64) -> AnswerOptions {
    let sampling = Sampling { temperature: 1.5, seed, ..Sampling::default() };
    AnswerOptions { max_tokens: 160, sampling, constraint: Some(constraint), ..AnswerOptions::default() }
}

fn hello() -> [Message; 1] {
    [Message::text(Role::User, "Hello")]
}

fn ask(conversation: &mut Conversation<Cpu>, options: &AnswerOptions) -> Result<Answer> {
    conversation.answer(&hello(), options, &mut |_| ControlFlow::Continue(()))
}

/// The answers of both models to `constraint` that ended by themselves, of `seeds` each.
fn complete(constraint: &Constraint, seeds: u64) -> Vec<String> {
    let mut texts = Vec::new();
    for model in MODELS.iter() {
        let mut conversation = conversation(model);
        let answers = (0..seeds).map(|seed| ask(&mut conversation, &held(constraint.clone(), seed)).unwrap());
        let ended: Vec<_> = answers.filter(|answer| answer.finish == Finish::End).collect();
        assert!(!ended.is_empty(), "{constraint:?} is never answered");
        texts.extend(ended.into_iter().map(|answer| answer.text));
    }
    texts
}

fn schema() -> Constraint {
    Constraint::JsonSchema(json!({
        "type": "object",
        "properties": {
            "colour": {"enum": ["red", "grün", "🟦 blue", FAMILY]},
            "count": {"type": "integer", "minimum": -3, "maximum": 40},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 8}, "minItems": 1, "maxItems": 3},
            "note": {"$ref": "#/$defs/note"},
        },
        "required": ["colour", "count", "tags"],
        "additionalProperties": false,
        "$defs": {"note": {"type": ["boolean", "null"]}},
    }))
}

fn fits(answer: &Value) -> bool {
    let keys = answer.as_object().unwrap();
    let tags = answer["tags"].as_array().unwrap();
    let short = |tag: &Value| tag.as_str().is_some_and(|tag| tag.chars().count() <= 8);
    keys.keys().all(|key| ["colour", "count", "tags", "note"].contains(&key.as_str()))
        && answer["colour"].as_str().is_some_and(|c| ["red", "grün", "🟦 blue", FAMILY].contains(&c))
        && answer["count"]
            .as_f64()
            .is_some_and(|count| count.fract() == 0.0 && (-3.0..=40.0).contains(&count))
        && (1..=3).contains(&tags.len())
        && tags.iter().all(short)
        && keys.get("note").is_none_or(|note| note.is_boolean() || note.is_null())
}

#[test]
fn answers_fit_their_schema() {
    let answers = complete(&schema(), 40);
    assert!(answers.len() > 40, "most are short enough: {}", answers.len());
    for text in answers {
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(fits(&answer), "{text}");
    }
}

#[test]
fn every_way_of_choosing_is_held() {
    let greedy = Sampling { repetition_penalty: 1.3, ..Sampling::default() };
    let few = Sampling { temperature: 5.0, top_k: 3, top_p: 0.9, min_p: 0.05, ..Sampling::default() };
    for model in MODELS.iter() {
        for sampling in [greedy, few] {
            let short = Constraint::Regex("[a-f]{4}-[0-9]{2}".into());
            let options = AnswerOptions { sampling, ..held(short, 0) };
            let answer = ask(&mut conversation(model), &options).unwrap();
            assert_eq!((answer.finish, answer.text.len()), (Finish::End, 7));
            let (letters, digits) = answer.text.split_once('-').unwrap();
            assert!(letters.bytes().all(|b| (b'a'..=b'f').contains(&b)), "{}", answer.text);
            assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{}", answer.text);
        }
    }
}

#[test]
fn any_json_object_is_json() {
    for text in complete(&Constraint::Json, 40) {
        assert!(text.starts_with('{'), "{text}");
        serde_json::from_str::<IgnoredAny>(&text).unwrap();
    }
}

#[test]
fn a_grammar_is_followed() {
    let lark = "start: pair (\", \" pair)*\npair: NAME \"=\" NAME\nNAME: /[a-z]{1,6}/\n";
    for text in complete(&Constraint::Grammar(lark.into()), 10) {
        for pair in text.split(", ") {
            let (key, value) = pair.split_once('=').unwrap();
            let name =
                |name: &str| (1..=6).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase());
            assert!(name(key) && name(value), "{text}");
        }
    }
}

#[test]
fn characters_of_many_tokens_are_whole() {
    for model in MODELS.iter() {
        let answer = ask(&mut conversation(model), &held(Constraint::Regex(FAMILY.into()), 0)).unwrap();
        assert_eq!((answer.finish, answer.text.as_str()), (Finish::End, FAMILY));
        assert!(answer.answer_tokens() > FAMILY.chars().count());
    }
}

#[test]
fn what_is_shown_is_what_was_matched() {
    // SentencePiece's text starts with a space that is not shown, but for constraints.
    for text in [" a b", "a b", "  a"] {
        assert_eq!(complete(&Constraint::Regex(text.into()), 1), [text; 2]);
    }
}

#[test]
fn answers_without_a_constraint_are_as_ever() {
    for model in MODELS.iter() {
        let options = AnswerOptions { constraint: None, max_tokens: 30, ..held(Constraint::Json, 3) };
        let mut said: Vec<_> = model.prompt(&hello(), &options.render).unwrap().tokens().collect();
        let start = said.len();
        let mut sequence = model.decoder().sequence(CAPACITY).unwrap();
        let mut sampler = Sampler::new(options.sampling);
        let mut logits = model.decoder().forward(&mut sequence, &said, Wanted::Last).unwrap();
        for _ in 0..options.max_tokens {
            let token = sampler.choose(&mut logits, &said);
            if model.tokenizer().is_end(token) {
                break;
            }
            logits = model.decoder().forward(&mut sequence, &[token], Wanted::Last).unwrap();
            said.push(token);
        }
        let mut conversation = conversation(model);
        let first = ask(&mut conversation, &options).unwrap();
        assert_eq!(first.text, model.tokenizer().decode(&said[start..]));
        ask(&mut conversation, &held(schema(), 0)).unwrap();
        assert_eq!(ask(&mut conversation, &options).unwrap().text, first.text);
    }
}

#[test]
fn a_cut_answer_is_a_beginning() {
    for model in MODELS.iter() {
        let mut conversation = conversation(model);
        let whole = ask(&mut conversation, &held(schema(), 1)).unwrap();
        let options = AnswerOptions { max_tokens: 7, ..held(schema(), 1) };
        let short = ask(&mut conversation, &options).unwrap();
        assert_eq!((short.finish, short.answer_tokens()), (Finish::Length, 7));
        assert!(whole.text.starts_with(&short.text), "{whole:?} {short:?}");

        let options = AnswerOptions { stop: vec!["count".into()], ..held(schema(), 1) };
        let stopped = ask(&mut conversation, &options).unwrap();
        assert_eq!(stopped.finish, Finish::Stop);
        assert_eq!(stopped.text, whole.text[..whole.text.find("count").unwrap()]);
    }
}

#[test]
fn an_answer_that_was_broken_off_can_be_given_again() {
    for model in MODELS.iter() {
        let whole = ask(&mut conversation(model), &held(schema(), 5)).unwrap();
        let mut conversation = conversation(model);
        for after in [1, 4] {
            let mut pieces = 0;
            let broken = conversation.answer(&hello(), &held(schema(), 5), &mut |event| {
                pieces += usize::from(matches!(event, Event::Piece(_)));
                if pieces == after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!(broken.unwrap().finish, Finish::Cancelled);
        }
        assert_eq!(ask(&mut conversation, &held(schema(), 5)).unwrap().text, whole.text);
    }
}

/// What does not compile is refused before anything is computed, and the conversation goes on.
#[test]
fn what_cannot_be_held_is_refused_and_nothing_is_lost() {
    let nested = (0..200).fold(json!(true), |items, _| json!({"type": "array", "items": items}));
    let grammar = |lark: &str| Constraint::Grammar(lark.into());
    let regex = |regex: &str| Constraint::Regex(regex.into());
    let cases = [
        (Constraint::JsonSchema(json!(7)), "JSON schema: schema must be an object or boolean"),
        (Constraint::JsonSchema(json!({"type": "objekt"})), "JSON schema: Invalid type: objekt"),
        (Constraint::JsonSchema(json!(false)), "JSON schema: Unsatisfiable schema"),
        (Constraint::JsonSchema(json!({"not": {}})), "JSON schema: Unimplemented keys: [\"not\"]"),
        (Constraint::JsonSchema(nested), "JSON schema: found 129 values in each other, expected at most 128"),
        (
            Constraint::JsonSchema(json!({"$ref": "https://example.com/a.json"})),
            "JSON schema: Only absolute $ref's",
        ),
        (
            Constraint::JsonSchema(json!({"$ref": "#"})),
            "JSON schema: no token of the vocabulary can come next",
        ),
        (Constraint::JsonSchema(json!({"enum": vec!["x"; 10_000]})), "JSON schema: found 90"),
        (Constraint::JsonSchema(json!({"type": "integer", "minimum": -1e300})), "JSON schema: panic"),
        (grammar("start: (\"a\"\n"), "grammar: 1(12): Expected token ')'"),
        (grammar("start: start \"a\"\n"), "grammar: no token of the vocabulary can come next"),
        (grammar("start: %json {\"$ref\": \"file:///etc/hostname\"}\n"), "Only absolute $ref's"),
        (grammar(&"#".repeat(100_000)), "grammar: found 100000 bytes, expected at most 65536"),
        (regex("("), "unclosed group"),
        (regex("a(?=b)"), "look-around"),
        (regex(&"(".repeat(30_000)), "regex: "),
    ];
    let mut conversation = conversation(&MODELS[0]);
    let before = ask(&mut conversation, &held(schema(), 2)).unwrap();
    for (constraint, message) in cases {
        let computed = |_: Event<'_>| unreachable!("{message}");
        let error = conversation.answer(&hello(), &held(constraint, 0), &mut { computed }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
        let said = error.to_string();
        assert!(said.contains(message) && said.len() < 600, "{said}");
    }
    let after = ask(&mut conversation, &held(schema(), 2)).unwrap();
    assert_eq!((after.text, after.prefilled_tokens), (before.text, 1), "what was said is still remembered");
}

/// These are large, deep or ambiguous, and end all the same: with an answer or an error.
#[test]
fn constraints_that_mean_harm_come_to_an_end() {
    let chain = |rule: &str, name: &str, len: usize| {
        let rules = (0..len).map(|i| format!("{name}{i}: \"x\" {name}{}\n", i + 1));
        Constraint::Grammar(format!("start: {rule}0\n{}{name}{len}: \"y\"\n", rules.collect::<String>()))
    };
    let definitions = (0..1200).map(|i| (format!("d{i}"), json!({"$ref": format!("#/$defs/d{}", i + 1)})));
    let mut definitions: serde_json::Map<_, _> = definitions.collect();
    definitions.insert("d1200".into(), json!({"type": "null"}));
    let option = |i| json!({"type": "object", "properties": {format!("p{i}"): {"type": "integer"}}});
    let options = json!({"anyOf": (0..10).map(option).collect::<Vec<_>>()});
    let long = |i| json!({"type": "string", "minLength": i, "maxLength": 3 * i});
    let cases = [
        chain("r", "r", 2500),
        chain("T", "T", 2500),
        Constraint::Grammar("start: start start | \"a\" | \"\"\n".into()),
        Constraint::Grammar("start: a{1000000000}\na: \"x\" | \"y\" start\n".into()),
        Constraint::JsonSchema(json!({"$defs": definitions, "$ref": "#/$defs/d0"})),
        Constraint::JsonSchema(json!({"allOf": vec![options; 8]})),
        Constraint::JsonSchema(json!({"anyOf": (0..500).map(long).collect::<Vec<_>>()})),
        Constraint::JsonSchema(
            json!({"type": "array", "items": {"type": "null"}, "minItems": 1_000_000_000}),
        ),
        Constraint::JsonSchema(
            json!({"type": "string", "pattern": "(a+)+(b+)+(a|aa)*$", "minLength": 100_000}),
        ),
        Constraint::Regex("((a|b{1,1000}){1,1000}c?){1,1000}".into()),
        Constraint::Regex("(a|b)*a(a|b){300}".into()),
        Constraint::Regex("\\p{L}{1000}\\w{1000}".into()),
    ];
    let mut conversation = conversation(&MODELS[0]);
    let mut answered = 0;
    for constraint in cases {
        match ask(&mut conversation, &held(constraint, 0)) {
            Ok(_) => answered += 1,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Argument, "{error}"),
        }
    }
    assert!(answered >= 6, "{answered}");
}

#[test]
fn a_schema_that_is_too_deep_is_refused_on_a_small_stack() {
    // Built and dropped by hand: serde_json itself recurses when it drops.
    let deep = (0..100_000).fold(json!(1), |value, _| Value::Array(vec![value]));
    let options = std::mem::ManuallyDrop::new(held(Constraint::JsonSchema(deep), 0));
    let error = ask(&mut conversation(&MODELS[0]), &options).unwrap_err();
    assert_eq!(error.to_string(), "JSON schema: found 129 values in each other, expected at most 128");
    let Some(Constraint::JsonSchema(mut deep)) = std::mem::ManuallyDrop::into_inner(options).constraint
    else {
        unreachable!("as made")
    };
    while let Some(inner) = deep.as_array_mut().and_then(Vec::pop) {
        deep = inner;
    }
}

#[test]
fn threads_share_a_model_and_its_constraints() {
    let ask = || ask(&mut conversation(&MODELS[1]), &held(schema(), 9)).unwrap().text;
    let texts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_of_any_strings_is_answered(strings in prop::collection::vec(any::<String>(), 1..4), seed: u64) {
        let constraint = Constraint::JsonSchema(json!({"enum": strings}));
        for model in MODELS.iter() {
            let options = AnswerOptions { max_tokens: CAPACITY, ..held(constraint.clone(), seed) };
            let answer = ask(&mut conversation(model), &options).unwrap();
            if answer.finish == Finish::End {
                let text: String = serde_json::from_str(&answer.text).unwrap();
                prop_assert!(strings.contains(&text), "{:?}", text);
            } else {
                prop_assert_eq!(answer.finish, Finish::ContextFull);
            }
        }
    }
}
