//! What was done, as a scenario that does it again.

use std::fmt::Write;

use super::Step;

/// TOML of a scenario with `steps`, `seconds` long, that expects nothing yet.
pub fn written(title: &str, seconds: f64, steps: &[Step]) -> String {
    let mut text = format!("title = {}\nseconds = {}\n", quoted(title), number(seconds.ceil().max(1.0)));
    for step in steps {
        let input = toml::Value::try_from(&step.input).unwrap_or(toml::Value::Boolean(true));
        // An input is a table of one key, which stands beside the time.
        let lines = match &input {
            toml::Value::Table(table) => {
                table.iter().map(|(key, value)| format!("{key} = {value}\n")).collect()
            }
            _ => String::new(),
        };
        // Writing into a string does not fail.
        let _ = write!(text, "\n[[step]]\nat = {}\n{lines}", number(step.at));
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn number(value: f64) -> String {
    toml::Value::Float(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Button, Consent, Heat, Input, ModeName, Source, Sources, Thinking, Touch};
    use crate::link::Change;
    use crate::scenario::Scenario;

    #[test]
    fn everything_that_can_be_done_can_be_written_and_read() {
        let inputs = [
            Input::Show("shelf".to_owned()),
            Input::Say("a \"quoted\"\nname".to_owned()),
            Input::Type("how much?".to_owned()),
            Input::Button(Button::Down),
            Input::Touch(Touch::Back),
            Input::Mute(true),
            Input::Wear(false),
            Input::Link(Change { loss: Some(0.5), connected: Some(true), ..Change::default() }),
            Input::Heat(Heat::Held(43.0)),
            Input::Heat(Heat::Holding(false)),
            Input::Battery(0.25),
            Input::Mode(Thinking::Named(ModeName::Thinking)),
            Input::Mode(Thinking::Budget { thinking: 9 }),
            Input::Panel(crate::glasses::panel::Panel::VuzixZ100),
            Input::Source(Sources { camera: Some(Source::Session("x".to_owned())), microphone: None }),
            Input::Consent(Consent { text: Some(true), transcript: Some(false), picture: None }),
            Input::Record(false),
        ];
        let step = |(i, input): (usize, &Input)| Step { at: i as f64 * 0.125, input: input.clone() };
        let steps: Vec<_> = inputs.iter().enumerate().map(step).collect();
        let text = written("what \"I\" did", 12.5, &steps);
        let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!((scenario.steps, scenario.seconds), (steps, 13.0), "{text}");
    }
}
