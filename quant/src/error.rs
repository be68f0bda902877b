//! What can go wrong with a model file, said so that a person can mend it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::printable::Printable;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A stable category for callers to branch on. The text of an [`Error`] is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused: not found, no permission, disk full.
    Io,
    /// The file ends before the field does.
    Truncated,
    /// A field has a value that its format does not allow.
    Malformed,
    /// Valid, but nothing here can handle it.
    Unsupported,
    /// A key, tensor or file that is needed is not there.
    Missing,
    /// A metadata value has another type than the one asked for.
    WrongType,
    /// The caller asked for something impossible.
    Argument,
    /// The caller's cancel flag was raised.
    Cancelled,
    /// A part of the program broke down.
    Broken,
    /// A device that computes refused, or was lost.
    Device,
}

/// An error that names the file, the field in it, and what was found and expected there.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    path: Option<PathBuf>,
    field: String,
    detail: String,
    source: Option<io::Error>,
}

impl Error {
    /// An error of `kind` about `field` (a key, a tensor, a header field), with `detail` for people.
    pub fn new(kind: ErrorKind, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, path: None, field: field.into(), detail: detail.into(), source: None }))
    }

    /// A [`ErrorKind::Malformed`] error saying what `field` holds and what it should hold.
    pub fn malformed(
        field: impl Into<String>,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Self {
        Self::new(ErrorKind::Malformed, field, format!("found {found}, expected {expected}"))
    }

    /// A [`ErrorKind::Missing`] error: `field` is needed and absent.
    pub fn missing(field: impl Into<String>, expected: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Missing, field, format!("not found, expected {expected}"))
    }

    /// An [`ErrorKind::Io`] error while doing `action` ("open", "write").
    pub fn io(action: &str, source: io::Error) -> Self {
        let mut error = Self::new(ErrorKind::Io, "", format!("cannot {action}: {source}"));
        error.0.source = Some(source);
        error
    }

    /// The same error, located in `path`, unless it already names a file.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.0.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// The same error, its field said to be part of `whole`: `shape` becomes `tensor "t" shape`.
    #[must_use]
    pub(crate) fn inside(mut self, whole: &str) -> Self {
        self.0.field = format!("{whole} {}", self.0.field);
        self
    }

    /// The category to branch on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file the error was found in, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The key, tensor or header field the error is about; empty when it is the whole file.
    pub fn field(&self) -> &str {
        &self.0.field
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.0.path {
            write!(f, "{}: ", path.display())?;
        }
        if !self.0.field.is_empty() {
            write!(f, "{}: ", Printable(&self.0.field))?;
        }
        Printable(&self.0.detail).fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e as _)
    }
}
