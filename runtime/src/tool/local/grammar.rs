//! The grammar of an answer that may call a tool.

use std::fmt::Write;

use serde_json::{Value, json};

use super::format::{Format, OPEN};
use crate::tool::Turn;

/// The grammar in llguidance's Lark: text, or text and one call, whose arguments fit the schema of its tool. The call is
/// written byte for byte as the template writes it. When no calls are left there is only text.
pub(super) fn lark(format: Format, turn: &Turn, must_call: bool) -> String {
    let text = match format {
        Format::Tagged | Format::Prompted => format!("TEXT: /(?s:.*)/ & ~/(?s:.*{OPEN}.*)/\n"),
        Format::Object => "TEXT: /[^{\\s](?s:.*)/\n".to_owned(),
    };
    if turn.toolbox().is_empty() || turn.calls_left() == 0 {
        return format!("start: TEXT\n{text}");
    }
    let mut grammar = match (format, must_call) {
        (Format::Object, true) => "start: call\n".to_owned(),
        (Format::Object, false) => format!("start: TEXT | call\n{text}"),
        (_, true) => "start: call\n".to_owned(),
        (_, false) => format!("start: TEXT | before rest\nbefore[suffix=\"{OPEN}\"]: /(?s:.*)/\n{text}"),
    };
    let specs: Vec<_> = turn.toolbox().specs().collect();
    let names = |prefix: &str| {
        let names = (0..specs.len()).map(|number| format!("{prefix}{number}"));
        names.collect::<Vec<_>>().join(" | ")
    };
    // Writing to a string does not fail.
    let _ = writeln!(grammar, "call: {}\nrest: {}", names("call_"), names("rest_"));
    for (number, spec) in specs.iter().enumerate() {
        let (before, behind) = format.around(&spec.name);
        let rest = before.strip_prefix(OPEN).unwrap_or(&before);
        let (before, rest, behind) = (json!(before), json!(rest), json!(behind));
        let schema = held(&spec.parameters);
        let _ = writeln!(
            grammar,
            "call_{number}: {before} arguments_{number} {behind}\nrest_{number}: {rest} arguments_{number} {behind}\n\
             arguments_{number}: %json {schema}"
        );
    }
    grammar
}

/// The schema as the parser holds it: with at most one space between the parts, and without what it cannot hold, which
/// the toolbox checks afterwards.
fn held(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(keys) = &mut schema {
        keys.insert("x-guidance".to_owned(), json!({"whitespace_pattern": " ", "lenient": true}));
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use llguidance::api::TopLevelGrammar;
    use llguidance::toktrie::ApproximateTokEnv;
    use llguidance::{Matcher, ParserFactory};

    use super::*;
    use crate::tool::builtin::{TimerList, Timers, UnitPrice};
    use crate::tool::{Deny, Limits, Toolbox};

    fn turn(calls: usize) -> Turn {
        let mut toolbox = Toolbox::new(Arc::new(Deny), Limits { calls, ..Limits::default() });
        let clock = Arc::new(lorgnette_device::clock::ManualClock::default());
        toolbox.add(Arc::new(UnitPrice::default())).unwrap();
        toolbox.add(Arc::new(TimerList::new(Timers::new(clock)))).unwrap();
        Turn::new(Arc::new(toolbox))
    }

    /// Whether `text` is a whole answer.
    fn fits(grammar: &str, text: &str) -> bool {
        let factory = ParserFactory::new_simple(&ApproximateTokEnv::single_byte_env()).unwrap();
        let grammar = TopLevelGrammar::from_lark(grammar.to_owned());
        let mut matcher = Matcher::new(factory.create_parser(grammar));
        text.bytes().all(|byte| matcher.consume_token(byte.into()).is_ok())
            && (matcher.is_stopped() || matcher.is_accepting().unwrap())
    }

    const ITEM: &str = r#"{"items": [{"name": "oats", "price": 1.5, "amount": 500, "unit": "g"}]}"#;

    #[test]
    fn an_answer_is_text_or_text_and_one_call_that_fits() {
        for format in [Format::Tagged, Format::Object, Format::Prompted] {
            let call = |name: &str, arguments: &str| {
                let (before, behind) = format.around(name);
                format!("{before}{arguments}{behind}")
            };
            let good = [call("timers", "{}"), call("unit_price", ITEM)];
            let text = "Oats < rice,\nas far as I see.";
            let before = if format == Format::Object { "" } else { "One moment.\n" };
            let bad = [
                call("pay", "{}"),
                call("timers", "{\"a\": 1}"),
                call("unit_price", "{\"items\": []}"),
                format!("{before}{}", &good[0][..good[0].len() - 1]),
                format!("{}{text}", good[0]),
            ];
            let (may, must) = (lark(format, &turn(1), false), lark(format, &turn(1), true));
            assert!(fits(&may, text) && !fits(&must, text), "{format:?}");
            for call in good {
                assert!(fits(&must, &call) && fits(&may, &format!("{before}{call}")), "{format:?} {call}");
                assert!(!fits(&lark(format, &turn(0), false), &call), "{format:?}: no calls are left");
            }
            for call in bad {
                assert!(!fits(&may, &call) && !fits(&must, &call), "{format:?} {call}");
            }
        }
    }

    #[test]
    fn keywords_that_cannot_be_held_are_left_to_the_toolbox() {
        let schema =
            json!({"type": "object", "properties": {"a": {"type": "integer"}}, "not": {"required": ["b"]}});
        assert!(fits(&format!("start: %json {}\n", held(&schema)), "{\"a\": 1}"));
    }
}
