//! JPEGs one behind the other in a file, as `ffmpeg -c:v mjpeg -f mjpeg` writes them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use super::{MAX_PICTURE_BYTES, Recording};
use crate::camera::{Frame, Layout, PixelFormat, Rate};
use crate::{Error, Result, Timestamp};

/// The marker of the start of an image (ITU-T T.81, table B.1).
const SOI: u8 = 0xd8;

/// A file of JPEGs. What lies between them is passed over.
#[derive(Debug)]
pub struct Mjpeg {
    path: PathBuf,
    file: BufReader<File>,
    jpeg: Vec<u8>,
    rate: Rate,
    /// The start of the next picture was read already, because the one before lacks its end.
    started: bool,
}

impl Mjpeg {
    /// Opens a file. The format does not say how fast it is played: `rate` does.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path, rate: Rate) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("open", e).of(path.display()))?;
        Ok(Self { path: path.to_owned(), file: BufReader::new(file), jpeg: Vec::new(), rate, started: false })
    }

    fn next_jpeg(&mut self) -> Result<bool> {
        let unreadable = |e| Error::io("read", e).of(self.path.display());
        let mut file = (&mut self.file).take(MAX_PICTURE_BYTES);
        if !self.started && !skip_to_start(&mut file).map_err(unreadable)? {
            return Ok(false);
        }
        self.jpeg.clear();
        self.jpeg.extend([0xff, SOI]);
        self.started = read_jpeg(&mut file, &mut self.jpeg).map_err(unreadable)?;
        Ok(true)
    }
}

impl Recording for Mjpeg {
    fn rate(&self) -> Rate {
        self.rate
    }

    fn read(&mut self, captured: Timestamp, sequence: u64, frame: &mut Frame) -> Result<bool> {
        if !self.next_jpeg()? {
            return Ok(false);
        }
        // A JPEG says its own size.
        let layout = Layout::packed(PixelFormat::Mjpg, 1, 1)?;
        frame.fill(layout, captured, sequence, &self.jpeg).map_err(|e| e.of(self.path.display()))?;
        Ok(true)
    }

    fn skip(&mut self) -> Result<bool> {
        self.next_jpeg()
    }

    fn rewind(&mut self) -> Result<()> {
        self.started = false;
        self.file.rewind().map_err(|e| Error::io("rewind", e).of(self.path.display()))
    }
}

/// Goes behind the next start-of-image marker; `false` when there is none.
fn skip_to_start(file: &mut impl BufRead) -> io::Result<bool> {
    let mut last = 0;
    while let Some(byte) = next_byte(file)? {
        if (last, byte) == (0xff, SOI) {
            return Ok(true);
        }
        last = byte;
    }
    Ok(false)
}

/// Appends the bytes behind the start up to and with the end-of-image marker, or what there is, to `jpeg`; whether it
/// was another start that ended it.
fn read_jpeg(file: &mut impl BufRead, jpeg: &mut Vec<u8>) -> io::Result<bool> {
    while file.read_until(0xff, jpeg)? > 0 && jpeg.last() == Some(&0xff) {
        let mut marker = 0xff;
        while marker == 0xff {
            let Some(byte) = next_byte(file)? else { return Ok(false) };
            jpeg.push(byte);
            marker = byte;
        }
        match marker {
            0xd9 => return Ok(false),
            SOI => return Ok(true),
            0x00 | 0x01 | 0xd0..=0xd7 => {}
            // A segment may hold a thumbnail with an end marker of its own.
            _ => {
                let (Some(high), Some(low)) = (next_byte(file)?, next_byte(file)?) else { return Ok(false) };
                jpeg.extend([high, low]);
                let length = u64::from(u16::from_be_bytes([high, low]));
                file.take(length.saturating_sub(2)).read_to_end(jpeg)?;
            }
        }
    }
    Ok(false)
}

fn next_byte(file: &mut impl BufRead) -> io::Result<Option<u8>> {
    let byte = file.fill_buf()?.first().copied();
    file.consume(usize::from(byte.is_some()));
    Ok(byte)
}
