//! What came of a scenario, for machines that run tests, and for people.

use std::fmt::{self, Write as _};
use std::io;

use lorgnette_device::Timestamp;
use lorgnette_runtime::live::{Stage, Trace, write_perfetto};
use serde::Serialize;
use xxhash_rust::xxh3::Xxh3;

use super::expect::{Check, Checks};
use super::{Scenario, Turn};
use crate::event::{Answer, Happened};
use crate::glasses::Snapshot;

/// What came of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of the scenario.
    pub title: String,
    /// What chance there was follows from it.
    pub seed: u64,
    /// Whether all came that was expected.
    pub passed: bool,
    /// Of all that happened, and when: the same for the same scenario, model and machine.
    pub trace_hash: String,
    /// Simulated seconds.
    pub seconds: f64,
    /// What was expected, and what came.
    pub checks: Vec<Check>,
    /// The turns.
    pub turns: Vec<TurnTaken>,
    /// What went wrong.
    pub failures: Vec<String>,
    #[serde(skip)]
    traces: Vec<Trace>,
}

/// A turn that was taken.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TurnTaken {
    /// Its number, from 1.
    pub turn: u64,
    /// What was asked, where that is known.
    pub question: Option<String>,
    /// The answer, if there was one.
    pub answer: Option<Answer>,
    /// Whether it was given up.
    pub dropped: bool,
    /// Passes of the vision tower.
    pub vision_passes: usize,
    /// Blocks of the audio tower.
    pub audio_blocks: usize,
    /// What was computed between the end of the question and the answer.
    pub steps_to_first_token: usize,
    /// From the end of the question to the first piece of the answer, in milliseconds of simulated time.
    pub first_token_ms: Option<f64>,
}

/// What was taken down while a scenario was played.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) checks: Checks,
    turns: Vec<TurnTaken>,
    traces: Vec<Trace>,
    failures: Vec<String>,
    frames: u64,
    frames_without_light: u64,
    hash: Xxh3,
}

impl Taken {
    /// A frame came to the runtime while the capture light was on, or off.
    pub(super) fn frame(&mut self, light: bool) {
        self.frames += 1;
        self.frames_without_light += u64::from(!light);
    }

    pub(super) fn happened(&mut self, happened: Happened, now: Timestamp) {
        self.hash.update(&now.since_start().as_nanos().to_le_bytes());
        self.hash.update(&serde_json::to_vec(&happened).unwrap_or_default());
        match happened {
            Happened::Listening { turn } => self.turns.push(TurnTaken { turn, ..TurnTaken::default() }),
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
        hud: &[u8],
    ) -> Report {
        self.hash.update(hud);
        for (i, expected) in scenario.expect.turns.iter().enumerate() {
            self.check_turn(i, expected);
        }
        self.check_total(scenario, end);
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
        checks.number(name("vision_passes"), expected.vision_passes, turn.vision_passes as f64);
        checks.number(name("audio_blocks"), expected.audio_blocks, turn.audio_blocks as f64);
        let steps = turn.steps_to_first_token as f64;
        checks.number(name("steps_to_first_token"), expected.steps_to_first_token, steps);
        let tokens = answer.map_or(0, |answer| answer.tokens) as f64;
        checks.number(name("tokens"), expected.tokens, tokens);
    }

    fn check_total(&mut self, scenario: &Scenario, end: &Snapshot) {
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
            // A scenario opens no connection: there is nothing that could send.
            ("left_device_bytes", expected.left_device_bytes, 0.0),
        ] {
            self.checks.number(format!("total: {name}"), bound, found);
        }
    }
}

impl Report {
    /// The report as JUnit writes such, for machines that run tests.
    pub fn junit(&self) -> String {
        let failures = self.checks.iter().filter(|check| !check.passed).count();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        // Writing into a string does not fail.
        let _ = writeln!(
            xml,
            "<testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" time=\"{:.3}\">",
            escaped(&self.title),
            self.checks.len(),
            self.seconds
        );
        let _ = writeln!(
            xml,
            "  <properties><property name=\"seed\" value=\"{}\"/><property name=\"trace_hash\" value=\"{}\"/></properties>",
            self.seed, self.trace_hash
        );
        for check in &self.checks {
            let (name, class) = (escaped(&check.name), escaped(&self.title));
            if check.passed {
                let _ = writeln!(xml, "  <testcase classname=\"{class}\" name=\"{name}\"/>");
            } else {
                let message = escaped(&format!("found {}, expected {}", check.found, check.expected));
                let _ = writeln!(
                    xml,
                    "  <testcase classname=\"{class}\" name=\"{name}\"><failure message=\"{message}\"/></testcase>"
                );
            }
        }
        xml.push_str("</testsuite>\n");
        xml
    }

    /// Writes where the time of the turns went, for Perfetto.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_trace(&self, out: &mut dyn io::Write) -> io::Result<()> {
        write_perfetto(&self.traces, out)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed { "passed" } else { "FAILED" };
        writeln!(f, "{verdict}  {}  ({:.1} s simulated, seed {})", self.title, self.seconds, self.seed)?;
        for turn in &self.turns {
            let question = turn.question.as_deref().unwrap_or("?");
            let answer = turn.answer.as_ref().map_or("(not answered)", |answer| answer.text.trim());
            writeln!(f, "  turn {}  {question}  ->  {}", turn.turn, printable(answer))?;
        }
        for failure in &self.failures {
            writeln!(f, "  went wrong: {}", printable(failure))?;
        }
        for check in self.checks.iter().filter(|check| !check.passed) {
            let (found, expected) = (printable(&check.found), printable(&check.expected));
            writeln!(f, "  {}: found {found}, expected {expected}", check.name)?;
        }
        writeln!(f, "  trace {}", self.trace_hash)
    }
}

/// What a model says may steer no terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

/// For XML, which has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_says_does_not_break_xml() {
        let check = Check {
            name: "turn 1: answer".to_owned(),
            expected: "/\"x\" & <y>/".to_owned(),
            found: "a\u{1b}[31m\n]]>".to_owned(),
            passed: false,
        };
        let report = Report {
            title: "<&>".to_owned(),
            seed: 1,
            passed: false,
            trace_hash: String::new(),
            seconds: 1.0,
            checks: vec![check],
            turns: Vec::new(),
            failures: Vec::new(),
            traces: Vec::new(),
        };
        let xml = report.junit();
        assert!(xml.contains("name=\"&lt;&amp;&gt;\" tests=\"1\" failures=\"1\""), "{xml}");
        assert!(
            xml.contains("found a\u{fffd}[31m&#10;]]&gt;, expected /&quot;x&quot; &amp; &lt;y&gt;/"),
            "{xml}"
        );
        assert!(!report.to_string().contains('\u{1b}'));
    }
}
