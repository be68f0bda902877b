//! A folder of pictures.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::{Recording, read_file};
use crate::camera::layout::check_size;
use crate::camera::{Frame, Layout, PixelFormat, Rate};
use crate::{Error, ErrorKind, Result, Timestamp};

/// The JPEG and PNG files of a folder, by name.
#[derive(Clone, Debug)]
pub struct Folder {
    paths: Vec<PathBuf>,
    next: usize,
    rate: Rate,
}

impl Folder {
    /// Lists the pictures in `folder`; they are read when their time comes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no folder or no picture in it, and others when it cannot be read.
    pub fn open(folder: &Path, rate: Rate) -> Result<Self> {
        let listed = |e| Error::io("list", e).of(folder.display());
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(listed)? {
            let path = entry.map_err(listed)?.path();
            if kind(&path).is_some() {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "no JPEG or PNG files in it").of(folder.display()));
        }
        paths.sort();
        Ok(Self { paths, next: 0, rate })
    }
}

impl Recording for Folder {
    fn rate(&self) -> Rate {
        self.rate
    }

    fn read(&mut self, captured: Timestamp, sequence: u64, frame: &mut Frame) -> Result<bool> {
        let Some(path) = self.paths.get(self.next) else { return Ok(false) };
        self.next += 1;
        read_picture(path, captured, sequence, frame).map(|()| true)
    }

    fn skip(&mut self) -> Result<bool> {
        let there = self.next < self.paths.len();
        self.next += usize::from(there);
        Ok(there)
    }

    fn rewind(&mut self) -> Result<()> {
        self.next = 0;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Jpeg,
    Png,
}

/// What a file is, by its name.
fn kind(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => Some(Kind::Jpeg),
        "png" => Some(Kind::Png),
        _ => None,
    }
}

/// Puts the picture in a file into `frame`.
pub(super) fn read_picture(path: &Path, captured: Timestamp, sequence: u64, frame: &mut Frame) -> Result<()> {
    let mut fill = || match kind(path) {
        Some(Kind::Jpeg) => {
            // A JPEG says its own size.
            let layout = Layout::packed(PixelFormat::Mjpg, 1, 1)?;
            frame.fill(layout, captured, sequence, &read_file(path)?)
        }
        Some(Kind::Png) => {
            let (layout, rgb) = decode_png(&read_file(path)?)?;
            frame.fill(layout, captured, sequence, &rgb)
        }
        None => Err(Error::new(ErrorKind::Unsupported, "expected a name that ends in jpg, jpeg or png")),
    };
    fill().map_err(|e: Error| e.of(path.display()))
}

/// A PNG as packed RGB; what is transparent is shown as if it were not.
fn decode_png(bytes: &[u8]) -> Result<(Layout, Vec<u8>)> {
    let malformed = |e: png::DecodingError| Error::new(ErrorKind::Malformed, format!("PNG: {e}"));
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(malformed)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    check_size(width, height)?;
    let mut pixels = vec![0; reader.output_buffer_size().unwrap_or(0)];
    reader.next_frame(&mut pixels).map_err(malformed)?;
    let rgb = match reader.output_color_type().0.samples() {
        3 => pixels,
        4 => pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        grey => pixels.chunks_exact(grey).flat_map(|p| [p[0]; 3]).collect(),
    };
    Ok((Layout::packed(PixelFormat::Rgb, width, height)?, rgb))
}
