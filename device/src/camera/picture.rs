//! A decoded picture.

use super::layout::check_size;
use crate::{Error, Result};

/// A picture in RGB, 8 bits a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// The most pixels that a picture may have: 64 million.
    pub const MAX_PIXELS: usize = 64_000_000;
    /// The longest side that a picture may have.
    pub const MAX_SIDE: usize = 32_768;

    /// A picture of `width` x `height` pixels, `rgb` being its rows from top to bottom, three bytes a pixel.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when a side is 0 or `rgb` has another length,
    /// [`crate::ErrorKind::Unsupported`] when it is larger than [`Picture::MAX_PIXELS`].
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        check_size(width, height)?;
        let expected = 3 * width * height;
        if rgb.len() != expected {
            return Err(Error::malformed(
                "picture",
                format!("{} bytes", rgb.len()),
                format!("{expected} bytes"),
            ));
        }
        Ok(Self { width, height, rgb })
    }

    /// A picture of one colour; each side is brought within 1 and 4096.
    pub fn filled(width: usize, height: usize, colour: [u8; 3]) -> Self {
        let (width, height) = (width.clamp(1, 4096), height.clamp(1, 4096));
        Self { width, height, rgb: colour.repeat(width * height) }
    }

    /// Pixels from left to right; 0 in a picture that holds nothing yet.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom; 0 in a picture that holds nothing yet.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The rows from top to bottom, three bytes a pixel: `[height][width][3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The memory of the rows.
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// Room for `width` x `height` pixels, whose values are whatever was there.
    pub(super) fn resized(&mut self, width: usize, height: usize) -> &mut [u8] {
        (self.width, self.height) = (width, height);
        self.rgb.resize(3 * width * height, 0);
        &mut self.rgb
    }
}
