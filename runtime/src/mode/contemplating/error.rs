use std::fmt;

/// The result of what goes over the network.
pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

/// A stable category for callers to branch on. The text of an [`Error`] is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection within [`CONNECT`](super::endpoint::CONNECT), or none shortly before.
    Offline,
    /// Something answered that is no such server: a page, a redirect, a portal that wants a login.
    Portal,
    /// The server, or the whole question, took longer than it may.
    TimedOut,
    /// The server wants fewer requests.
    RateLimited,
    /// The server failed, and may not the next time.
    Failing,
    /// The server does not take this request: a wrong key, an unknown model, a form it does not know.
    Refused,
    /// The answer broke off.
    Cut,
    /// The answer is not what the protocol says.
    Malformed,
    /// The answer is longer than anything that was asked for.
    TooLong,
    /// There are no tokens, or there is no money, left for this question.
    Budget,
    /// The wearer does not allow what it takes.
    NoConsent,
    /// The wearer took the consent back.
    Revoked,
    /// The ledger cannot be written; so nothing was sent.
    Ledger,
}

impl ErrorKind {
    /// What a person is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Portal => "the network wants a login, or this is no such server",
            Self::TimedOut => "it took too long",
            Self::RateLimited => "too many requests",
            Self::Failing => "the server failed",
            Self::Refused => "the server refused",
            Self::Cut => "the answer broke off",
            Self::Malformed => "the answer makes no sense",
            Self::TooLong => "the answer has no end",
            Self::Budget => "the budget is spent",
            Self::NoConsent => "there is no consent",
            Self::Revoked => "the consent was taken back",
            Self::Ledger => "the ledger cannot be written",
        }
    }

    /// Whether asking the same server again may help.
    pub(super) fn is_passing(self) -> bool {
        matches!(self, Self::TimedOut | Self::RateLimited | Self::Failing | Self::Cut | Self::Malformed)
    }

    /// Whether no other server can help either.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Budget | Self::Ledger) || self.is_of_the_wearer()
    }

    /// Whether the wearer wants it so.
    pub(super) fn is_of_the_wearer(self) -> bool {
        matches!(self, Self::NoConsent | Self::Revoked)
    }

    /// Whether another request, that is put otherwise, may still be answered.
    pub(super) fn leaves_others(self) -> bool {
        matches!(self, Self::TimedOut | Self::Cut | Self::Malformed | Self::TooLong | Self::Refused)
    }
}

/// Why a request came to nothing, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    endpoint: String,
    detail: String,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, endpoint: String::new(), detail: detail.into() }
    }

    /// The same error, met at this endpoint.
    pub(super) fn at(mut self, endpoint: &str) -> Self {
        endpoint.clone_into(&mut self.endpoint);
        self
    }

    pub(super) fn map_detail(mut self, map: impl FnOnce(&str) -> String) -> Self {
        self.detail = map(&self.detail);
        self
    }

    /// The category to branch on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The name of the endpoint it was met at; empty when it is about none.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.endpoint.is_empty() {
            write!(f, "{}: ", self.endpoint)?;
        }
        f.write_str(self.kind.name())?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for Error {}
