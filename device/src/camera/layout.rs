//! How a picture is written down in bytes.

use std::fmt;

use super::Picture;
use crate::{Error, ErrorKind, Result};

/// What the bytes of a picture mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// A JPEG for each picture.
    Mjpg,
    /// Brightness of each pixel, and colour of each pair, in turn: Y U Y V.
    Yuyv,
    /// A plane of brightness, then one of colour for each square of four pixels: U V.
    Nv12,
    /// A plane of brightness, then one of U and one of V, each for squares of four pixels.
    I420,
    /// Red, green, blue.
    #[default]
    Rgb,
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mjpg => "MJPG",
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::I420 => "I420",
            Self::Rgb => "RGB",
        })
    }
}

/// How the bytes of one picture are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub(super) format: PixelFormat,
    pub(super) width: usize,
    pub(super) height: usize,
    /// From the start of a row to that of the next, in the first plane.
    pub(super) stride: usize,
}

impl Layout {
    /// Rows of `width` pixels without gaps, `height` of them.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when a side is 0, [`ErrorKind::Unsupported`] when the picture is larger than
    /// [`Picture::MAX_PIXELS`].
    pub fn packed(format: PixelFormat, width: usize, height: usize) -> Result<Self> {
        Self::with_stride(format, width, height, 0)
    }

    /// Rows that start `stride` bytes apart, or follow each other where `stride` is less than a row (drivers say 0).
    ///
    /// # Errors
    /// As [`Layout::packed`].
    pub fn with_stride(format: PixelFormat, width: usize, height: usize, stride: usize) -> Result<Self> {
        check_size(width, height)?;
        let row = match format {
            PixelFormat::Mjpg => 0,
            PixelFormat::Yuyv => width.div_ceil(2) * 4,
            PixelFormat::Nv12 => width.div_ceil(2) * 2,
            PixelFormat::I420 => width,
            PixelFormat::Rgb => 3 * width,
        };
        if stride > 8 * Picture::MAX_SIDE {
            return Err(Error::malformed("row", format!("{stride} bytes"), format!("about {row}")));
        }
        Ok(Self { format, width, height, stride: stride.max(row) })
    }

    /// What the bytes mean.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bytes that a picture has; 1 for a JPEG, which has as many as it needs.
    pub fn bytes(&self) -> usize {
        let luma = self.stride * self.height;
        match self.format {
            PixelFormat::Mjpg => 1,
            PixelFormat::Yuyv | PixelFormat::Rgb => luma,
            PixelFormat::Nv12 => luma + self.stride * self.height.div_ceil(2),
            PixelFormat::I420 => luma + 2 * self.stride.div_ceil(2) * self.height.div_ceil(2),
        }
    }
}

/// Whether anything here takes pictures of this size.
pub(super) fn check_size(width: usize, height: usize) -> Result<()> {
    let found = || format!("{width} x {height} pixels");
    if width == 0 || height == 0 {
        return Err(Error::malformed("picture size", found(), "at least 1 x 1"));
    }
    let (most, side) = (Picture::MAX_PIXELS, Picture::MAX_SIDE);
    if width > side || height > side || width * height > most {
        let detail =
            format!("picture size: found {}, expected at most {most} pixels and {side} on a side", found());
        return Err(Error::new(ErrorKind::Unsupported, detail));
    }
    Ok(())
}
