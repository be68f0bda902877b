//! Whole models on the GPU: what they say is what the processor says, and what it takes is counted.

#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/adapter.rs"]
mod adapter;
mod common;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use adapter::gpu;
use common::models::{converted, converted_with_towers};
use common::multimodal::multimodal;
use lorgnette_device::clock::ManualClock;
use lorgnette_quant::gguf::Gguf;
use lorgnette_quant::quantize::{Mix, Options, quantize};
use lorgnette_runtime::TokenId;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::backend::gpu::{Counters, Without};
use lorgnette_runtime::conversation::{
    Answer, AnswerOptions, Constraint, Conversation, Event, Finish, LanguageModel, Sampling, Slot,
};
use lorgnette_runtime::live::{Done, Engine, Job, Relay, Worker};
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::model::audio::Clip;
use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::decoder::{Decoder, Input, Wanted};
use lorgnette_runtime::model::media::{Image, Sound};
use lorgnette_runtime::model::vision::{Picture, Place, Tile, VisionTower};

/// The likeliest tokens after `prompt`, one after the other, each fed back where it was chosen.
fn continued<B: Backend>(backend: B, model: &Arc<Gguf>, prompt: &[TokenId], count: usize) -> Vec<TokenId> {
    let decoder = Decoder::load(backend, model).unwrap();
    let mut sequence = decoder.exact_sequence(prompt.len() + count).unwrap();
    let mut logits = decoder.advance(&mut sequence, &[Input::Tokens(prompt)], Wanted::Last).unwrap();
    let mut made = Vec::new();
    loop {
        let token = decoder.backend().likeliest(&logits, None).unwrap();
        made.push(decoder.backend().token(&token).unwrap());
        if made.len() == count {
            return made;
        }
        logits = decoder.advance(&mut sequence, &[Input::Chosen(&token)], Wanted::Last).unwrap();
    }
}

#[test]
fn greedy_continuations_are_those_of_the_processor() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let prompt: Vec<TokenId> = (1..30).collect();
    for name in ["Llama-3.2-tiny-Instruct", "Qwen2.5-tiny", "qwen3-0.6b"] {
        let model = converted(name);
        let count = 64.min(Decoder::load(Cpu, &model).unwrap().config().context - prompt.len());
        let found = continued(gpu.clone(), &model, &prompt, count);
        assert_eq!(found, continued(Cpu, &model, &prompt, count), "{name}");
    }
}

#[test]
fn rows_of_a_picture_are_those_of_the_processor() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let (_, mmproj) = converted_with_towers("SmolVLM2-tiny-Video-Instruct");
    let on_gpu = VisionTower::load(gpu.clone(), &mmproj).unwrap().unwrap();
    let on_cpu = VisionTower::load(Cpu, &mmproj).unwrap().unwrap();
    let side = on_cpu.preprocessor().tile();
    let values = (0..3 * side * side).map(|i| (i % 255) as f32 / 127.5 - 1.0).collect();
    let tile = Tile { place: Place::Overview, side, values };
    let found = gpu.download(on_gpu.encode(&tile).unwrap()).unwrap();
    let expected = Cpu.download(on_cpu.encode(&tile).unwrap()).unwrap();
    let furthest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(found.len() == expected.len() && furthest < 1e-4, "{furthest}");
}

/// A quantized copy of a committed model.
fn quantized(name: &str, mix: Mix) -> (tempfile::TempDir, Arc<Gguf>) {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from.gguf"), folder.path().join("to.gguf"));
    common::models::save(name, &from);
    quantize(&from, &to, &Options { mix, ..Options::default() }, &()).unwrap();
    let model = Arc::new(Gguf::open(to).unwrap());
    (folder, model)
}

#[test]
fn a_token_takes_one_pass_one_submission_and_four_bytes() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let (_folder, model) = quantized("Llama-3.2-tiny-Instruct", Mix::Q4_K_M);
    let decoder = Decoder::load(gpu.clone(), &model).unwrap();
    let layers = decoder.config().layers as u64;
    let mut sequence = decoder.sequence(40).unwrap();
    let logits = decoder.advance(&mut sequence, &[Input::Tokens(&[1, 2, 3])], Wanted::Last).unwrap();
    let mut token = gpu.likeliest(&logits, None).unwrap();
    gpu.send(&mut token).unwrap();
    for step in 0..16 {
        let before = gpu.counters();
        let next = decoder.follow(&mut sequence, &token).unwrap();
        gpu.token(&token).unwrap();
        token = next;
        let taken = gpu.counters() - before;
        // A choice, a row of the table, the layers, the head.
        assert!(taken.dispatches <= 3 + 7 * layers, "{taken:?}");
        let expected = Counters {
            dispatches: taken.dispatches,
            passes: 1,
            submits: 1,
            bytes_read: 4,
            ..Counters::default()
        };
        // In the first ones buffers find their places.
        assert!(step < 8 || taken == expected, "step {step}: {taken:?}");
    }
}

#[test]
fn a_hidden_state_takes_one_dispatch_and_its_bytes_and_is_that_of_the_processor() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let model = converted("Llama-3.2-tiny-Instruct");
    let tokens: Vec<TokenId> = (1..30).collect();
    let decoder = Decoder::load(gpu.clone(), &model).unwrap();
    let mut sequence = decoder.exact_sequence(40).unwrap();
    let advanced = decoder.advance_with_states(&mut sequence, &[Input::Tokens(&tokens)]).unwrap();
    gpu.finish().unwrap();
    let before = gpu.counters();
    let found = decoder.state(&advanced).unwrap();
    let taken = gpu.counters() - before;
    assert_eq!((taken.dispatches, taken.bytes_read), (1, 4 * found.len() as u64));
    let before = gpu.counters();
    gpu.download(advanced.logits).unwrap();
    assert_eq!((gpu.counters() - before).dispatches, 0, "the logits were computed with it");

    let decoder = Decoder::load(Cpu, &model).unwrap();
    let mut sequence = decoder.exact_sequence(40).unwrap();
    let advanced = decoder.advance_with_states(&mut sequence, &[Input::Tokens(&tokens)]).unwrap();
    let expected = decoder.state(&advanced).unwrap();
    let furthest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(found.len() == decoder.config().width && furthest < 1e-3, "{furthest}");
    let mean_square = expected.iter().map(|x| x * x).sum::<f32>() / expected.len() as f32;
    assert!((mean_square - 1.0).abs() < 1e-3, "{mean_square}");
}

#[test]
fn long_work_is_submitted_in_slices_and_the_same() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let (_folder, model) = quantized("Llama-3.2-tiny-Instruct", Mix::Q4_0);
    let prompt: Vec<TokenId> = (1..30).collect();
    let mut taken = [Duration::from_secs(1), Duration::ZERO].map(|slice| {
        gpu.set_slice(slice);
        let before = gpu.counters();
        let found = continued(gpu.clone(), &model, &prompt, 4);
        (found, (gpu.counters() - before).submits)
    });
    let [(whole, few), (in_slices, many)] = &mut taken;
    assert_eq!(whole, in_slices);
    assert!(*many > 10 * *few, "{few} and {many}");
}

#[test]
fn a_prompt_is_broken_off_between_slices() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let model = converted("Qwen2.5-tiny");
    let options = AnswerOptions { max_tokens: 4, ..AnswerOptions::default() };
    let expected = answer(Cpu, &model, &options);
    gpu.set_slice(Duration::ZERO);
    let mut conversation = conversation(gpu.clone(), &model);
    let mut run = |most: usize| {
        let (before, mut slices) = (gpu.counters(), 0);
        let answer = conversation.answer(&question(), &options, &mut |event| {
            slices += usize::from(event == Event::Computing);
            if slices == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (answer.unwrap(), (gpu.counters() - before).submits, conversation.slots().len())
    };
    let (answer, few, remembered) = run(5);
    // Two slices before the first look, and one for each look.
    assert!(answer.finish == Finish::Cancelled && few <= 2 + 5 && remembered == 0, "{few}, {remembered}");
    let (answer, many, _) = run(usize::MAX);
    assert!(answer.text == expected && many > 20 * few, "{answer:?}, {many}");
}

/// What is said and remembered in two turns, of which the first is broken off at a piece.
fn interrupted<B: Backend>(backend: B, model: &Arc<Gguf>, piece: usize) -> Vec<(String, Vec<Slot>)> {
    let mut conversation = conversation(backend, model);
    let options = AnswerOptions { max_tokens: 12, ..AnswerOptions::default() };
    let mut turn = |last: usize| {
        let mut pieces = 0;
        let answer = conversation.answer(&question(), &options, &mut |event| {
            pieces += usize::from(matches!(event, Event::Piece(_)));
            if pieces == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (answer.unwrap().text, conversation.slots().to_vec())
    };
    vec![turn(piece), turn(usize::MAX)]
}

#[test]
fn a_token_that_was_computed_ahead_is_forgotten() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let model = converted("Qwen2.5-tiny");
    for piece in [1, 3] {
        let found = interrupted(gpu.clone(), &model, piece);
        assert_eq!(found, interrupted(Cpu, &model, piece));
        assert!(!found[0].0.is_empty() && found[0].0.len() < found[1].0.len(), "{found:?}");
    }
}

#[test]
fn answers_are_those_of_the_processor_and_read_little() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let model = converted("Qwen2.5-tiny");
    let sampled =
        Sampling { temperature: 0.9, top_k: 20, repetition_penalty: 1.2, seed: 7, ..Sampling::default() };
    for (sampling, constraint) in [
        (Sampling::default(), None),
        (sampled, None),
        (Sampling::default(), Some(Constraint::Regex("[a-f]{20,30}".into()))),
        (sampled, Some(Constraint::Regex("[a-f]{20,30}".into()))),
    ] {
        let options = AnswerOptions { sampling, constraint, max_tokens: 12, ..AnswerOptions::default() };
        let before = gpu.counters();
        let found = answer(gpu.clone(), &model, &options);
        assert_eq!(found, answer(Cpu, &model, &options), "{sampling:?}");
        // Eight bytes for each of the candidates: those that stay, and as many as were said.
        let most = if sampling.temperature == 0.0 { 4 } else { 8 * (20 + 64) };
        assert!((gpu.counters() - before).bytes_read <= most * 12, "{sampling:?}");
    }
}

fn answer<B: Backend>(backend: B, model: &Arc<Gguf>, options: &AnswerOptions) -> String {
    let mut conversation = conversation(backend, model);
    conversation.answer(&question(), options, &mut |_| ControlFlow::Continue(())).unwrap().text
}

fn conversation<B: Backend>(backend: B, model: &Arc<Gguf>) -> Conversation<B> {
    Conversation::new(Arc::new(LanguageModel::load(backend, model).unwrap()), 128).unwrap()
}

fn question() -> [Message; 1] {
    [Message::text(Role::User, "what is it?")]
}

/// What a model that sees and hears says and remembers of a picture with a spoken question, and of one typed after it.
fn seen_and_heard<B: Backend>(backend: B) -> Vec<(Answer, Vec<Slot>)> {
    let mut conversation = Conversation::new(Arc::new(multimodal(backend, None)), 400).unwrap();
    let picture = Picture::new(20, 12, (0..720).map(|i| (i * 7 % 251) as u8).collect()).unwrap();
    let clip = Clip::new((0..9000).map(|i| (i * 4 % 97) as f32 / 97.0 - 0.5).collect()).unwrap();
    let spoken = vec![Part::Image(Image::new(picture)), Part::Audio(Sound::new(clip))];
    let options = AnswerOptions { max_tokens: 12, ..AnswerOptions::default() };
    let mut messages = Vec::new();
    let mut ask = |parts: Vec<Part>| {
        messages.push(Message::parts(Role::User, parts));
        let answer = conversation.answer(&messages, &options, &mut |_| ControlFlow::Continue(())).unwrap();
        messages.push(Message::text(Role::Assistant, answer.text.clone()));
        (answer, conversation.slots().to_vec())
    };
    vec![ask(spoken), ask(vec![Part::Text("and what does it cost?".into())])]
}

#[test]
fn a_turn_with_picture_and_sound_is_that_of_the_processor() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let expected = seen_and_heard(Cpu);
    assert_eq!((expected[0].0.vision_passes, expected[0].0.audio_passes), (1, 1));
    assert_eq!(seen_and_heard(gpu.clone()), expected);
    gpu.set_slice(Duration::ZERO);
    assert_eq!(seen_and_heard(gpu), expected, "in slices");
}

fn engine<B: Backend>(backend: B) -> Engine<B> {
    let model = Arc::new(LanguageModel::load(backend, &converted("Qwen2.5-tiny")).unwrap());
    let options = AnswerOptions { max_tokens: 12, ..AnswerOptions::default() };
    Engine::new(model, 128, Vec::new(), options, Arc::new(ManualClock::default())).unwrap()
}

/// What is shown and what is answered in two turns; `on_piece` is called at each piece.
fn talked(worker: &mut impl Worker, on_piece: &dyn Fn()) -> Vec<(String, String)> {
    let mut turn = |number: u64| {
        let (mut shown, mut text) = (String::new(), String::new());
        let question = Job::Read("what is it?".into());
        for job in [Job::Begin(None), question, Job::Answer(number, Some(Mode::Instant)), Job::Keep] {
            worker.run(job, &mut |done| match done {
                Done::Piece(_, piece) => {
                    shown.push_str(&piece);
                    on_piece();
                }
                Done::Answered(_, answered) => text = answered.answer.text,
                Done::Failed(_, error) => panic!("{error}"),
                _ => {}
            });
        }
        (shown, text)
    };
    [turn(1), turn(2)].to_vec()
}

#[test]
fn a_turn_whose_device_is_lost_is_answered_by_the_processor() {
    let Some(gpu) = gpu(Without::default()) else { return };
    let expected = talked(&mut engine(Cpu), &|| {});
    assert!(expected.iter().all(|(shown, text)| shown == text && !text.is_empty()), "{expected:?}");
    let mut relay = Relay::new(
        engine(gpu.clone()),
        Box::new(|history| {
            assert!(history.is_empty());
            Ok(engine(Cpu))
        }),
    );
    assert_eq!(talked(&mut relay, &|| gpu.destroy()), expected);
}
