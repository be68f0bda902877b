//! One picture, for ever.

use std::path::Path;

use super::{Recording, folder};
use crate::camera::{Frame, Layout, Picture, PixelFormat, Rate};
use crate::{Result, Timestamp};

/// The same picture again and again.
#[derive(Clone, Debug)]
pub struct Still {
    layout: Layout,
    bytes: Vec<u8>,
    rate: Rate,
}

impl Still {
    /// The picture in a JPEG or PNG file.
    ///
    /// # Errors
    /// When the file cannot be read or is not a whole picture.
    pub fn open(path: &Path, rate: Rate) -> Result<Self> {
        let mut frame = Frame::default();
        folder::read_picture(path, Timestamp::default(), 0, &mut frame)?;
        Ok(Self { layout: frame.layout(), bytes: frame.bytes().to_vec(), rate })
    }

    /// A picture that was made.
    pub fn from_picture(picture: &Picture, rate: Rate) -> Self {
        let layout = Layout {
            format: PixelFormat::Rgb,
            width: picture.width(),
            height: picture.height(),
            stride: 3 * picture.width(),
        };
        Self { layout, bytes: picture.rgb().to_vec(), rate }
    }
}

impl Recording for Still {
    fn rate(&self) -> Rate {
        self.rate
    }

    fn read(&mut self, captured: Timestamp, sequence: u64, frame: &mut Frame) -> Result<bool> {
        frame.fill(self.layout, captured, sequence, &self.bytes).map(|()| true)
    }

    fn skip(&mut self) -> Result<bool> {
        Ok(true)
    }

    fn rewind(&mut self) -> Result<()> {
        Ok(())
    }
}
