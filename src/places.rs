//! Where files are, as the XDG Base Directory Specification has it.

use std::env;
use std::path::PathBuf;

/// The folder of what the user configures.
#[cfg(feature = "cloud")]
pub(crate) fn config() -> PathBuf {
    folder("XDG_CONFIG_HOME", ".config")
}

/// The folder of what is kept.
pub(crate) fn data() -> PathBuf {
    folder("XDG_DATA_HOME", ".local/share")
}

fn folder(variable: &str, usual: &str) -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set(variable).filter(|path| path.is_absolute());
    let folder = folder.or_else(|| Some(set("HOME")?.join(usual)));
    folder.unwrap_or_else(|| PathBuf::from(".")).join("lorgnette")
}
