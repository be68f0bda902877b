//! Values in Python's words: `str`, `repr` and `json.dumps`.

use std::borrow::Cow;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

/// How deep a value is followed, which may hold itself. `repr` writes `...` for what lies deeper, `json.dumps` fails.
const MAX_DEPTH: usize = 64;
/// The most spaces of one level of indented JSON.
const MAX_INDENT: usize = 16;

/// `str(value)`; nothing for an undefined value.
pub(super) fn str(value: &Value) -> Cow<'_, str> {
    match (value.as_str(), value.kind()) {
        (Some(text), _) => text.into(),
        (None, ValueKind::Undefined) => "".into(),
        _ => {
            let mut text = String::new();
            repr(value, 0, &mut text);
            text.into()
        }
    }
}

/// Appends `repr(value)`.
fn repr(value: &Value, depth: usize, out: &mut String) {
    match (value.kind(), value.as_str(), value.try_iter()) {
        _ if depth == MAX_DEPTH => out.push_str("..."),
        (_, Some(text), _) => repr_text(text, out),
        (ValueKind::None, ..) => out.push_str("None"),
        (ValueKind::Bool, ..) => out.push_str(if value.is_true() { "True" } else { "False" }),
        (ValueKind::Seq | ValueKind::Iterable, _, Ok(items)) => {
            out.push('[');
            for (i, item) in items.enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                repr(&item, depth + 1, out);
            }
            out.push(']');
        }
        (ValueKind::Map, _, Ok(keys)) => {
            out.push('{');
            for (i, key) in keys.enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                repr(&key, depth + 1, out);
                out.push_str(": ");
                repr(&value.get_item(&key).unwrap_or_default(), depth + 1, out);
            }
            out.push('}');
        }
        _ => out.push_str(&value.to_string()),
    }
}

/// Single quotes, unless only double ones spare an escape.
fn repr_text(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if char == quote => out.extend(['\\', char]),
            _ if char.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out.push(quote);
}

/// The options of `json.dumps`.
pub(super) struct JsonLayout {
    pub(super) ensure_ascii: bool,
    pub(super) sort_keys: bool,
    /// Spaces of each level; without, all is on one line.
    pub(super) indent: Option<usize>,
    /// Between items, and between a key and its value.
    pub(super) separators: Option<Vec<String>>,
}

impl JsonLayout {
    /// `json.dumps(value)`.
    ///
    /// # Errors
    /// When the value is nothing that JSON has, or too deep.
    pub(super) fn write(&self, value: &Value) -> Result<String, Error> {
        let mut out = String::new();
        self.write_value(value, 0, &mut out)?;
        Ok(out)
    }

    fn write_value(&self, value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
        let refused = |what: &str| Error::new(ErrorKind::BadSerialization, format!("{what} as JSON"));
        if depth > MAX_DEPTH {
            return Err(refused("a value of too many levels"));
        }
        match (value.kind(), value.as_str()) {
            (_, Some(text)) => self.write_text(text, out),
            (ValueKind::None, _) => out.push_str("null"),
            (ValueKind::Bool, _) => out.push_str(if value.is_true() { "true" } else { "false" }),
            (ValueKind::Number, _) if value.is_integer() => out.push_str(&value.to_string()),
            (ValueKind::Number, _) => out.push_str(&float_repr(value.clone().try_into()?)),
            (ValueKind::Seq | ValueKind::Iterable, _) => {
                let items: Vec<_> = value.try_iter()?.map(|item| (None, item)).collect();
                self.write_items(&items, "[]", depth, out)?;
            }
            (ValueKind::Map, _) => {
                let member = |key: Value| Ok((Some(str(&key).into_owned()), value.get_item(&key)?));
                let mut members = value.try_iter()?.map(member).collect::<Result<Vec<_>, Error>>()?;
                if self.sort_keys {
                    members.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                self.write_items(&members, "{}", depth, out)?;
            }
            (kind, _) => return Err(refused(&kind.to_string())),
        }
        Ok(())
    }

    /// Items, with their keys if they have some.
    fn write_items(
        &self,
        items: &[(Option<String>, Value)],
        brackets: &str,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Error> {
        let indent = self.indent.filter(|_| !items.is_empty()).map(|indent| indent.min(MAX_INDENT));
        let line = |depth: usize, out: &mut String| {
            if let Some(indent) = indent {
                out.extend(["\n", &" ".repeat(indent * depth)]);
            }
        };
        let between = self.separator(0).unwrap_or(if self.indent.is_some() { "," } else { ", " });
        let (open, close) = brackets.split_at(1);
        out.push_str(open);
        for (i, (key, item)) in items.iter().enumerate() {
            out.push_str(if i == 0 { "" } else { between });
            line(depth + 1, out);
            if let Some(key) = key {
                self.write_text(key, out);
                out.push_str(self.separator(1).unwrap_or(": "));
            }
            self.write_value(item, depth + 1, out)?;
        }
        line(depth, out);
        out.push_str(close);
        Ok(())
    }

    fn separator(&self, which: usize) -> Option<&str> {
        self.separators.as_ref()?.get(which).map(String::as_str)
    }

    fn write_text(&self, text: &str, out: &mut String) {
        out.push('"');
        for char in text.chars() {
            match char {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\0'..' ' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
                '\u{7f}'.. if self.ensure_ascii => {
                    for unit in char.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                _ => out.push(char),
            }
        }
        out.push('"');
    }
}

/// `repr(float)`: the shortest digits, with an exponent of two digits below 1e-4 and from 1e16 on.
fn float_repr(float: f64) -> String {
    let shortest = format!("{float:?}");
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    let (sign, size) = match exponent.strip_prefix('-') {
        Some(size) => ('-', size),
        None => ('+', exponent),
    };
    format!("{}e{sign}{size:0>2}", digits.trim_end_matches(".0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_does() {
        let floats = [0.0, 1.0, 0.1, -2.5, 1e15, 1e16, 1.5e300, 1e-4, 1e-5, 123456.789];
        let expected = [
            "0.0",
            "1.0",
            "0.1",
            "-2.5",
            "1000000000000000.0",
            "1e+16",
            "1.5e+300",
            "0.0001",
            "1e-05",
            "123456.789",
        ];
        assert_eq!(floats.map(float_repr), expected);
    }
}
