use std::fmt;

use super::budget::Spending;
use super::consent::Kind;
use super::error::Error;

/// An answer, where it comes from, and what it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The answer.
    pub text: String,
    /// Where it comes from.
    pub source: Source,
    /// What was sent and paid for.
    pub spending: Spending,
}

/// Where an answer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the endpoints.
    Cloud {
        /// What is missing in it, for people; `None` when nothing is.
        shortfall: Option<String>,
    },
    /// From the device.
    Device {
        /// Why not from the endpoints.
        why: Why,
    },
}

/// Why the device answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The wearer does not allow the words to leave.
    NoConsent(Kind),
    /// There is nobody to ask.
    NoEndpoint,
    /// The device found no words in what was said.
    NoWords,
    /// Asking failed.
    Failed(Error),
}

impl Source {
    /// What the wearer is told of it, if there is something to tell.
    pub fn note(&self) -> Option<String> {
        match self {
            Self::Cloud { shortfall } => shortfall.clone(),
            Self::Device { why } => Some(format!("the device answered by itself: {why}")),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConsent(kind) => write!(f, "there is no consent for {}", kind.name()),
            Self::NoEndpoint => f.write_str("no endpoint is configured"),
            Self::NoWords => f.write_str("it understood no words"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}
