//! Questions that are heard while they are spoken.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use common::models::converted;
use common::multimodal::multimodal;
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{Answer, AnswerOptions, Conversation, LanguageModel, Recording};
use lorgnette_runtime::model::audio::Clip;
use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::media::{Image, Sound};
use lorgnette_runtime::model::vision::Picture;
use proptest::prelude::*;

/// Frames of 10 ms in a block.
const BLOCK: u32 = 8;

/// A model that hears in blocks, or whole clips.
fn model(block: Option<u32>) -> Arc<LanguageModel<Cpu>> {
    Arc::new(multimodal(Cpu, block))
}

fn samples(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7 + i / 50) % 97) as f32 / 97.0 - 0.5).collect()
}

fn image() -> Part {
    Part::Image(Image::new(Picture::new(5, 5, vec![9; 75]).unwrap()))
}

fn turn(sound: Option<Sound>) -> [Message; 1] {
    let parts = [Some(image()), sound.map(Part::Audio)].into_iter().flatten().collect();
    [Message::parts(Role::User, parts)]
}

fn options() -> AnswerOptions {
    AnswerOptions { max_tokens: 6, ..AnswerOptions::default() }
}

fn go_on(_: lorgnette_runtime::conversation::Event<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn answer(conversation: &mut Conversation<Cpu>, sound: Sound) -> Answer {
    conversation.answer(&turn(Some(sound)), &options(), &mut go_on).unwrap()
}

fn prepare(conversation: &mut Conversation<Cpu>, sound: Option<Sound>) -> Answer {
    conversation.prepare(&turn(sound), &options(), &mut go_on).unwrap()
}

/// A question that was heard in chunks, with all work done that could be: the passes and the answer after its end.
fn heard(model: &Arc<LanguageModel<Cpu>>, samples: &[f32], chunk: usize) -> (usize, Answer) {
    let mut conversation = Conversation::new(Arc::clone(model), 400).unwrap();
    let mut recording = Recording::new(Arc::clone(model)).unwrap();
    prepare(&mut conversation, None);
    for samples in samples.chunks(chunk) {
        if recording.push(samples).unwrap() > 0 {
            prepare(&mut conversation, recording.complete());
        }
    }
    let before = recording.passes();
    let sound = recording.sound().unwrap().unwrap();
    (recording.passes() - before, answer(&mut conversation, sound))
}

#[test]
fn after_the_end_at_most_a_block_and_the_suffix_are_left_whatever_the_length() {
    let model = model(Some(BLOCK));
    let tower = model.audio().unwrap();
    let most = tower.tokens(BLOCK as usize * 160);
    let mut suffixes = Vec::new();
    for count in [3_000, 12_345, 33_000] {
        let (passes, answer) = heard(&model, &samples(count), 320);
        assert!(passes <= 1, "{passes} passes after the end");
        assert_eq!((answer.vision_passes, answer.audio_passes, answer.prefilled_image_tokens), (0, 0, 0));
        assert!(answer.prefilled_audio_tokens <= most, "{}", answer.prefilled_audio_tokens);
        assert!(answer.prompt_tokens >= tower.tokens(count));
        suffixes.push(answer.prefilled_tokens - answer.prefilled_audio_tokens);
    }
    assert!(suffixes.iter().all(|suffix| *suffix == suffixes[0]), "{suffixes:?}");
}

#[test]
fn what_was_prepared_is_not_computed_again() {
    let model = model(Some(BLOCK));
    let mut conversation = Conversation::new(Arc::clone(&model), 400).unwrap();
    let first = prepare(&mut conversation, None);
    assert_eq!((first.vision_passes, first.prefilled_tokens), (1, first.prompt_tokens));
    let again = prepare(&mut conversation, None);
    assert_eq!((again.vision_passes, again.prefilled_tokens), (0, 0));
}

#[test]
fn words_and_earlier_turns_are_prepared_too() {
    let model = model(Some(BLOCK));
    let mut conversation = Conversation::new(Arc::clone(&model), 400).unwrap();
    let mut messages =
        vec![Message::text(Role::System, "be brief"), Message::text(Role::User, "what is the price")];
    let prepared = conversation.prepare(&messages, &options(), &mut go_on).unwrap();
    messages[1] = Message::text(Role::User, "what is the price of milk?");
    let first = conversation.answer(&messages, &options(), &mut go_on).unwrap();
    assert!(prepared.prefilled_tokens > 3);
    assert_eq!(first.prefilled_tokens, first.prompt_tokens - prepared.prompt_tokens);

    messages.push(Message::text(Role::Assistant, first.text));
    conversation.prepare(&messages, &options(), &mut go_on).unwrap();
    messages.push(Message::text(Role::User, "and now?"));
    let second = conversation.answer(&messages, &options(), &mut go_on).unwrap();
    assert!(second.prefilled_tokens < second.prompt_tokens / 2, "the turns before were prepared");
}

#[test]
fn a_tower_without_blocks_hears_at_the_end() {
    let model = model(None);
    let (passes, answer) = heard(&model, &samples(9_000), 700);
    assert_eq!((passes, answer.audio_passes), (0, 1));
    assert_eq!(answer.prefilled_audio_tokens, model.audio().unwrap().tokens(9_000));
}

#[test]
fn blocks_that_the_model_gave_up_are_encoded_again() {
    let (model, fresh) = (model(Some(BLOCK)), model(Some(BLOCK)));
    let (_, expected) = heard(&model, &samples(20_000), 320);
    let sound = Sound::new(Clip::new(samples(20_000)).unwrap());
    let whole = answer(&mut Conversation::new(fresh, 400).unwrap(), sound);
    assert_eq!(whole.text, expected.text);
    assert_eq!(whole.audio_passes, 20_000 / 160 / BLOCK as usize + 1);
}

#[test]
fn who_does_not_hear_records_nothing() {
    let deaf = LanguageModel::load(Cpu, &converted("SmolVLM2-tiny-Video-Instruct")).unwrap();
    let error = Recording::new(Arc::new(deaf)).map(drop).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Unsupported, "recording"));
}

#[test]
fn a_sample_that_is_no_number_is_not_taken() {
    let mut recording = Recording::new(model(Some(BLOCK))).unwrap();
    recording.push(&samples(500)).unwrap();
    assert_eq!(recording.push(&[0.0, f32::NAN]).unwrap_err().kind(), ErrorKind::Malformed);
    assert_eq!(recording.samples(), 500);
    recording.reset();
    assert!(recording.sound().unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_question_in_chunks_is_the_whole_question(
        count in 200_usize..20_000,
        chunks in prop::collection::vec((1_usize..4_000, any::<bool>()), 1..12),
    ) {
        let model = model(Some(BLOCK));
        let samples = samples(count);
        let mut recording = Recording::new(Arc::clone(&model)).unwrap();
        let mut conversation = Conversation::new(Arc::clone(&model), 400).unwrap();
        let mut at = 0;
        for (len, looked_at) in chunks.into_iter().cycle() {
            let end = count.min(at + len);
            recording.push(&samples[at..end]).unwrap();
            at = end;
            if at == count {
                break;
            }
            if looked_at && let Some(sound) = recording.sound().unwrap() {
                prepare(&mut conversation, Some(sound));
            }
        }
        let sound = recording.sound().unwrap().unwrap();
        prop_assert!(sound == Sound::new(Clip::new(samples).unwrap()));
        let streamed = answer(&mut conversation, sound.clone());
        prop_assert_eq!(streamed.audio_passes, 0);
        let whole = answer(&mut Conversation::new(self::model(Some(BLOCK)), 400).unwrap(), sound);
        prop_assert_eq!(streamed.text, whole.text);
    }
}
