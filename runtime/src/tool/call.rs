//! What a model proposes.

use serde_json::Value;

use super::{ToolError, ToolErrorKind};

/// Bytes of the arguments of a call at most.
pub const MOST_ARGUMENT_BYTES: usize = 16 << 10;

/// A call that a model proposes. Only what a model itself generated becomes one, never the text of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Tells it from others of the same answer.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments, as yet unchecked.
    pub arguments: Value,
}

impl Call {
    /// A call whose arguments came as text, as OpenAI-compatible servers write them. No text stands for no arguments.
    ///
    /// # Errors
    /// [`ToolErrorKind::Arguments`] when it is longer than [`MOST_ARGUMENT_BYTES`] or no JSON.
    pub fn parse(id: impl Into<String>, name: impl Into<String>, arguments: &str) -> Result<Self, ToolError> {
        let name = name.into();
        let refuse = |detail: String| ToolError::new(ToolErrorKind::Arguments, detail).of(&name);
        if arguments.len() > MOST_ARGUMENT_BYTES {
            let found = arguments.len();
            return Err(refuse(format!("found {found} bytes, expected at most {MOST_ARGUMENT_BYTES}")));
        }
        let text = if arguments.trim().is_empty() { "{}" } else { arguments };
        let arguments = serde_json::from_str(text).map_err(|e| refuse(format!("expected JSON: {e}")))?;
        Ok(Self { id: id.into(), name, arguments })
    }
}
