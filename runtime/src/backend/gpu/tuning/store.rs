//! Where what was found is kept: two files for each adapter, driver and set of kernels.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::record::Record;
use crate::backend::gpu::adapter::{Alteration, Traits};
use crate::backend::gpu::kernel::SOURCES;

/// `lorgnette` in the folder that the user's programs keep such things in: `$XDG_CACHE_HOME`, or `~/.cache`. `None` where
/// neither is known.
pub fn cache_folder() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Some(caches?.join("lorgnette"))
}

/// What the record stands for. Another one's is of no use.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Key {
    lorgnette: String,
    adapter: String,
    driver: String,
    /// Of what else kernels depend on: limits, and the kernels themselves.
    sum: String,
}

#[derive(Serialize, Deserialize)]
struct File {
    key: Key,
    record: Record,
}

/// The files of one adapter. What cannot be read is not there; what cannot be written is found anew the next time.
pub(super) struct Store {
    folder: PathBuf,
    key: Key,
    name: String,
}

impl Store {
    pub(super) fn new(folder: &Path, traits: &Traits, altered: &[Alteration]) -> Self {
        let mut sum = Xxh3::new();
        for (name, source) in SOURCES {
            sum.update(name.as_bytes());
            sum.update(source.as_bytes());
        }
        sum.update(format!("{traits:?} {altered:?}").as_bytes());
        let key = Key {
            lorgnette: env!("CARGO_PKG_VERSION").to_owned(),
            adapter: traits.name.clone(),
            driver: traits.driver.clone(),
            sum: format!("{:016x}", sum.digest()),
        };
        let name =
            xxh3_64(format!("{}\n{}\n{}\n{}", key.lorgnette, key.adapter, key.driver, key.sum).as_bytes());
        Self { folder: folder.to_owned(), key, name: format!("gpu-{name:016x}") }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.name))
    }

    fn pipelines_path(&self) -> PathBuf {
        self.folder.join(format!("{}.pipelines", self.name))
    }

    pub(super) fn record(&self) -> Option<Record> {
        let file: File = serde_json::from_slice(&fs::read(self.path()).ok()?).ok()?;
        (file.key == self.key).then_some(file.record)
    }

    pub(super) fn keep_record(&self, record: &Record) {
        if let Ok(json) = serde_json::to_vec_pretty(&File { key: self.key.clone(), record: record.clone() }) {
            drop(self.write(&self.path(), &json));
        }
    }

    /// What the driver compiled, if it is as it was kept.
    pub(super) fn pipelines(&self) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.pipelines_path()).ok()?;
        let sum = *bytes.last_chunk::<8>()?;
        bytes.truncate(bytes.len() - sum.len());
        (self.sum(&bytes) == u64::from_le_bytes(sum)).then_some(bytes)
    }

    /// Keeps `data` with a sum behind it.
    pub(super) fn keep_pipelines(&self, data: &[u8]) {
        let bytes = [data, &self.sum(data).to_le_bytes()].concat();
        drop(self.write(&self.pipelines_path(), &bytes));
    }

    /// Of the data and whose it is.
    fn sum(&self, data: &[u8]) -> u64 {
        let mut sum = Xxh3::new();
        sum.update(self.name.as_bytes());
        sum.update(data);
        sum.digest()
    }

    /// Writes a file that is whole or not there.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let made = path.with_extension(format!("{}.new", std::process::id()));
        let written = fs::File::create(&made).and_then(|mut file| file.write_all(bytes));
        written.and_then(|()| fs::rename(&made, path)).inspect_err(|_| drop(fs::remove_file(&made)))
    }
}
