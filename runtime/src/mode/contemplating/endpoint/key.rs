use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::{Error, ErrorKind, Result};

/// Bytes of a key file at most.
const MOST_BYTES: u64 = 16 << 10;

/// Where a key is found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    /// In this variable of the environment.
    Env(String),
    /// In this file, which only its owner may read or write.
    File(std::path::PathBuf),
}

/// A secret that proves who asks. Neither printed nor written anywhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// # Errors
    /// [`ErrorKind::Missing`] when the variable is not set; what the system says of the file; [`ErrorKind::Argument`]
    /// when others may read it; [`ErrorKind::Malformed`] when there is no key in it. None says what is in it.
    pub(super) fn read(source: &KeySource, folder: &Path) -> Result<Self> {
        match source {
            KeySource::Env(name) => {
                let key = std::env::var(name).map_err(|_| Error::missing(name, "a variable with the key"))?;
                Self::checked(&key, name)
            }
            KeySource::File(path) => {
                let path = folder.join(path);
                read(&path).and_then(|text| Self::checked(&text, "key")).map_err(|e| e.in_file(&path))
            }
        }
    }

    fn checked(text: &str, field: &str) -> Result<Self> {
        let key = text.trim();
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Error::malformed(field, "something else", "a key of visible ASCII characters"));
        }
        Ok(Self(key.to_owned()))
    }

    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// `text` without the key, should a server repeat it.
    pub(super) fn redact(&self, text: &str) -> String {
        text.replace(&self.0, "[key]")
    }
}

fn read(path: &Path) -> Result<String> {
    let metadata = fs::metadata(path).map_err(|e| Error::io("open", e))?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            let detail = format!("found {mode:o}, expected 600: others may read it (chmod 600)");
            return Err(Error::new(ErrorKind::Argument, "permissions", detail));
        }
    }
    if metadata.len() > MOST_BYTES {
        return Err(Error::malformed("size", metadata.len(), format!("at most {MOST_BYTES}")));
    }
    fs::read_to_string(path).map_err(|e| Error::io("read", e))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn from_file(text: &str, mode: u32) -> Result<Key> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Key::read(&KeySource::File("key".into()), folder.path())
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        assert_eq!(from_file("sk-secret\n", 0o600).unwrap().bearer(), "Bearer sk-secret");
        for mode in [0o644, 0o640, 0o604, 0o660] {
            let error = from_file("sk-secret", mode).unwrap_err();
            assert!(error.to_string().contains("others may read it"), "{error}");
        }
    }

    #[test]
    fn neither_errors_nor_debug_output_say_a_key() {
        let error = from_file("sk secret\u{e4}", 0o600).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        let key = from_file("sk-secret", 0o600).unwrap();
        assert_eq!(format!("{key:?}"), "Key(..)");
        assert_eq!(key.redact("no such key: sk-secret!"), "no such key: [key]!");
    }
}
