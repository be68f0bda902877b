//! Recorded and made pictures, played as a camera.

mod folder;
mod mjpeg;
mod player;
mod still;
mod y4m;

pub use folder::Folder;
pub use mjpeg::Mjpeg;
pub use player::{Pace, Player};
pub use still::Still;
pub use y4m::Y4m;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Frame, Rate};
use crate::{Error, Result, Timestamp};

/// Pictures in order, as a [`Player`] reads them.
pub trait Recording: Send {
    /// How often a picture comes.
    fn rate(&self) -> Rate;

    /// Puts the next picture into `frame`, under the time and number given; `false` when there is none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] and others when the picture cannot be read. The next call goes on behind it,
    /// or gives `false` when nobody can tell where the next one starts.
    fn read(&mut self, captured: Timestamp, sequence: u64, frame: &mut Frame) -> Result<bool>;

    /// Goes past the next picture; `false` when there is none.
    ///
    /// # Errors
    /// As [`Recording::read`].
    fn skip(&mut self) -> Result<bool>;

    /// Goes back to the first picture.
    ///
    /// # Errors
    /// When the file cannot be read there any more.
    fn rewind(&mut self) -> Result<()>;
}

impl<R: Recording + ?Sized> Recording for Box<R> {
    fn rate(&self) -> Rate {
        (**self).rate()
    }

    fn read(&mut self, captured: Timestamp, sequence: u64, frame: &mut Frame) -> Result<bool> {
        (**self).read(captured, sequence, frame)
    }

    fn skip(&mut self) -> Result<bool> {
        (**self).skip()
    }

    fn rewind(&mut self) -> Result<()> {
        (**self).rewind()
    }
}

/// Opens what `path` names: a folder of pictures, a video (`.y4m`, `.mjpeg`, `.mjpg`) or a picture. A Y4M says its own
/// rate; the others come at `rate`.
///
/// # Errors
/// Those of [`Folder::open`], [`Y4m::open`], [`Mjpeg::open`] and [`Still::open`].
pub fn open_recording(path: &Path, rate: Rate) -> Result<Box<dyn Recording>> {
    if path.is_dir() {
        return Ok(Box::new(Folder::open(path, rate)?));
    }
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    Ok(match extension.to_str() {
        Some("y4m") => Box::new(Y4m::open(path)?),
        Some("mjpeg" | "mjpg") => Box::new(Mjpeg::open(path, rate)?),
        _ => Box::new(Still::open(path, rate)?),
    })
}

/// The most bytes that one recorded picture may have.
const MAX_PICTURE_BYTES: u64 = 256 << 20;

/// A whole file, if it is not larger than a picture may be.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_PICTURE_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|e: io::Error| Error::io("read", e).of(path.display()))?;
    if bytes.len() as u64 > MAX_PICTURE_BYTES {
        let expected = format!("at most {MAX_PICTURE_BYTES}");
        return Err(Error::malformed("file", "more bytes", expected).of(path.display()));
    }
    Ok(bytes)
}
