//! YUV4MPEG2, as `ffmpeg -pix_fmt yuv420p` writes it into files named `.y4m`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Recording;
use crate::camera::{Frame, Layout, PixelFormat, Rate};
use crate::{Error, ErrorKind, Result, Timestamp};

/// A file of pictures in 4:2:0, 8 bits.
#[derive(Debug)]
pub struct Y4m {
    path: PathBuf,
    file: BufReader<File>,
    /// Where the first picture starts.
    first: u64,
    layout: Layout,
    rate: Rate,
    planes: Vec<u8>,
    /// The place of the next picture is lost.
    broken: bool,
}

impl Y4m {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when the header is not one or tells of more than 1000 pictures a second,
    /// [`ErrorKind::Unsupported`] when the pictures are not in
    /// 4:2:0 and 8 bits or are interlaced, and others when the file cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let located = |e: Error| e.of(path.display());
        let file = File::open(path).map_err(|e| located(Error::io("open", e)))?;
        let mut file = BufReader::new(file);
        let header = read_line(&mut file).map_err(located)?;
        let (layout, rate) = parse_header(&header).map_err(located)?;
        let first = header.len() as u64 + 1;
        Ok(Self { path: path.to_owned(), file, first, layout, rate, planes: Vec::new(), broken: false })
    }

    /// Reads the line before a picture; `false` at the end of the file.
    fn enter_picture(&mut self) -> Result<bool> {
        if self.broken {
            return Ok(false);
        }
        self.broken = true;
        let line = read_line(&mut self.file)?;
        if line.is_empty() {
            return Ok(false);
        }
        if line != "FRAME" && !line.starts_with("FRAME ") {
            return Err(Error::malformed("line before a picture", format!("{line:?}"), "FRAME"));
        }
        self.broken = false;
        Ok(true)
    }

    fn read_planes(&mut self) -> Result<bool> {
        if !self.enter_picture()? {
            return Ok(false);
        }
        let expected = self.layout.bytes();
        self.planes.clear();
        let read = (&mut self.file).take(expected as u64).read_to_end(&mut self.planes);
        read.map_err(|e| Error::io("read", e))?;
        Ok(true)
    }
}

impl Recording for Y4m {
    fn rate(&self) -> Rate {
        self.rate
    }

    fn read(&mut self, captured: Timestamp, sequence: u64, frame: &mut Frame) -> Result<bool> {
        let there = self.read_planes().map_err(|e| e.of(self.path.display()))?;
        if there {
            let filled = frame.fill(self.layout, captured, sequence, &self.planes);
            filled.map_err(|e| e.of(self.path.display()))?;
        }
        Ok(there)
    }

    fn skip(&mut self) -> Result<bool> {
        let there = self.enter_picture().map_err(|e| e.of(self.path.display()))?;
        if there {
            let skipped = self.file.seek_relative(self.layout.bytes() as i64);
            skipped.map_err(|e| Error::io("read", e).of(self.path.display()))?;
        }
        Ok(there)
    }

    fn rewind(&mut self) -> Result<()> {
        self.broken = false;
        let sought = self.file.seek(SeekFrom::Start(self.first));
        sought.map(drop).map_err(|e| Error::io("rewind", e).of(self.path.display()))
    }
}

/// A line without its end; empty at the end of the file.
fn read_line(file: &mut impl BufRead) -> Result<String> {
    const MAX_LINE: u64 = 1024;
    let mut line = Vec::new();
    file.take(MAX_LINE).read_until(b'\n', &mut line).map_err(|e| Error::io("read", e))?;
    if line.pop().is_some_and(|last| last != b'\n') {
        return Err(Error::malformed("line", "no end", format!("one within {MAX_LINE} bytes")));
    }
    String::from_utf8(line).map_err(|_| Error::malformed("line", "bytes that are not text", "ASCII"))
}

fn parse_header(header: &str) -> Result<(Layout, Rate)> {
    let mut words = header.split(' ');
    if words.next() != Some("YUV4MPEG2") {
        return Err(Error::malformed("first word", "another one", "YUV4MPEG2"));
    }
    let (mut width, mut height, mut rate) = (0, 0, None);
    for word in words.filter(|word| !word.is_empty()) {
        let malformed = || Error::malformed("header", format!("{word:?}"), "a parameter of YUV4MPEG2");
        let (tag, value) = word.split_at_checked(1).ok_or_else(malformed)?;
        match tag {
            "W" => width = value.parse().map_err(|_| malformed())?,
            "H" => height = value.parse().map_err(|_| malformed())?,
            "F" => rate = Some(parse_rate(value).ok_or_else(malformed)?),
            "C" if !matches!(value, "420" | "420jpeg" | "420mpeg2" | "420paldv") => {
                return Err(unsupported(word));
            }
            "I" if !matches!(value, "p" | "?") => return Err(unsupported(word)),
            _ => {}
        }
    }
    let layout = Layout::packed(PixelFormat::I420, width, height)?;
    Ok((layout, rate.unwrap_or(Rate::per_second(25))))
}

/// More pictures a second than any camera takes, and fewer than keep a player from ever catching up.
const FASTEST: f64 = 1000.0;

fn parse_rate(value: &str) -> Option<Rate> {
    let (frames, seconds) = value.split_once(':')?;
    Rate::new(frames.parse().ok()?, seconds.parse().ok()?).filter(|rate| rate.as_f64() <= FASTEST)
}

fn unsupported(word: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("found {word:?}, expected progressive 4:2:0 of 8 bits"))
}
