//! What came of a scenario, for machines that run tests, and for people.

use std::fmt::{self, Write as _};
use std::io;

use lorgnette_runtime::live::{Trace, write_perfetto};
use serde::Serialize;

use super::expect::Check;
use crate::event::Answer;

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
    pub(super) traces: Vec<Trace>,
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
    /// How much was done for it.
    pub effort: &'static str,
    /// Agents that came to the end of their part.
    pub agents: usize,
    /// Passes of the vision tower.
    pub vision_passes: usize,
    /// Blocks of the audio tower.
    pub audio_blocks: usize,
    /// What was computed between the end of the question and the answer.
    pub steps_to_first_token: usize,
    /// From the end of the question to the first piece of the answer, in milliseconds of simulated time.
    pub first_token_ms: Option<f64>,
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
