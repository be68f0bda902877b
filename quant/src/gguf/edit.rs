//! Changes metadata of a file that exists.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use super::{Header, Metadata};
use crate::error::{Error, Result};
use crate::output::OutputFile;

/// Applies `change` to the metadata of the one file at `path`; tensors stay as they are. Returns whether the data
/// could stay in its place.
///
/// When the new header ends at the same aligned byte as the old one, only the bytes that differ are written.
/// Otherwise the file is made anew beside the old one, with the data copied by the system (shared on file systems
/// that can), and takes its name at the end. A crash while bytes are overwritten can leave some of them old: the one
/// writer here that is not all or nothing.
///
/// # Errors
/// What [`Header::parse`] and `change` say, a changed alignment, and everything the disk says.
pub fn set_metadata(path: &Path, change: impl FnOnce(&mut Metadata) -> Result<()>) -> Result<bool> {
    let edit = || -> Result<bool> {
        let mut file =
            OpenOptions::new().read(true).write(true).open(path).map_err(|e| Error::io("open", e))?;
        // SAFETY: a private view that lives until the header is parsed, before anything is written.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|e| Error::io("map", e))?;
        let old = Header::parse(&map)?;
        old.check_data(map.len())?;
        // Without tensors there may be no padding, and then there is nothing to leave in place.
        let old_bytes = map[..old.data_start().min(map.len())].to_vec();
        drop(map);

        let mut metadata = old.metadata().clone();
        change(&mut metadata)?;
        let new_bytes = old.with_metadata(metadata)?.to_bytes();
        let in_place = new_bytes.len() == old_bytes.len();
        if in_place {
            overwrite(&mut file, &old_bytes, &new_bytes).map_err(|e| Error::io("write", e))?;
        } else {
            rewrite(path, &mut file, old.data_start(), &new_bytes)?;
        }
        Ok(in_place)
    };
    edit().map_err(|e| e.in_file(path))
}

fn overwrite(file: &mut File, old: &[u8], new: &[u8]) -> io::Result<()> {
    let differs = |(a, b): (&u8, &u8)| a != b;
    let Some(first) = old.iter().zip(new).position(differs) else { return Ok(()) };
    let last = old.iter().zip(new).rposition(differs).unwrap_or(first);
    file.seek(SeekFrom::Start(first as u64))?;
    file.write_all(&new[first..=last])?;
    file.sync_data()
}

fn rewrite(path: &Path, file: &mut File, data_start: usize, header: &[u8]) -> Result<()> {
    let mut output = OutputFile::create(path)?;
    let mut copy = |output: &mut OutputFile| -> io::Result<()> {
        output.write_all(header)?;
        file.seek(SeekFrom::Start(data_start as u64))?;
        io::copy(file, output.as_file_mut()).map(drop)
    };
    copy(&mut output).map_err(|e| Error::io("write", e))?;
    output.commit()
}
