//! Output files that appear only when they are complete.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, ErrorKind, Result};

/// A file that is written beside its target and takes the target's name on [`OutputFile::commit`]. Dropped before
/// that, it leaves nothing behind, and what stood at the target is untouched.
///
/// A target that is a link is written where the link points to, and one that exists keeps its permissions.
pub struct OutputFile {
    file: NamedTempFile,
    target: PathBuf,
    /// Of the file that stands there now.
    permissions: Option<Permissions>,
}

impl OutputFile {
    /// Starts a file in the directory of `target`.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when something stands at `target` that is no regular file, and what the disk says.
    pub fn create(target: &Path) -> Result<Self> {
        let io = |e| Error::io("create", e).in_file(target);
        let (target, permissions) = match fs::metadata(target) {
            Ok(found) if found.is_file() => (target.canonicalize().map_err(io)?, Some(found.permissions())),
            Ok(_) => {
                let error =
                    Error::new(ErrorKind::Argument, "", "cannot write: it exists and is no regular file");
                return Err(error.in_file(target));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => (target.to_owned(), None),
            Err(e) => return Err(io(e)),
        };
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".lorgnette-").suffix(".part");
        // The umask narrows this as it does for every new file; tempfile's default would keep the model private.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(directory).map_err(io)?;
        Ok(Self { file, target, permissions })
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
    pub(crate) fn as_file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Syncs to disk and takes the target's name.
    pub fn commit(self) -> Result<()> {
        let Self { file, target, permissions } = self;
        if let Some(permissions) = permissions {
            file.as_file()
                .set_permissions(permissions)
                .map_err(|e| Error::io("set permissions", e).in_file(&target))?;
        }
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

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.gguf"), dir.path().join("link.gguf"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &link).unwrap();
        let mut output = OutputFile::create(&link).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let error = OutputFile::create(dir.path()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Argument);
        #[cfg(unix)]
        assert_eq!(OutputFile::create(Path::new("/dev/null")).err().unwrap().kind(), ErrorKind::Argument);
    }

    #[test]
    fn a_name_of_any_length_can_be_written() {
        let dir = tempfile::tempdir().unwrap();
        OutputFile::create(&dir.path().join("n".repeat(250))).unwrap().commit().unwrap();
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = OutputFile::create(Path::new("/nowhere/at/all.gguf")).err().unwrap();
        assert!(error.to_string().starts_with("/nowhere/at/all.gguf: cannot create"), "{error}");
    }
}
