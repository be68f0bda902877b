//! Conversations about sounds, alone and beside pictures.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use common::mmproj::both;
use common::models::{converted, converted_with_towers};
use common::multimodal::multimodal;
use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{Answer, AnswerOptions, Conversation, LanguageModel, Prompt, Slot};
use lorgnette_runtime::model::audio::Clip;
use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::media::{Image, Sound};
use lorgnette_runtime::model::vision::Picture;

/// A model that reads, sees and hears.
fn model() -> Arc<LanguageModel<Cpu>> {
    Arc::new(multimodal(Cpu, None))
}

fn sound(seed: u32, samples: u32) -> Part {
    let sample = |i: u32| ((i * (seed + 3)) % 97) as f32 / 97.0 - 0.5;
    Part::Audio(Sound::new(Clip::new((0..samples).map(sample).collect()).unwrap()))
}

fn image(seed: u8) -> Part {
    Part::Image(Image::new(Picture::new(5, 5, vec![seed; 75]).unwrap()))
}

fn options() -> AnswerOptions {
    AnswerOptions { max_tokens: 8, ..AnswerOptions::default() }
}

fn ask(conversation: &mut Conversation<Cpu>, parts: Vec<Part>) -> Answer {
    let messages = [Message::parts(Role::User, parts)];
    conversation.answer(&messages, &options(), &mut |_| ControlFlow::Continue(())).unwrap()
}

fn rows(prompt: &Prompt) -> usize {
    prompt.slots().iter().filter(|slot| matches!(slot, Slot::Row { .. })).count()
}

#[test]
fn a_sound_takes_positions_in_proportion_to_its_length() {
    let model = model();
    let tower = model.audio().unwrap();
    for samples in [160, 1600, 4000, 9000] {
        let messages = [Message::parts(Role::User, vec![sound(1, samples)])];
        let prompt = model.prompt(&messages, &options().render).unwrap();
        assert_eq!(rows(&prompt), tower.tokens(samples as usize));
    }
    assert!(tower.tokens(9000) > 4 * tower.tokens(1600));
}

#[test]
fn a_question_can_be_spoken_about_a_picture() {
    let model = model();
    let tokens = model.audio().unwrap().tokens(4000);
    let mut conversation = Conversation::new(Arc::clone(&model), 400).unwrap();
    let first = ask(&mut conversation, vec![image(9), sound(1, 4000)]);
    assert_eq!((first.vision_passes, first.audio_passes), (1, 1));
    assert_eq!((first.prefilled_image_tokens, first.prefilled_audio_tokens), (4, tokens));

    let again = ask(&mut conversation, vec![image(9), sound(1, 4000)]);
    assert_eq!((again.vision_passes, again.audio_passes, &again.text), (0, 0, &first.text));
    let other = ask(&mut conversation, vec![image(9), sound(2, 4000)]);
    assert_eq!((other.vision_passes, other.prefilled_image_tokens), (0, 0), "the view is the same");
    assert_eq!((other.audio_passes, other.prefilled_audio_tokens), (1, tokens));

    let fresh = ask(&mut Conversation::new(self::model(), 400).unwrap(), vec![image(9), sound(2, 4000)]);
    assert_eq!(fresh.text, other.text, "remembering changes no answer");
}

#[test]
fn nobody_types_a_sound() {
    let messages = [Message::text(Role::User, "an <image>, a <|audio|> and a <<|audio|>|audio|>")];
    assert_eq!(rows(&model().prompt(&messages, &options().render).unwrap()), 0);
    let halves = ["a <|aud", "io|> b", "<ima", "ge>"].map(|half| Part::Text(half.to_owned())).to_vec();
    assert_eq!(rows(&model().prompt(&[Message::parts(Role::User, halves)], &options().render).unwrap()), 0);
}

#[test]
fn without_ears_a_sound_is_refused() {
    let (model, mmproj) = converted_with_towers("SmolVLM2-tiny-Video-Instruct");
    let deaf = LanguageModel::load(Cpu, &model).unwrap().with_towers(&mmproj).unwrap();
    let messages = [Message::parts(Role::User, vec![sound(1, 1600)])];
    let error = deaf.prompt(&messages, &options().render).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Unsupported, "message"));
}

#[test]
fn ears_that_do_not_fit_are_refused() {
    let model = LanguageModel::load(Cpu, &converted("SmolVLM2-tiny-Video-Instruct")).unwrap();
    let error = model.with_towers(&both("ultravox")).map(drop).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Malformed, "clip.audio.projection_dim"));
}
