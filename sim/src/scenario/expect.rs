//! What a scenario expects, and whether it came.

use std::fmt;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use crate::glasses::{Phase, Snapshot};
use crate::{Error, Result};

/// What has to come of a scenario.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expectations {
    /// Of each turn, in their order. Turns that nothing is said of may come after those.
    #[serde(rename = "turn")]
    pub turns: Vec<Turn>,
    /// At times.
    #[serde(rename = "moment")]
    pub moments: Vec<Moment>,
    /// In the end.
    pub total: Total,
}

/// A number that is expected: that one, or one within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    /// That one.
    Exactly(f64),
    /// One within these.
    Within(Range),
}

/// Bounds that a number lies within.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Range {
    /// No less.
    pub at_least: Option<f64>,
    /// No more.
    pub at_most: Option<f64>,
}

impl Bound {
    fn holds(self, found: f64) -> bool {
        match self {
            Self::Exactly(value) => (found - value).abs() < 1e-9,
            Self::Within(Range { at_least, at_most }) => {
                at_least.is_none_or(|least| found >= least) && at_most.is_none_or(|most| found <= most)
            }
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(value) => write!(f, "{value}"),
            Self::Within(Range { at_least: Some(least), at_most: Some(most) }) => {
                write!(f, "{least} to {most}")
            }
            Self::Within(Range { at_least: Some(least), .. }) => write!(f, "at least {least}"),
            Self::Within(Range { at_most: Some(most), .. }) => write!(f, "at most {most}"),
            Self::Within(_) => f.write_str("anything"),
        }
    }
}

/// What is expected of a turn.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Turn {
    /// A regular expression that is found in the answer.
    pub answer: Option<String>,
    /// Whether it was given up before it was answered.
    pub dropped: Option<bool>,
    /// Why the answer ended.
    pub finish: Option<String>,
    /// How hard was thought.
    pub mode: Option<String>,
    /// How much was done for it: `full`, or what was left out.
    pub effort: Option<String>,
    /// Agents that came to the end of their part.
    pub agents: Option<Bound>,
    /// Passes of the vision tower.
    pub vision_passes: Option<Bound>,
    /// Blocks of the audio tower.
    pub audio_blocks: Option<Bound>,
    /// Passes, blocks and positions of the prompt that were computed between the end of the question and the answer.
    pub steps_to_first_token: Option<Bound>,
    /// Tokens of the answer.
    pub tokens: Option<Bound>,
}

/// What is expected at a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Seconds since the beginning.
    pub at: f64,
    /// Whether the capture light is on.
    pub light: Option<bool>,
    /// A regular expression that is found on the display.
    pub hud: Option<String>,
    /// What is being done.
    pub phase: Option<String>,
    /// Whether the runtime has a camera.
    pub camera: Option<bool>,
    /// Whether the runtime can have a microphone.
    pub microphone: Option<bool>,
    /// Whether the microphone is muted.
    pub muted: Option<bool>,
    /// Whether the glasses are too hot to see as often as usual.
    pub throttled: Option<bool>,
    /// Degrees Celsius.
    pub celsius: Option<Bound>,
    /// What is left of the charge, from 0 to 1.
    pub charge: Option<Bound>,
    /// Frames that came to the runtime so far.
    pub frames: Option<Bound>,
}

/// What is expected in the end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Total {
    /// Turns that began.
    pub turns: Option<Bound>,
    /// Turns that were answered.
    pub answers: Option<Bound>,
    /// Things that went wrong.
    pub failures: Option<Bound>,
    /// Passes of the vision tower.
    pub vision_passes: Option<Bound>,
    /// Frames that came to the runtime.
    pub frames: Option<Bound>,
    /// Frames that came while the capture light was off.
    pub frames_without_light: Option<Bound>,
    /// Messages that the link lost.
    pub lost_messages: Option<Bound>,
    /// Requests that left the device, or were about to.
    pub requests: Option<Bound>,
    /// Bytes that left the device.
    pub left_device_bytes: Option<Bound>,
}

/// An expectation, and what came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Of what: `turn 1: answer`.
    pub name: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Whether that is the same.
    pub passed: bool,
}

/// Checks as they are made.
#[derive(Default)]
pub(super) struct Checks(pub(super) Vec<Check>);

impl Checks {
    pub(super) fn push(&mut self, name: String, expected: String, found: String, passed: bool) {
        self.0.push(Check { name, expected, found, passed });
    }

    pub(super) fn number(&mut self, name: String, expected: Option<Bound>, found: f64) {
        if let Some(bound) = expected {
            self.push(name, bound.to_string(), found.to_string(), bound.holds(found));
        }
    }

    pub(super) fn is(&mut self, name: String, expected: Option<bool>, found: bool) {
        if let Some(expected) = expected {
            self.push(name, expected.to_string(), found.to_string(), expected == found);
        }
    }

    pub(super) fn word(&mut self, name: String, expected: Option<&str>, found: &str) {
        if let Some(expected) = expected {
            self.push(name, expected.to_owned(), found.to_owned(), expected == found);
        }
    }

    pub(super) fn text(&mut self, name: String, expected: Option<&str>, found: &str) {
        let Some(expected) = expected else { return };
        // It was compiled when the scenario was read.
        let passed = Regex::new(expected).is_ok_and(|regex| regex.is_match(found));
        self.push(name, format!("/{expected}/"), found.to_owned(), passed);
    }

    pub(super) fn moment(&mut self, moment: &Moment, found: &Snapshot) {
        let name = |what: &str| format!("at {}: {what}", moment.at);
        self.is(name("light"), moment.light, found.light);
        self.text(name("hud"), moment.hud.as_deref(), &found.hud.lines.join("\n"));
        self.word(name("phase"), moment.phase.as_deref(), phase_name(found.hud.status));
        self.is(name("camera"), moment.camera, found.camera);
        self.is(name("microphone"), moment.microphone, found.microphone);
        self.is(name("muted"), moment.muted, found.muted);
        self.is(name("throttled"), moment.throttled, found.power.throttled);
        self.number(name("celsius"), moment.celsius, found.power.celsius);
        self.number(name("charge"), moment.charge, found.power.charge);
        self.number(name("frames"), moment.frames, found.frames.arrived as f64);
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "idle",
        Phase::Listening => "listening",
        Phase::Thinking => "thinking",
        Phase::Answering => "answering",
    }
}

impl Expectations {
    /// Whether all regular expressions are some.
    pub(super) fn check(&self) -> Result<()> {
        let answers = self.turns.iter().filter_map(|turn| turn.answer.as_ref()).map(|text| ("answer", text));
        let huds = self.moments.iter().filter_map(|moment| moment.hud.as_ref()).map(|text| ("hud", text));
        for (name, text) in answers.chain(huds) {
            if let Err(error) = Regex::new(text) {
                let expected = format!("a regular expression: {error}");
                return Err(Error::malformed(name, format!("{text:?}"), expected));
            }
        }
        Ok(())
    }
}
