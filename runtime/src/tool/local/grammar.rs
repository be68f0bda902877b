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
