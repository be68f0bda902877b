//! An hour of talk in simulated time, with faults that a seed draws. Alone in its process, so that all that is allocated is
//! its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what a run showed is for people")]

#[path = "../common/allocations.rs"]
mod allocations;
#[path = "../common/mod.rs"]
mod common;
mod desk;
mod faulty;
mod scenes;
#[path = "../live/script.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod script;
mod story;
mod threads;
mod watchdog;

use allocations::{Counting, live_bytes};
use desk::Desk;
use lorgnette_runtime::live::Event;
use lorgnette_runtime::mode::Mode;
use scenes::{Dice, Scene, scene};
use script::Script;
use story::Story;
use watchdog::Watchdog;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MINUTE: u64 = 60_000;

/// Scenes until `length` milliseconds are over, then one without faults, then the end. With the most bytes that were held
/// in each half.
fn soak(seed: u64, length: u64) -> (Story, [usize; 2]) {
    let watchdog = Watchdog::start();
    let mut dice = Dice(seed);
    let mut desk = Desk::new(Dice(!seed));
    let (mut held, mut now) = ([0; 2], 0);
    while now < length {
        desk.mode(mode(&mut dice));
        let scene = scene(&mut dice, now);
        now = scene.end;
        desk.play(scene);
        let half = &mut held[usize::from(now > length / 2)];
        *half = live_bytes().max(*half);
        watchdog.pat();
    }
    let answered = desk.story.answered;
    desk.recover();
    let script = Script { now: now + MINUTE, ..Script::default() };
    desk.play(Scene::quiet(script.view(9).speech(700).silence(2_000)));
    assert!(desk.story.answered > answered, "after all that a question is answered");
    let script = Script { now: now + 2 * MINUTE, ..Script::default() };
    desk.play(Scene::quiet(script.then(Event::Finish)));
    (desk.story, held)
}

fn mode(dice: &mut Dice) -> Option<Mode> {
    match dice.below(8) {
        0 => Some(Mode::Thinking { budget: 6 }),
        1 => None,
        _ => Some(Mode::Instant),
    }
}

#[test]
fn some_minutes_with_faults_leave_a_talk_whole() {
    let (story, _) = soak(1, MINUTE / 2);
    story.check();
    assert!(story.answered > 3, "{story}");
}

#[test]
#[ignore = "takes minutes: make soak"]
fn an_hour_with_faults_leaves_a_talk_whole() {
    let seed = std::env::var("SEED").map_or(2, |seed| seed.parse().unwrap());
    let (story, [first, second]) = soak(seed, 60 * MINUTE);
    println!(
        "an hour with seed {seed}: {story}\nmost bytes held: {first} in its first half, {second} in the second"
    );
    story.check();
    story.check_that_all_was_tried();
    // What a talk keeps is bounded, and the bound was met many times in the first half; a leak of one of the smallest
    // blocks of sound (80 ms) in every other turn would be more than this.
    assert!(second <= first + first / 100, "memory grows");
}

#[test]
#[ignore = "takes minutes: make soak"]
fn ten_minutes_on_threads_leave_a_talk_whole() {
    let story = threads::soak(3, 10 * MINUTE);
    println!("ten minutes on threads: {story}");
    story.check();
    assert!(story.answered > 0 && story.failed > 0 && story.dropped > 0, "{story}");
}
