//! What Hugging Face's templates find beside plain Jinja. Source: `transformers/utils/chat_template_utils.py`.

use std::borrow::Cow;
use std::fmt;

use lorgnette_quant::{Error, ErrorKind};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, ErrorKind as JinjaKind};

use super::time::LocalTime;
use super::{MAX_STEPS, python};

/// An environment with the settings, filters and functions of `apply_chat_template`.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let blocks_alone = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    // These settings name no delimiter that could be wrong.
    environment.set_syntax(blocks_alone.unwrap_or_default());
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_formatter(|out, _, value| out.write_str(&python::str(value)).map_err(Into::into));
    environment.add_filter("tojson", to_json);
    environment.add_filter("string", |value: Value| python::str(&value).into_owned());
    environment.add_function("raise_exception", raise);
    environment
}

/// The function `strftime_now` for a rendering at `now`.
pub(super) fn clock(now: Option<LocalTime>) -> Value {
    Value::from_function(move |format: String| match now {
        Some(now) => Ok(now.format(&format)),
        None => Err(refusal("it asks for the time, and none is given")),
    })
}

/// `{% generation %}` marks what a model is trained on, and prints what it holds.
pub(super) fn without_generation_tags(source: &str) -> String {
    let mut rewritten = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let Some(len) = rest[at..].find("%}") else { break };
        let tag = &rest[at + 2..at + len];
        let word = tag.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim();
        let replacement = match word {
            "generation" => tag.replace(word, "if true"),
            "endgeneration" => tag.replace(word, "endif"),
            _ => tag.to_owned(),
        };
        rewritten.extend([&rest[..at], "{%", &replacement]);
        rest = &rest[at + len..];
    }
    rewritten + rest
}

/// `json.dumps` with `ensure_ascii=False` unless asked for.
fn to_json(value: Value, options: Kwargs) -> Result<Value, minijinja::Error> {
    let layout = python::JsonLayout {
        ensure_ascii: options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false),
        sort_keys: options.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
        indent: options.get("indent")?,
        separators: options.get::<Option<Vec<String>>>("separators")?,
    };
    options.assert_all_used()?;
    layout.write(&value).map(Value::from)
}

fn raise(message: String) -> Result<Value, minijinja::Error> {
    Err(refusal(&message))
}

/// That the template refuses the conversation.
#[derive(Debug)]
struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

fn refusal(message: &str) -> minijinja::Error {
    let refusal = Refusal(message.to_owned());
    minijinja::Error::new(JinjaKind::InvalidOperation, Cow::Owned(message.to_owned())).with_source(refusal)
}

/// The error of the template in `field`.
pub(super) fn error(field: &str, error: &minijinja::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(Refusal(message)) = inner.downcast_ref() {
            let detail = format!("the chat template refuses the messages: {message}");
            return Error::new(ErrorKind::Argument, field, detail);
        }
        cause = inner.source();
    }
    let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    let (found, expected) = match error.kind() {
        JinjaKind::OutOfFuel => ("no end".to_owned(), format!("a template of at most {MAX_STEPS} steps")),
        JinjaKind::WriteFailure => (describe(error), "a shorter text".to_owned()),
        _ => (describe(error), "a template that renders".to_owned()),
    };
    Error::malformed(field, format!("{found}{line}"), expected)
}

fn describe(error: &minijinja::Error) -> String {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{}{detail}", error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generation_tags_print_what_they_hold() {
        let source = "a{%- generation -%} b {% endgeneration %}{{ generation }}{% set x = 1 %}";
        let expected = "a{%- if true -%} b {% endif %}{{ generation }}{% set x = 1 %}";
        assert_eq!(without_generation_tags(source), expected);
    }
}
