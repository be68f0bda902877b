//! Scenarios: what is done to the glasses and when, and what is expected of them, in a file that people read.
//!
//! `docs/sim.md` has the format.

mod due;
mod expect;
mod report;
mod run;
mod stepper;
mod taken;
mod written;

use std::path::Path;

use serde::Deserialize;

pub use self::expect::{Bound, Check, Expectations, Moment, Range, Total, Turn};
pub use self::report::{Report, TurnTaken};
pub use self::run::{Outcome, Setting, run};
pub use self::stepper::Machine;
pub use self::written::written;

use crate::glasses::panel::Panel;
use crate::input::Input;
use crate::{Error, ErrorKind, Result, link};

/// What is done, and what is expected.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// For people.
    pub title: String,
    /// What chance there is follows from it.
    #[serde(default)]
    pub seed: u64,
    /// Seconds of simulated time at most.
    #[serde(default = "a_minute")]
    pub seconds: f64,
    /// What answers are shown on.
    #[serde(default)]
    pub panel: Panel,
    /// Frames that the camera takes a second.
    #[serde(default = "usual_frames")]
    pub frames: u32,
    /// The link, from the beginning on.
    #[serde(default)]
    pub link: link::Change,
    /// How fast the machine is that thinks.
    #[serde(default)]
    pub machine: Machine,
    /// What a script answers, question by question, where no model is loaded.
    #[serde(default)]
    pub script: Vec<String>,
    /// What is done.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
    /// What has to come of it.
    #[serde(default)]
    pub expect: Expectations,
}

/// Something that is done at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Seconds since the beginning.
    pub at: f64,
    /// What.
    pub input: Input,
}

impl<'de> Deserialize<'de> for Step {
    /// A table of `at` and one input.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let mut table = toml::Table::deserialize(deserializer)?;
        let at = table.remove("at").ok_or_else(|| D::Error::missing_field("at"))?;
        let at = f64::deserialize(at).map_err(D::Error::custom)?;
        if table.len() != 1 {
            let found = table.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(D::Error::custom(format!("step at {at}: found {found:?}, expected one input")));
        }
        let input =
            Input::deserialize(table).map_err(|error| D::Error::custom(format!("step at {at}: {error}")))?;
        Ok(Self { at, input })
    }
}

/// Seconds that a scenario may take at most.
const LONGEST: f64 = 36_000.0;

fn a_minute() -> f64 {
    60.0
}

fn usual_frames() -> u32 {
    10
}

impl Scenario {
    /// The scenario in a file.
    ///
    /// # Errors
    /// Those of reading a file, and of [`Scenario::parse`].
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = crate::source::read(path)?;
        let text = String::from_utf8(bytes)
            .map_err(|error| Error::new(ErrorKind::Malformed, path.display(), error))?;
        Self::parse(&text).map_err(|error| Error::new(error.kind(), path.display(), error))
    }

    /// The scenario in `text`.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`], with the line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut scenario: Self =
            toml::from_str(text).map_err(|error| Error::new(ErrorKind::Malformed, "scenario", error))?;
        scenario.check()?;
        scenario.steps.sort_by(|a, b| a.at.total_cmp(&b.at));
        Ok(scenario)
    }

    fn check(&self) -> Result<()> {
        let within = |name: &str, value: f64, most: f64| {
            let found = || Error::malformed(name, value, format!("0 to {most}"));
            if (0.0..=most).contains(&value) { Ok(()) } else { Err(found()) }
        };
        within("seconds", self.seconds, LONGEST)?;
        self.steps.iter().try_for_each(|step| within("step.at", step.at, self.seconds))?;
        self.expect.moments.iter().try_for_each(|moment| within("moment.at", moment.at, self.seconds))?;
        if !(1..=60).contains(&self.frames) {
            return Err(Error::malformed("frames", self.frames, "1 to 60"));
        }
        self.machine.check()?;
        link::Quality::default().changed(self.link)?;
        self.expect.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Button, Heat, ModeName, Thinking};

    const WHOLE: &str = r#"
        title = "everything"
        seed = 3
        frames = 5
        panel = "halo"
        script = ["Yes."]
        link = { latency_ms = 40 }
        machine = { decode_per_second = 20 }

        [[step]]
        at = 2
        say = "shelf"
        [[step]]
        at = 0.5
        show = "shelf"
        [[step]]
        at = 3.0
        button = "down"
        [[step]]
        at = 4
        heat = 43
        [[step]]
        at = 5
        mode = { thinking = 64 }
        [[step]]
        at = 6
        mode = "instant"
        [[step]]
        at = 7
        link = { connected = false }

        [[expect.turn]]
        answer = "(?i)yes"
        vision_passes = { at_most = 1 }
        [[expect.moment]]
        at = 6
        light = true
        [expect.total]
        turns = 1
    "#;

    #[test]
    fn steps_come_in_the_order_of_their_times() {
        let scenario = Scenario::parse(WHOLE).unwrap();
        let inputs: Vec<_> = scenario.steps.iter().map(|step| step.input.clone()).collect();
        assert_eq!(inputs[0], Input::Show("shelf".to_owned()));
        assert_eq!(inputs[1], Input::Say("shelf".to_owned()));
        assert_eq!(inputs[2], Input::Button(Button::Down));
        assert_eq!(inputs[3], Input::Heat(Heat::Held(43.0)));
        assert_eq!(inputs[4], Input::Mode(Thinking::Budget { thinking: 64 }));
        assert_eq!(inputs[5], Input::Mode(Thinking::Named(ModeName::Instant)));
        assert_eq!(scenario.machine.decode_per_second, 20.0);
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, named) in [
            ("", "title"),
            ("title = 3", "string"),
            ("title = \"a\"\nseconds = -1", "seconds"),
            ("title = \"a\"\nframes = 0", "frames"),
            ("title = \"a\"\ntypo = 1", "typo"),
            ("title = \"a\"\n[[step]]\nshow = \"b\"", "at"),
            ("title = \"a\"\n[[step]]\nat = 1", "one input"),
            ("title = \"a\"\n[[step]]\nat = 1\nshow = \"b\"\nsay = \"c\"", "one input"),
            ("title = \"a\"\n[[step]]\nat = 1\nshout = \"b\"", "shout"),
            ("title = \"a\"\n[[step]]\nat = 99\nshow = \"b\"", "step.at"),
            ("title = \"a\"\n[[expect.turn]]\nanswer = \"(\"", "answer"),
            ("title = \"a\"\n[[expect.turn]]\nanswr = \"b\"", "answr"),
            ("title = \"a\"\nlink = { loss = 2 }", "loss"),
            ("title = \"a\"\nmachine = { decode_per_second = 0 }", "decode_per_second"),
        ] {
            let error = Scenario::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed);
            assert!(error.to_string().contains(named), "{error} does not name {named}");
        }
    }
}
