//! A decoded picture.

use crate::{Error, ErrorKind, Result};

/// A picture in RGB, 8 bits a channel, at least one pixel wide and high.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// The most pixels that a picture may have: 64 million, which takes 192 MB.
    pub const MAX_PIXELS: usize = 64_000_000;
    /// The longest side that a picture may have.
    pub const MAX_SIDE: usize = 32_768;

    /// A picture of `width` x `height` pixels, `rgb` being its rows from top to bottom, three bytes a pixel.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when it is larger than [`Picture::MAX_PIXELS`] or [`Picture::MAX_SIDE`],
    /// [`ErrorKind::Malformed`] when a side is 0 or `rgb` has another length.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        check_size(width, height)?;
        let expected = 3 * width * height;
        if rgb.len() != expected {
            let found = format!("{} bytes for {width} x {height} pixels", rgb.len());
            return Err(Error::malformed("picture", found, format!("{expected} bytes")));
        }
        Ok(Self { width, height, rgb })
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The rows from top to bottom, three bytes a pixel: `[height][width][3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// A picture made by this module's own arithmetic out of one whose size was checked.
    pub(super) fn from_checked(width: usize, height: usize, rgb: Vec<u8>) -> Self {
        debug_assert_eq!(rgb.len(), 3 * width * height);
        Self { width, height, rgb }
    }
}

/// Whether a file may hold a picture of this size, asked before its pixels are given room.
pub(super) fn check_size(width: usize, height: usize) -> Result<()> {
    let found = || format!("{width} x {height} pixels");
    if width == 0 || height == 0 {
        return Err(Error::malformed("picture size", found(), "at least 1 x 1"));
    }
    let (most, side) = (Picture::MAX_PIXELS, Picture::MAX_SIDE);
    if width > side || height > side || width.saturating_mul(height) > most {
        let detail = format!("found {}, expected at most {most} pixels and {side} on a side", found());
        return Err(Error::new(ErrorKind::Unsupported, "picture size", detail));
    }
    Ok(())
}
