//! Names of the files of a split model: `model-00002-of-00005.gguf`.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The path of shard `no` (from 0) of `count` of the model whose path without ending is `stem`.
///
/// ```
/// # use lorgnette_quant::gguf::shard_path;
/// assert_eq!(shard_path("dir/model".as_ref(), 1, 5).to_str(), Some("dir/model-00002-of-00005.gguf"));
/// ```
pub fn shard_path(stem: &Path, no: u16, count: u16) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(format!("-{:05}-of-{count:05}.gguf", u32::from(no) + 1));
    path.into()
}

/// Takes a shard's path apart into stem, number from 0, and count; `None` for other names.
pub fn split_name(path: &Path) -> Option<(PathBuf, u16, u16)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".gguf")?;
    let (rest, count) = name.rsplit_once("-of-")?;
    let (stem, no) = rest.rsplit_once('-')?;
    let number = |digits: &str| -> Option<u16> {
        (digits.len() == 5 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    };
    let (no, count) = (number(no)?.checked_sub(1)?, number(count)?);
    (no < count).then(|| (path.with_file_name(stem), no, count))
}

/// The path of shard `no`, beside the shard at `path`.
pub(super) fn sibling(path: &Path, no: u16, count: u16) -> Result<PathBuf> {
    match split_name(path) {
        Some((stem, _, named)) if named == count => Ok(shard_path(&stem, no, count)),
        _ => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Err(Error::malformed("file name", format!("{name:?}"), format!("NAME-00001-of-{count:05}.gguf"))
                .in_file(path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_as_they_were_put_together() {
        let path = shard_path(Path::new("/m/a-b"), 2, 300);
        assert_eq!(path, Path::new("/m/a-b-00003-of-00300.gguf"));
        assert_eq!(split_name(&path), Some(("/m/a-b".into(), 2, 300)));
    }

    #[test]
    fn other_names_are_no_shards() {
        for name in
            ["a.gguf", "a-1-of-2.gguf", "a-00000-of-00002.gguf", "a-00003-of-00002.gguf", "a-00001-of-00002"]
        {
            assert_eq!(split_name(Path::new(name)), None, "{name}");
        }
    }
}
