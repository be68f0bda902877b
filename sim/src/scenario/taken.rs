//! What is taken down while a scenario is played, and held against what was expected.

use lorgnette_device::Timestamp;
use lorgnette_runtime::live::{Stage, Trace};
use xxhash_rust::xxh3::Xxh3;

use super::expect::Checks;
use super::report::{Report, TurnTaken};
use super::{Scenario, Turn};
use crate::cloud::Left;
use crate::event::Happened;
use crate::glasses::Snapshot;

/// What was taken down while a scenario was played.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) checks: Checks,
    turns: Vec<TurnTaken>,
    traces: Vec<Trace>,
    failures: Vec<String>,
    frames: u64,
    frames_without_light: u64,
    effort: Option<&'static str>,
    hash: Xxh3,
}

impl Taken {
    /// A frame came to the runtime while the capture light was on, or off.
    pub(super) fn frame(&mut self, light: bool) {
        self.frames += 1;
        self.frames_without_light += u64::from(!light);
    }

    pub(super) fn happened(&mut self, happened: Happened, now: Timestamp) {
        // Agents work at the same time: which is done first is up to the network.
        if !matches!(happened, Happened::Agent { .. }) {
            self.hash.update(&now.since_start().as_nanos().to_le_bytes());
            self.hash.update(&serde_json::to_vec(&happened).unwrap_or_default());
        }
        match happened {
            Happened::Effort { effort } => self.effort = Some(effort),
            Happened::Listening { turn } => {
                let effort = self.effort.unwrap_or("full");
                self.turns.push(TurnTaken { turn, effort, ..TurnTaken::default() });
            }
            Happened::Agent { update } if update["event"] == "done" => {
                self.turns.last_mut().into_iter().for_each(|turn| turn.agents += 1);
            }
            Happened::Question { turn, text, .. } => self.turn(turn).question = Some(text),
            Happened::Answer(answer) => {
                let turn = self.turn(answer.turn);
                turn.answer = Some(answer);
            }
            Happened::Dropped { turn } => self.turn(turn).dropped = true,
            Happened::Failed { error } => self.failures.push(error),
            Happened::Timeline(trace) => self.timeline(trace),
            _ => {}
        }
    }

    fn timeline(&mut self, trace: Trace) {
        let start = Timestamp::default();
        let turn = self.turn(trace.turn);
        turn.vision_passes = trace.count(Stage::See, start);
        turn.audio_blocks = trace.count(Stage::Hear, start);
        if let Some(end) = trace.question_end {
            let stages = [Stage::See, Stage::Hear, Stage::Prefill];
            turn.steps_to_first_token = stages.iter().map(|stage| trace.count(*stage, end)).sum();
            let first = trace.first_piece.map(|first| first.since(end).as_secs_f64() * 1000.0);
            turn.first_token_ms = first;
        }
        self.traces.push(trace);
    }

    fn turn(&mut self, number: u64) -> &mut TurnTaken {
        let at = self.turns.iter().rposition(|turn| turn.turn == number);
        let at = at.unwrap_or_else(|| {
            self.turns.push(TurnTaken { turn: number, ..TurnTaken::default() });
            self.turns.len() - 1
        });
        &mut self.turns[at]
    }

    /// What came of `scenario`, which ended at `now` with `hud` on the display.
    pub(super) fn report(
        mut self,
        scenario: &Scenario,
        now: Timestamp,
        end: &Snapshot,
        left: &Left,
        hud: &[u8],
    ) -> Report {
        self.hash.update(hud);
        for (i, expected) in scenario.expect.turns.iter().enumerate() {
            self.check_turn(i, expected);
        }
        self.check_total(scenario, end, left);
        Report {
            title: scenario.title.clone(),
            seed: scenario.seed,
            passed: self.checks.0.iter().all(|check| check.passed),
            trace_hash: format!("{:032x}", self.hash.digest128()),
            seconds: now.since_start().as_secs_f64(),
            checks: self.checks.0,
            turns: self.turns,
            failures: self.failures,
            traces: self.traces,
        }
    }

    fn check_turn(&mut self, i: usize, expected: &Turn) {
        let name = |what: &str| format!("turn {}: {what}", i + 1);
        let Some(turn) = self.turns.get(i) else {
            let found = format!("{} turns", self.turns.len());
            return self.checks.push(name("begins"), "a turn".to_owned(), found, false);
        };
        let answer = turn.answer.as_ref();
        let text = answer.map_or("", |answer| answer.text.as_str());
        let checks = &mut self.checks;
        checks.text(name("answer"), expected.answer.as_deref(), text);
        checks.is(name("dropped"), expected.dropped, turn.dropped);
        checks.word(
            name("finish"),
            expected.finish.as_deref(),
            answer.map_or("none", |answer| answer.finish),
        );
        checks.word(name("mode"), expected.mode.as_deref(), answer.map_or("none", |answer| answer.mode));
        checks.word(name("effort"), expected.effort.as_deref(), turn.effort);
        checks.number(name("agents"), expected.agents, turn.agents as f64);
        checks.number(name("vision_passes"), expected.vision_passes, turn.vision_passes as f64);
        checks.number(name("audio_blocks"), expected.audio_blocks, turn.audio_blocks as f64);
        let steps = turn.steps_to_first_token as f64;
        checks.number(name("steps_to_first_token"), expected.steps_to_first_token, steps);
        let tokens = answer.map_or(0, |answer| answer.tokens) as f64;
        checks.number(name("tokens"), expected.tokens, tokens);
    }

    fn check_total(&mut self, scenario: &Scenario, end: &Snapshot, left: &Left) {
        let expected = &scenario.expect.total;
        let count = |of: &dyn Fn(&TurnTaken) -> usize| self.turns.iter().map(of).sum::<usize>() as f64;
        let answers = count(&|turn| usize::from(turn.answer.is_some()));
        let passes = count(&|turn| turn.vision_passes);
        for (name, bound, found) in [
            ("turns", expected.turns, self.turns.len() as f64),
            ("answers", expected.answers, answers),
            ("failures", expected.failures, self.failures.len() as f64),
            ("vision_passes", expected.vision_passes, passes),
            ("frames", expected.frames, self.frames as f64),
            ("frames_without_light", expected.frames_without_light, self.frames_without_light as f64),
            ("lost_messages", expected.lost_messages, end.traffic.lost as f64),
            ("requests", expected.requests, left.records.len() as f64),
            ("left_device_bytes", expected.left_device_bytes, left.bytes as f64),
        ] {
            self.checks.number(format!("total: {name}"), bound, found);
        }
    }
}
