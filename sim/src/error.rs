//! What can go wrong with a simulation, said so that a person can mend it.

use std::fmt;
use std::io;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A stable category for callers to branch on. The text of an [`Error`] is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such scene, recording or file.
    NotFound,
    /// A scenario, a picture or a sound is not what its format says.
    Malformed,
    /// What was asked for cannot be done.
    Argument,
    /// A device of this machine failed.
    Device,
    /// The runtime failed.
    Runtime,
    /// The operating system refused.
    Io,
}

/// An error that names what it is about, and what was found and expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    about: String,
    detail: String,
}

impl Error {
    /// An error of `kind` about a file or a field, with `detail` for people.
    pub fn new(kind: ErrorKind, about: impl fmt::Display, detail: impl fmt::Display) -> Self {
        Self { kind, about: about.to_string(), detail: detail.to_string() }
    }

    /// A [`ErrorKind::Malformed`] error saying what `field` holds and what it should hold.
    pub fn malformed(
        field: impl fmt::Display,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Self {
        Self::new(ErrorKind::Malformed, field, format!("found {found}, expected {expected}"))
    }

    /// What the operating system answered while doing `action` to `path`.
    pub fn io(path: impl fmt::Display, action: &str, error: &io::Error) -> Self {
        let kind = if error.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Io };
        Self::new(kind, path, format!("cannot {action}: {error}"))
    }

    /// The category to branch on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file or field that it is about.
    pub fn about(&self) -> &str {
        &self.about
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names come from files and from pages: what would steer a terminal is escaped.
        let printable = |text: &str| -> String {
            let escaped =
                |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
            text.chars().map(escaped).collect()
        };
        write!(f, "{}: {}", printable(&self.about), printable(&self.detail))
    }
}

impl std::error::Error for Error {}

impl From<lorgnette_device::Error> for Error {
    fn from(error: lorgnette_device::Error) -> Self {
        Self::new(ErrorKind::Device, "device", error)
    }
}

impl From<lorgnette_runtime::Error> for Error {
    fn from(error: lorgnette_runtime::Error) -> Self {
        Self::new(ErrorKind::Runtime, "runtime", error)
    }
}
