//! Machines that are too slow: they say so, and do less.

use std::sync::Arc;

use lorgnette_device::clock::ManualClock;
use lorgnette_device::power::{ChargeState, PowerReading};
use lorgnette_runtime::conversation::AnswerOptions;
use lorgnette_runtime::live::{Done, Effort, Engine, Event, Job, Report, Tiers, Worker};
use lorgnette_runtime::mode::Mode;
use proptest::prelude::*;

use crate::machine::{Machine, Played};
use crate::script::{Script, engine, model, names};

const FAST: Machine = Machine { sound: 200, piece: 2, picture: 300, small: 20 };
/// It takes longer for a second of sound than a second.
const SLOW: Machine = Machine { sound: 1_500, ..FAST };

/// Questions of four seconds.
fn questions(count: usize) -> Script {
    (0..count).fold(Script::default(), |script, _| script.picture(1_024, 768).speech(4_000).silence(6_000))
}

fn efforts(played: &Played) -> Vec<Effort> {
    let effort = |report: &Report| if let Report::Effort(effort) = report { Some(*effort) } else { None };
    played.reports.iter().filter_map(effort).collect()
}

fn is_behind(report: &Report) -> bool {
    matches!(report, Report::Behind { .. })
}

#[test]
fn a_machine_that_keeps_up_does_all_and_nothing_is_told() {
    let played = FAST.play(questions(6), true);
    assert_eq!(efforts(&played), []);
    assert!(!played.reports.iter().any(is_behind));
    assert_eq!(played.ends.len(), 6);
}

#[test]
fn one_that_does_not_leaves_things_out_in_their_order_and_keeps_up_with_the_small_model() {
    let played = SLOW.play(questions(6), true);
    assert_eq!(efforts(&played), [Effort::SmallFrames, Effort::LargeBlocks, Effort::SmallModel]);
    let turns: Vec<_> = played.reports.split(|report| matches!(report, Report::Turn(_))).collect();
    let behind = turns.iter().map(|turn| turn.iter().any(is_behind)).collect::<Vec<_>>();
    assert_eq!(behind, [true, true, true, false, false, false, false]);
    let Some(Report::Behind { by, next }) = turns[0].iter().find(|report| is_behind(report)) else {
        panic!("{:?}", turns[0])
    };
    assert!((1_000..1_100).contains(&by.as_millis()), "{by:?}");
    assert_eq!(*next, Effort::SmallFrames);
}

#[test]
fn what_was_left_out_comes_back_when_the_machine_keeps_up() {
    // The small model keeps up, so that the large one is tried again: after three turns, and once more.
    let played = SLOW.play(questions(9), true);
    use Effort::{LargeBlocks, SmallFrames, SmallModel};
    assert_eq!(efforts(&played), [SmallFrames, LargeBlocks, SmallModel, LargeBlocks, SmallModel]);
}

#[test]
fn without_a_small_model_it_goes_on_being_said() {
    let played = SLOW.play(questions(6), false);
    assert_eq!(efforts(&played), [Effort::SmallFrames, Effort::LargeBlocks]);
    assert!(played.reports.iter().filter(|report| is_behind(report)).count() >= 6);
}

#[test]
fn small_frames_are_small_and_large_blocks_are_few() {
    let played = SLOW.play(questions(3), false);
    assert_eq!(played.sides, [1_024, 512, 512]);
    let [full, small_frames, large_blocks] = played.pieces[..] else { panic!("{:?}", played.pieces) };
    assert_eq!(full, small_frames);
    assert!(large_blocks * 10 < full, "{large_blocks} of {full}");
}

#[test]
fn little_power_is_enough_to_do_less() {
    let reading = |charge| PowerReading {
        charge: Some(charge),
        state: Some(ChargeState::Discharging),
        ..PowerReading::default()
    };
    let script = Script::default().then(Event::Power(reading(0.08))).speech(500).silence(400);
    let script = script.then(Event::Power(reading(0.9))).speech(500).silence(400);
    let played = FAST.play(script, false);
    assert_eq!(efforts(&played), [Effort::LargeBlocks, Effort::Full]);
    let (reports, _) = Script::default().then(Event::Power(reading(0.9))).speech(500).silence(400).play();
    assert_eq!(names(&reports)[0], "Listening", "where there is enough, nothing is said");
}

#[test]
fn the_small_model_goes_on_with_the_talk_of_the_large_one() {
    let full = engine();
    let options = AnswerOptions { max_tokens: 2, ..AnswerOptions::default() };
    let small = Engine::new(model(), 500, Vec::new(), options, Arc::new(ManualClock::default())).unwrap();
    let cancel = full.cancel();
    let mut tiers = Tiers::new(full, small, cancel);
    let mut tokens = Vec::new();
    let mut ask = |before: Option<Effort>, text: &str| {
        let turn =
            [Job::Begin(None), Job::Read(text.to_owned()), Job::Answer(1, Some(Mode::Instant)), Job::Keep];
        for job in before.map(Job::Effort).into_iter().chain(turn) {
            tiers.run(job, &mut |done| match done {
                Done::Answered(_, answered) => tokens.push(answered.answer.answer_tokens()),
                Done::Failed(_, error) => panic!("{error}"),
                _ => {}
            });
        }
        tiers.history().len()
    };
    assert_eq!(ask(None, "what is it?"), 2);
    assert_eq!(ask(Some(Effort::SmallModel), "is it cheap?"), 4);
    assert_eq!(ask(None, "is it good?"), 6);
    assert_eq!(ask(Some(Effort::LargeBlocks), "and now?"), 8);
    assert_eq!(tokens, [6, 2, 2, 6]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn nobody_is_behind_silently(
        sound in 50_u64..4_000,
        piece in 0_u64..60,
        picture in 0_u64..4_000,
        has_small_model: bool,
    ) {
        let played = Machine { sound, piece, picture, small: 30 }.play(questions(5), has_small_model);
        for (waiting, told) in played.ends {
            prop_assert!(told || waiting < 300, "{waiting} ms of sound waited and nobody was told");
        }
    }
}
