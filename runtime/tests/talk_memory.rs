//! What a long talk takes: no more after two hundred turns than after twenty. Alone in its process, so that all that is
//! allocated is its own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/allocations.rs"]
mod allocations;
mod common;
#[path = "live/script.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod script;

use std::sync::Arc;

use allocations::{Counting, live_bytes};
use lorgnette_device::clock::ManualClock;
use lorgnette_runtime::backend::cpu;
use lorgnette_runtime::conversation::AnswerOptions;
use lorgnette_runtime::live::{Engine, Report, replay};
use script::{Script, model, session};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn two_hundred_turns_take_what_twenty_take() {
    // Of several threads it is chance which comes to work first, and needs its buffers.
    cpu::set_threads(1).unwrap();
    let options = AnswerOptions { max_tokens: 2, ..AnswerOptions::default() };
    // Room for a few turns.
    let clock = Arc::new(ManualClock::default());
    let mut engine = Engine::new(model(), 200, Vec::new(), options, clock).unwrap();
    let mut session = session(engine.cancel());
    let (mut turns, mut now, mut after) = (0, 0, Vec::with_capacity(200));
    while turns < 200 {
        // Each turn is about another view, so that whatever keeps something keeps most.
        let script = Script { now, ..Script::default() }.view((turns * 37 % 250) as u8);
        let script = script.speech(400).silence(300);
        now = script.now;
        replay(&mut session, &mut engine, script.events, &mut |_, report| {
            turns += usize::from(matches!(report, Report::Turn(_)));
        });
        after.push(live_bytes());
    }
    // What is remembered grows until the context is full, and then again.
    let most = |from: usize, to: usize| *after[from..to].iter().max().unwrap();
    let (early, late) = (most(10, 20), most(20, 200));
    assert!(late <= early, "{early} bytes at most up to turn 20, {late} up to turn 200");
}
