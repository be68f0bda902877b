//! Asking the wearer.

use std::fmt;

use serde_json::Value;

use super::observation::numbered;
use super::{BoxFuture, Effect};

/// Decides what may be done, usually by asking the wearer.
pub trait Approval: Send + Sync {
    /// Whether the call may be made: this one, with these arguments. Dropping the future takes the question back. It
    /// may take as long as a person does.
    fn ask<'a>(&'a self, request: &'a Request<'a>) -> BoxFuture<'a, bool>;
}

/// Why there is a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Data would leave the device.
    Sends,
    /// Money would be spent.
    Spends,
    /// Something would be changed, after text came in that is not the wearer's.
    AfterUntrusted,
}

/// What is asked. [`Display`](fmt::Display) shows it on one line, in which no character hides or moves another.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The tool.
    pub tool: &'a str,
    /// Its arguments, which fit its schema.
    pub arguments: &'a Value,
    /// What the call would do.
    pub effect: Effect,
    /// Why that is asked.
    pub reason: Reason,
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            Reason::Sends => "sends data",
            Reason::Spends => "spends money",
            Reason::AfterUntrusted => "changes something, and may have been put up by a text that was seen",
        };
        write!(f, "{} {} ({what})", self.tool, numbered(&self.arguments.to_string(), |_| false))
    }
}

/// Allows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deny;

impl Approval for Deny {
    fn ask<'a>(&'a self, _: &'a Request<'a>) -> BoxFuture<'a, bool> {
        Box::pin(std::future::ready(false))
    }
}
