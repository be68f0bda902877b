//! Output files that appear only when they are complete.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// A file that is written beside its target and takes the target's name on [`OutputFile::commit`]. Dropped before
/// that, it leaves nothing behind, and what stood at the target is untouched.
pub struct OutputFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl OutputFile {
    /// Starts a file in the directory of `target`.
    pub fn create(target: &Path) -> Result<Self> {
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(target.file_name().ok_or_else(|| {
            Error::io("write", io::Error::from(io::ErrorKind::IsADirectory)).in_file(target)
        })?);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".part");
        // The umask narrows this as it does for every new file; tempfile's default would keep the model private.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(directory).map_err(|e| Error::io("create", e).in_file(target))?;
        Ok(Self { file, target: target.to_owned() })
    }

    /// The path it will have.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Writes `bytes` from byte `offset` on. Threads may write to different places at once.
    #[cfg(unix)]
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let file = self.file.as_file();
        std::os::unix::fs::FileExt::write_all_at(file, bytes, offset).map_err(|e| self.failed("write", e))
    }

    /// Writes `bytes` from byte `offset` on. Threads may write to different places at once.
    #[cfg(windows)]
    pub fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> Result<()> {
        while !bytes.is_empty() {
            let file = self.file.as_file();
            let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
                .map_err(|e| self.failed("write", e))?;
            bytes = &bytes[written..];
            offset += written as u64;
        }
        Ok(())
    }

    /// Makes the file `len` bytes long; what is not written reads as zeros.
    pub fn set_len(&self, len: u64) -> Result<()> {
        self.file.as_file().set_len(len).map_err(|e| self.failed("resize", e))
    }

    fn failed(&self, action: &str, error: io::Error) -> Error {
        Error::io(action, error).in_file(&self.target)
    }

    /// The file itself, for copies that the system makes.
    pub fn as_file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Syncs to disk and takes the target's name.
    pub fn commit(self) -> Result<()> {
        let Self { file, target } = self;
        file.as_file().sync_all().map_err(|e| Error::io("sync", e).in_file(&target))?;
        file.persist(&target).map_err(|e| Error::io("rename", e.error).in_file(&target))?;
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_appears_only_on_commit() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model.gguf");
        std::fs::write(&target, b"old").unwrap();

        let mut abandoned = OutputFile::create(&target).unwrap();
        abandoned.write_all(b"half").unwrap();
        drop(abandoned);
        assert_eq!(std::fs::read(&target).unwrap(), b"old");

        let mut complete = OutputFile::create(&target).unwrap();
        complete.write_all(b"new").unwrap();
        complete.commit().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = OutputFile::create(Path::new("/nowhere/at/all.gguf")).err().unwrap();
        assert!(error.to_string().starts_with("/nowhere/at/all.gguf: cannot create"), "{error}");
    }
}
