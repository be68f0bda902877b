//! Bounds of what is compiled. llguidance counts the work of compiling and following a grammar and gives up in time; but
//! it recurses, so that what it is given must be small enough for its stack.

use serde_json::Value;

use super::{Constraint, refusal};
use crate::Result;

/// Bytes of a constraint at most; each value of a schema counts for [`VALUE`] more.
const LARGEST: usize = 1 << 16;
const VALUE: usize = 8;
/// Values in each other at most: as deep as `serde_json` reads.
const DEEPEST: usize = 128;

/// Refuses what is too large or too deep.
pub(super) fn check(constraint: &Constraint) -> Result<()> {
    let refuse =
        |found, expected| Err(refusal(constraint.field(), format!("found {found}, expected {expected}")));
    let bytes = match constraint {
        Constraint::Json => 0,
        Constraint::Grammar(text) | Constraint::Regex(text) => text.len(),
        Constraint::JsonSchema(schema) => {
            let mut bytes = 0;
            let mut left = vec![(schema, 1)];
            while let Some((value, depth)) = left.pop() {
                if depth > DEEPEST {
                    return refuse(format!("{depth} values in each other"), format!("at most {DEEPEST}"));
                }
                bytes += VALUE + own_bytes(value);
                left.extend(children(value).map(|child| (child, depth + 1)));
            }
            bytes
        }
    };
    if bytes > LARGEST {
        return refuse(format!("{bytes} bytes"), format!("at most {LARGEST}"));
    }
    Ok(())
}

fn own_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Object(keys) => keys.keys().map(String::len).sum(),
        _ => 0,
    }
}

fn children(value: &Value) -> impl Iterator<Item = &Value> {
    let (items, keys) = match value {
        Value::Array(items) => (Some(items), None),
        Value::Object(keys) => (None, Some(keys)),
        _ => (None, None),
    };
    items.into_iter().flatten().chain(keys.into_iter().flat_map(|keys| keys.values()))
}
