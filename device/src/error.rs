//! What can go wrong with a device or a recording, said so that a person can mend it.

use std::fmt;
use std::io;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A stable category for callers to branch on. The text of an [`Error`] is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such device or file.
    NotFound,
    /// Somebody else uses the device.
    Busy,
    /// The operating system does not let this user have it.
    Denied,
    /// The device was there and is gone.
    Gone,
    /// A recording, or what a device sent, is not what its format says.
    Malformed,
    /// Valid, but nothing here can handle it.
    Unsupported,
    /// The caller asked for something impossible.
    Argument,
    /// The operating system refused for another reason.
    Io,
}

/// An error that names the device or file, and what was found and expected there.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    device: Option<String>,
    detail: String,
    source: Option<io::Error>,
}

impl Error {
    /// An error of `kind`, with `detail` for people.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, device: None, detail: detail.into(), source: None }))
    }

    /// A [`ErrorKind::Malformed`] error saying what `field` holds and what it should hold.
    pub fn malformed(field: &str, found: impl fmt::Display, expected: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Malformed, format!("{field}: found {found}, expected {expected}"))
    }

    /// What the operating system answered while doing `action` ("open", "read"), sorted by its code.
    pub fn io(action: &str, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::ResourceBusy => ErrorKind::Busy,
            io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            _ if source.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => ErrorKind::Gone,
            _ => ErrorKind::Io,
        };
        let mut error = Self::new(kind, format!("cannot {action}: {source}"));
        error.0.source = Some(source);
        error
    }

    /// The same error, said to be about `device` (a path, a name), unless it already names one.
    #[must_use]
    pub fn of(mut self, device: impl fmt::Display) -> Self {
        self.0.device.get_or_insert_with(|| device.to_string());
        self
    }

    /// The category to branch on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The device or file the error is about, if there is one.
    pub fn device(&self) -> Option<&str> {
        self.0.device.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(device) = &self.0.device {
            write!(f, "{}: ", printable(device))?;
        }
        f.write_str(&printable(&self.0.detail))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e as _)
    }
}

/// Names come from files and devices: what would steer a terminal is escaped.
pub(crate) fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
