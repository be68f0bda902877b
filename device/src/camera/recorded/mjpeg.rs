//! JPEGs one behind the other in a file, as `ffmpeg -c:v mjpeg -f mjpeg` writes them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use super::{MAX_PICTURE_BYTES, Recording};
use crate::camera::{Frame, Layout, PixelFormat, Rate};
use crate::{Error, Result, Timestamp};

/// A file of JPEGs.
#[derive(Debug)]
pub struct Mjpeg {
    path: PathBuf,
    file: BufReader<File>,
    jpeg: Vec<u8>,
    rate: Rate,
}

impl Mjpeg {
    /// Opens a file. The format does not say how fast it is played: `rate` does.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path, rate: Rate) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("open", e).of(path.display()))?;
        Ok(Self { path: path.to_owned(), file: BufReader::new(file), jpeg: Vec::new(), rate })
    }

    fn next_jpeg(&mut self) -> Result<bool> {
        self.jpeg.clear();
        read_jpeg(&mut (&mut self.file).take(MAX_PICTURE_BYTES), &mut self.jpeg)
            .map_err(|e| Error::io("read", e).of(self.path.display()))?;
        Ok(!self.jpeg.is_empty())
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
        self.file.rewind().map_err(|e| Error::io("rewind", e).of(self.path.display()))
    }
}

/// Appends the bytes up to and with the next end-of-image marker, or what there is, to `jpeg`.
fn read_jpeg(file: &mut impl BufRead, jpeg: &mut Vec<u8>) -> io::Result<()> {
    while file.read_until(0xff, jpeg)? > 0 && jpeg.last() == Some(&0xff) {
        let mut marker = 0xff;
        while marker == 0xff {
            let Some(byte) = next_byte(file)? else { return Ok(()) };
            jpeg.push(byte);
            marker = byte;
        }
        match marker {
            0xd9 => return Ok(()),
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            // A segment may hold a thumbnail with an end marker of its own.
            _ => {
                let (Some(high), Some(low)) = (next_byte(file)?, next_byte(file)?) else { return Ok(()) };
                jpeg.extend([high, low]);
                let length = u64::from(u16::from_be_bytes([high, low]));
                file.take(length.saturating_sub(2)).read_to_end(jpeg)?;
            }
        }
    }
    Ok(())
}

fn next_byte(file: &mut impl BufRead) -> io::Result<Option<u8>> {
    let byte = file.fill_buf()?.first().copied();
    file.consume(usize::from(byte.is_some()));
    Ok(byte)
}
