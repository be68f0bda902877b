//! Conversations about pictures: what is encoded, what is computed, and what is remembered.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use common::mmproj::cut;
use common::models::{converted, converted_with_towers};
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{
    Answer, AnswerOptions, Conversation, Event, Finish, LanguageModel, Slot, WhenFull,
};
use lorgnette_runtime::model::chat_template::{Message, Part, Role};
use lorgnette_runtime::model::media::{Detail, Image};
use lorgnette_runtime::model::vision::Picture;
use lorgnette_runtime::{ErrorKind, Result};

const CAPACITY: usize = 400;
/// Rows of a tile of the model.
const ROWS: usize = 4;

fn model() -> Arc<LanguageModel<Cpu>> {
    let (model, mmproj) = converted_with_towers("SmolVLM2-tiny-Video-Instruct");
    Arc::new(LanguageModel::load(Cpu, &model).unwrap().with_towers(&mmproj).unwrap())
}

fn picture(seed: usize, width: usize, height: usize) -> Image {
    let rgb = (0..3 * width * height).map(|i| (i * (seed + 7) % 251) as u8).collect();
    Image::new(Picture::new(width, height, rgb).unwrap())
}

fn about(image: &Image, text: &str) -> Message {
    Message::parts(Role::User, vec![Part::Image(image.clone()), Part::Text(text.to_owned())])
}

fn options(max_tokens: usize) -> AnswerOptions {
    AnswerOptions { max_tokens, ..AnswerOptions::default() }
}

fn ask(conversation: &mut Conversation<Cpu>, messages: &[Message]) -> Answer {
    conversation.answer(messages, &options(8), &mut |_| ControlFlow::Continue(())).unwrap()
}

fn conversation(model: &Arc<LanguageModel<Cpu>>) -> Conversation<Cpu> {
    Conversation::new(Arc::clone(model), CAPACITY).unwrap()
}

#[test]
fn a_picture_is_encoded_once_and_computed_once() {
    let model = model();
    let shelf = picture(1, 20, 12);
    let mut kept = conversation(&model);
    let mut messages = vec![about(&shelf, "What is it?")];
    let first = ask(&mut kept, &messages);
    assert_eq!((first.vision_passes, first.prefilled_image_tokens), (1, ROWS));

    messages.extend([Message::text(Role::Assistant, first.text), Message::text(Role::User, "Which?")]);
    let second = ask(&mut kept, &messages);
    assert_eq!((second.vision_passes, second.prefilled_image_tokens), (0, 0));

    // The same picture, decoded again, and another question about it.
    let again = ask(&mut kept, &[about(&picture(1, 20, 12), "What does it cost?")]);
    assert_eq!((again.vision_passes, again.prefilled_image_tokens), (0, 0));

    let changed = ask(&mut kept, &[about(&picture(2, 20, 12), "What is it?")]);
    assert_eq!((changed.vision_passes, changed.prefilled_image_tokens), (1, ROWS));

    // Back to the first one, whose keys and values the second has overwritten; and from another conversation.
    for conversation in [&mut kept, &mut conversation(&model)] {
        let back = ask(conversation, &messages);
        assert_eq!((back.vision_passes, back.prefilled_image_tokens), (0, 0));
        assert_eq!(back.text, second.text, "remembering changes no answer");
    }

    // Where other words stand before it, its rows are computed again, but not made again.
    let rules = Message::text(Role::System, "Be short.");
    let moved = ask(&mut kept, &[rules, about(&shelf, "What is it?")]);
    assert_eq!((moved.vision_passes, moved.prefilled_image_tokens), (0, ROWS));
    let fresh = ask(&mut conversation(&self::model()), &messages);
    assert_eq!((fresh.vision_passes, &fresh.text), (1, &second.text));
}

#[test]
fn what_was_not_asked_about_for_long_is_computed_again() {
    let model = model();
    let mut conversation = conversation(&model);
    let mut ask = |number| ask(&mut conversation, &[about(&picture(number, 4, 4), "What is it?")]);
    // Each takes more than 20 of the 2048 positions that are kept.
    (0..100).for_each(|number| drop(ask(number)));
    let early = ask(0);
    assert_eq!((early.vision_passes, early.prefilled_image_tokens), (0, ROWS));
    let late = ask(98);
    assert_eq!((late.vision_passes, late.prefilled_image_tokens), (0, 0));
}

#[test]
fn tiles_are_as_many_passes_and_an_overview() {
    let model = model();
    let preprocessor = model.vision().unwrap().preprocessor();
    for (width, height) in [(64, 64), (20, 12), (3, 200), (64, 17)] {
        let shelf = picture(3, width, height).with_detail(Detail::Tiles);
        let pixels = preprocessor.tiles(shelf.picture());
        assert_eq!(preprocessor.grid(shelf.picture()), (pixels.rows, pixels.columns), "{width} x {height}");
        let prompt = model.prompt(&[about(&shelf, "What is it?")], &options(1).render).unwrap();
        let rows = prompt.slots().iter().filter(|slot| matches!(slot, Slot::Row { .. })).count();
        assert_eq!(rows, pixels.tiles.len() * ROWS);
    }
    let shelf = picture(3, 64, 17).with_detail(Detail::Tiles);
    let answer = ask(&mut Conversation::new(Arc::clone(&model), 512).unwrap(), &[about(&shelf, "")]);
    assert_eq!(answer.vision_passes, preprocessor.tiles(shelf.picture()).tiles.len());
}

#[test]
fn pictures_stand_where_they_were_put() {
    let model = model();
    let (a, b) = (picture(1, 9, 9), picture(2, 9, 9));
    let contents = |images: &[&Image]| -> Vec<_> {
        let parts = images.iter().map(|image| Part::Image((*image).clone())).collect();
        let prompt = model.prompt(&[Message::parts(Role::User, parts)], &options(1).render).unwrap();
        let content = |slot: &Slot| match slot {
            Slot::Row { content, row: 0 } => Some(*content),
            _ => None,
        };
        prompt.slots().iter().filter_map(content).collect()
    };
    let [first, second] = contents(&[&a, &b])[..] else { unreachable!("two pictures") };
    assert_ne!(first, second);
    assert_eq!(contents(&[&b, &a, &b]), [second, first, second]);
}

#[test]
fn nobody_types_a_picture() {
    let model = model();
    let rows = |messages: &[Message]| {
        let prompt = model.prompt(messages, &options(1).render).unwrap();
        prompt.slots().iter().filter(|slot| matches!(slot, Slot::Row { .. })).count()
    };
    assert_eq!(rows(&[Message::text(Role::User, "an <image> and <|audio|>")]), 0);
    assert_eq!(rows(&[about(&picture(1, 4, 4), "this <image> or <<image>image>?")]), ROWS);
}

#[test]
fn without_eyes_a_picture_is_refused() {
    let blind = Arc::new(LanguageModel::load(Cpu, &converted("Qwen2.5-tiny")).unwrap());
    let error = blind.prompt(&[about(&picture(1, 4, 4), "What?")], &options(1).render).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Unsupported, "message"));
}

#[test]
fn an_mmproj_that_does_not_fit_is_refused() {
    let (model, mmproj) = converted_with_towers("SmolVLM2-tiny-Video-Instruct");
    let with = |mmproj: &_| -> Result<()> {
        LanguageModel::load(Cpu, &model).unwrap().with_towers(mmproj).map(drop)
    };
    let key = "clip.vision.projection_dim";
    let error = with(&cut(&mmproj, "mm.model.fc.weight", key, 16)).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Malformed, key));
    assert_eq!(with(&converted("Qwen2.5-tiny")).unwrap_err().kind(), ErrorKind::Missing);
}

#[test]
fn breaking_off_between_passes_leaves_the_conversation_usable() {
    let model = model();
    let shelf = picture(3, 64, 17).with_detail(Detail::Tiles);
    let mut conversation = Conversation::new(Arc::clone(&model), 512).unwrap();
    let messages = [about(&shelf, "")];
    let mut passes = 0;
    let broken = conversation.answer(&messages, &options(8), &mut |event| {
        passes += usize::from(matches!(event, Event::Encoded { .. }));
        if passes == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let broken = broken.unwrap();
    assert_eq!((broken.finish, broken.vision_passes, broken.prefilled_tokens), (Finish::Cancelled, 2, 0));
    let whole = ask(&mut conversation, &messages);
    let fresh = ask(&mut Conversation::new(self::model(), 512).unwrap(), &messages);
    assert_eq!(whole.text, fresh.text);
    assert_eq!(whole.vision_passes, fresh.vision_passes - 2, "two tiles are kept");
}

#[test]
fn a_sliding_window_forgets_whole_messages_and_whole_pictures() {
    let model = model();
    let mut conversation = Conversation::new(Arc::clone(&model), 120).unwrap();
    let slide = AnswerOptions { when_full: WhenFull::Slide, ..options(8) };
    let mut messages = vec![Message::text(Role::System, "Be short.")];
    let mut forgotten = 0;
    for turn in 0..6 {
        messages.push(about(&picture(turn, 8, 8), "What is it?"));
        let answer = conversation.answer(&messages, &slide, &mut |_| ControlFlow::Continue(())).unwrap();
        assert!(answer.forgotten_messages >= forgotten && answer.prompt_tokens < 120);
        forgotten = answer.forgotten_messages;
        messages.push(Message::text(Role::Assistant, answer.text));
    }
    assert!(forgotten > 0);
    let refused = conversation.answer(&messages, &options(8), &mut |_| ControlFlow::Continue(()));
    assert_eq!(refused.unwrap_err().field(), "prompt");
}

#[test]
fn in_an_answer_a_picture_is_forgotten_as_a_whole() {
    let model = model();
    let prompt = |text: &str| {
        let parts = vec![Part::Text(text.to_owned()), Part::Image(picture(1, 8, 8))];
        [Message::parts(Role::User, parts)]
    };
    let mut cut = 0;
    // Longer and longer texts before it, so that the half is within it once.
    for length in 0..12 {
        let messages = prompt(&"a".repeat(length));
        let render = options(1).render;
        let capacity = model.prompt(&messages, &render).unwrap().slots().len() + 2;
        let mut conversation = Conversation::new(Arc::clone(&model), capacity).unwrap();
        let slide = AnswerOptions { when_full: WhenFull::Slide, ..options(4) };
        let answer = conversation.answer(&messages, &slide, &mut |_| ControlFlow::Continue(())).unwrap();
        assert!(answer.forgotten_tokens > 0);
        let rows: Vec<_> = conversation.slots().iter().filter(|s| matches!(s, Slot::Row { .. })).collect();
        assert!(rows.is_empty() || rows.len() == ROWS, "{length}");
        cut += usize::from(rows.is_empty());
    }
    assert!(cut > 0);
}
