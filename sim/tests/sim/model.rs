//! Scenarios answered by a model: of random weights, but by every step that a trained one takes.

use std::sync::Arc;

use lorgnette_device::clock::Clock;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{AnswerOptions, LanguageModel};
use lorgnette_runtime::live::Engine;
use lorgnette_sim::Result;
use lorgnette_sim::brain::Brain;
use lorgnette_sim::scenario::{Report, Scenario, run};

use crate::scenarios::setting;
use crate::tiny::multimodal::multimodal;

/// Frames of 10 ms in a block of the audio tower.
const BLOCK: u32 = 20;

/// A model of its own for each talk: what one was shown is not encoded again for others that share it.
pub(crate) fn model() -> Arc<LanguageModel<Cpu>> {
    Arc::new(multimodal(Cpu, Some(BLOCK)))
}

/// A brain that says at most so many tokens.
pub(crate) fn brain(max_tokens: usize, clock: Arc<dyn Clock>) -> Result<Brain> {
    let options = AnswerOptions { max_tokens, ..AnswerOptions::default() };
    let engine = Engine::new(model(), 512, Vec::new(), options, clock)?;
    Ok(Brain { cancel: engine.cancel(), worker: Box::new(engine), model: None })
}

fn play(max_tokens: usize, text: &str) -> Report {
    let scenario = Scenario::parse(text).unwrap();
    run(&scenario, setting(), |clock| brain(max_tokens, clock)).unwrap().report
}

const TWO_QUESTIONS: &str = r#"
    title = "two questions on one view"
    seconds = 20
    [[step]]
    at = 0.2
    show = "shelf"
    [[step]]
    at = 1
    say = "shelf"
    [[step]]
    at = 6
    say = "label"
    [[expect.turn]]
    vision_passes = { at_least = 1 }
    audio_blocks = { at_least = 3 }
    [[expect.turn]]
    vision_passes = 0
    audio_blocks = { at_least = 2 }
    [expect.total]
    answers = 2
    failures = 0
    frames_without_light = 0
"#;

#[test]
fn a_model_sees_once_hears_block_by_block_and_gives_the_same_twice() {
    let (first, second) = (play(6, TWO_QUESTIONS), play(6, TWO_QUESTIONS));
    assert!(first.passed, "{first}");
    assert_eq!(first.trace_hash, second.trace_hash);
    assert!(first.turns.iter().all(|turn| turn.first_token_ms.is_some()), "{first}");
}

#[test]
fn what_is_left_after_a_question_does_not_grow_with_it() {
    let steps = |name: &str| {
        let text = format!(
            "title = \"one\"\nseconds = 10\n[[step]]\nat = 0.2\nshow = \"shelf\"\n[[step]]\nat = 1\nsay = \"{name}\"\n"
        );
        let report = play(4, &text);
        assert_eq!(report.turns.len(), 1, "{report}");
        (report.turns[0].audio_blocks, report.turns[0].steps_to_first_token)
    };
    let ((short_blocks, short), (long_blocks, long)) = (steps("price-tag"), steps("shelf"));
    assert!(short_blocks < long_blocks, "{short_blocks} and {long_blocks}");
    let block = model().audio().unwrap().tokens(BLOCK as usize * 160) + 1;
    assert!(short.abs_diff(long) <= block, "{short} and {long}");
}

#[test]
fn an_answer_that_is_interrupted_stops_within_a_token() {
    let report = play(
        200,
        r#"
            title = "interrupted"
            seconds = 20
            machine = { decode_per_second = 10 }
            [[step]]
            at = 1
            type = "tell me everything"
            [[step]]
            at = 2
            touch = "tap"
            [[expect.turn]]
            finish = "cancelled"
            tokens = { at_least = 8, at_most = 12 }
        "#,
    );
    assert!(report.passed, "{report}");
}
