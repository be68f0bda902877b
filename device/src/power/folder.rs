//! Folders of small files with one value each.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::printable;

/// More than any value in sysfs has.
const MAX_LEN: u64 = 4096;

/// One folder of values.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folders in `path` whose names begin with `prefix`, in order of their names; none where there is no such
    /// path.
    pub(super) fn all(path: &Path, prefix: &str) -> Vec<Self> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
        paths.sort();
        paths.into_iter().map(Self).collect()
    }

    /// The last part of its path.
    pub(super) fn name(&self) -> String {
        printable(&self.0.file_name().unwrap_or_default().to_string_lossy())
    }

    /// The value in `file`, without the white space around it; `None` where it cannot be read.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        let mut text = String::new();
        File::open(self.0.join(file)).ok()?.take(MAX_LEN).read_to_string(&mut text).ok()?;
        Some(printable(text.trim()))
    }

    /// The number in `file`; `None` where it cannot be read or is none.
    pub(super) fn number<N: FromStr>(&self, file: &str) -> Option<N> {
        self.text(file)?.parse().ok()
    }
}
