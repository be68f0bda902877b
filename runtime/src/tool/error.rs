//! What can go wrong with a call, said so that the model can mend it.

use std::fmt;

use super::observation::envelope;

/// Characters of a detail at most: it may come from a server, and goes to the model.
const LONGEST_DETAIL: usize = 400;

/// A stable category for callers to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolErrorKind {
    /// There is no such tool in the toolbox.
    Unknown,
    /// The arguments do not fit the schema.
    Arguments,
    /// The wearer, or who decides for the wearer, did not allow it.
    Denied,
    /// The turn has no calls left.
    TooMany,
    /// It took too long.
    TimedOut,
    /// The server is not there, or not any more.
    Unavailable,
    /// The server says what its protocol, or a limit, does not allow.
    Protocol,
    /// The tool says that it failed.
    Failed,
    /// A specification cannot be used: its name, its schema, or that there is another of that name.
    Spec,
}

/// Why a call, or a tool, came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolError {
    kind: ToolErrorKind,
    tool: String,
    detail: String,
}

impl ToolError {
    /// An error with `detail` for people and models, of which the first 400 characters are kept.
    pub fn new(kind: ToolErrorKind, detail: impl Into<String>) -> Self {
        let detail = detail.into().chars().take(LONGEST_DETAIL).collect();
        Self { kind, tool: String::new(), detail }
    }

    /// The same error, of `tool` (or of a server), unless it already names one.
    #[must_use]
    pub fn of(mut self, tool: &str) -> Self {
        if self.tool.is_empty() {
            self.tool = tool.chars().take(LONGEST_DETAIL).collect();
        }
        self
    }

    /// The category to branch on.
    pub fn kind(&self) -> ToolErrorKind {
        self.kind
    }

    /// The tool or server it is about.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// What the model is told, in the form of [`Observation::to_data`](super::Observation::to_data).
    pub fn to_data(&self) -> String {
        envelope("error", &self.to_string(), false)
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self.kind {
            ToolErrorKind::Unknown => "there is no such tool",
            ToolErrorKind::Arguments => "the arguments do not fit",
            ToolErrorKind::Denied => "it was not allowed",
            ToolErrorKind::TooMany => "there are no calls left",
            ToolErrorKind::TimedOut => "it took too long",
            ToolErrorKind::Unavailable => "its server is not there",
            ToolErrorKind::Protocol => "its server breaks the protocol",
            ToolErrorKind::Failed => "it failed",
            ToolErrorKind::Spec => "it cannot be used",
        };
        if !self.tool.is_empty() {
            write!(f, "{}: ", self.tool)?;
        }
        f.write_str(said)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for ToolError {}
