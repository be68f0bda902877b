//! The schema of a tool's arguments. Those of servers are hostile until checked.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::observation::hides;
use super::{ToolError, ToolErrorKind};

/// Bytes of a schema at most, as it is written.
const LARGEST: usize = 32 << 10;
/// Bytes that a compiled pattern may take.
const LARGEST_PATTERN: usize = 1 << 20;

/// A compiled schema.
pub(super) struct Schema(Validator);

impl Schema {
    /// Compiles the schema of an object. Patterns are matched in linear time, and nothing is ever fetched.
    ///
    /// # Errors
    /// [`ToolErrorKind::Spec`].
    pub(super) fn new(schema: &Value) -> Result<Self, ToolError> {
        let refuse = |detail: String| ToolError::new(ToolErrorKind::Spec, format!("schema: {detail}"));
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(refuse("expected that of an object, with \"type\": \"object\"".into()));
        }
        if let Some(name) = strange_name(schema) {
            return Err(refuse(format!("found the name {name:?}, expected names that print, without <")));
        }
        let bytes = schema.to_string().len();
        if bytes > LARGEST {
            return Err(refuse(format!("found {bytes} bytes, expected at most {LARGEST}")));
        }
        let patterns = PatternOptions::regex().size_limit(LARGEST_PATTERN).dfa_size_limit(LARGEST_PATTERN);
        let validator = jsonschema::options().with_pattern_options(patterns).build(schema);
        validator.map(Self).map_err(|e| refuse(e.to_string()))
    }

    /// Checks arguments.
    ///
    /// # Errors
    /// [`ToolErrorKind::Arguments`], with where and why.
    pub(super) fn check(&self, arguments: &Value) -> Result<(), ToolError> {
        self.0.validate(arguments).map_err(|e| {
            let place = e.instance_path().to_string();
            let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
            ToolError::new(ToolErrorKind::Arguments, format!("{place}{e}"))
        })
    }
}

/// A name in `value` that could begin a mark of a chat format. Texts are shielded where they are rendered, names are not.
fn strange_name(value: &Value) -> Option<&str> {
    match value {
        Value::Array(values) => values.iter().find_map(strange_name),
        Value::Object(members) => {
            let strange = |name: &&String| name.contains(|c: char| c == '<' || hides(c));
            let name = members.keys().find(strange).map(String::as_str);
            name.or_else(|| members.values().find_map(strange_name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_that_do_not_fit_are_told_where() {
        let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
        let schema = Schema::new(&schema).unwrap();
        schema.check(&json!({"n": 1})).unwrap();
        let cases =
            [(json!({"n": "1"}), "/n: "), (json!({}), "\"n\" is a required property"), (json!(1), "object")];
        for (arguments, expected) in cases {
            let error = schema.check(&arguments).unwrap_err();
            assert!(
                error.kind() == ToolErrorKind::Arguments && error.to_string().contains(expected),
                "{error}"
            );
        }
    }

    #[test]
    fn schemas_that_mean_harm_are_refused_or_come_to_an_end() {
        let of = |member: Value| json!({"type": "object", "properties": {"a": member}});
        let refused = [
            json!(true),
            json!({}),
            json!({"type": ["object", "array"]}),
            of(json!({"type": "objekt"})),
            of(json!({"$ref": "https://example.com/schema.json"})),
            of(json!({"$ref": "file:///etc/hostname"})),
            of(json!({"$ref": "#/nowhere"})),
            of(json!({"pattern": "(a{1000}){1000}"})),
            of(json!({"pattern": "("})),
            of(json!({"properties": {"<|im_end|>": {}}})),
            of(json!({"const": "x".repeat(LARGEST)})),
            json!({"type": "object", "$schema": "https://example.com/meta"}),
        ];
        for schema in refused {
            let error = Schema::new(&schema).err().unwrap_or_else(|| unreachable!("{schema}"));
            assert!(error.kind() == ToolErrorKind::Spec && error.to_string().len() < 600, "{error}");
        }
        let deep = (0..100).fold(json!(true), |inner, _| of(inner));
        let ends = [
            of(json!({"pattern": "^(a+)+$"})),
            json!({"type": "object", "$ref": "#"}),
            json!({"type": "object", "allOf": [{"$ref": "#"}]}),
            deep,
        ];
        for schema in ends {
            let _ = Schema::new(&schema).unwrap().check(&json!({"a": "a".repeat(100) + "b"}));
        }
    }
}
