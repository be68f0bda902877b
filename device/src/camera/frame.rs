//! A picture as it came, and when.

use super::convert;
use super::jpeg;
use super::layout::{Layout, PixelFormat, check_size};
use super::picture::Picture;
use super::region::Region;
use crate::{Error, ErrorKind, Result, Timestamp};

/// A picture as its camera sent it. Nothing is decoded until it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    layout: Layout,
    bytes: Vec<u8>,
    captured: Timestamp,
    sequence: u64,
    pub(super) dropped: u64,
}

impl Frame {
    /// Takes a copy of `bytes` into the memory that this frame has.
    ///
    /// Of a JPEG, only the part up to its end marker is taken, and its own header says how large it is, whatever
    /// `layout` does.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when there are fewer bytes than the layout needs, or not a whole JPEG;
    /// [`crate::ErrorKind::Unsupported`] when a JPEG is too large. The frame then keeps what it had.
    pub fn fill(&mut self, layout: Layout, captured: Timestamp, sequence: u64, bytes: &[u8]) -> Result<()> {
        let (layout, bytes) = match layout.format {
            PixelFormat::Mjpg => {
                let jpeg = jpeg::find(bytes)?;
                (Layout::packed(PixelFormat::Mjpg, jpeg.width, jpeg.height)?, jpeg.bytes)
            }
            _ => {
                let found = || format!("{} bytes", bytes.len());
                let whole = bytes.get(..layout.bytes());
                let expected = || format!("{} bytes of {}", layout.bytes(), layout.format);
                (layout, whole.ok_or_else(|| Error::malformed("frame", found(), expected()))?)
            }
        };
        self.bytes.clear();
        if self.bytes.capacity() < bytes.len() {
            // Room for the somewhat larger JPEGs that follow.
            self.bytes.reserve_exact(bytes.len() + bytes.len() / 2);
        }
        self.bytes.extend_from_slice(bytes);
        (self.layout, self.captured, self.sequence, self.dropped) = (layout, captured, sequence, 0);
        Ok(())
    }

    /// How the bytes are ordered.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The bytes as they came; empty in a frame that was never filled.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.layout.width
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.layout.height
    }

    /// When the light fell: the driver's own stamp where it gives one.
    pub fn captured(&self) -> Timestamp {
        self.captured
    }

    /// The number of this frame, one more than that of the frame that the camera took before, seen or not.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Frames between the last one that was given out and this one, which nobody saw.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Says how many frames nobody saw before this one: for cameras, which know.
    pub fn set_dropped(&mut self, frames: u64) {
        self.dropped = frames;
    }

    /// The picture in colour.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] or [`crate::ErrorKind::Unsupported`] when a JPEG cannot be decoded.
    pub fn picture(&self) -> Result<Picture> {
        let mut picture = Picture::default();
        self.picture_into(&mut picture)?;
        Ok(picture)
    }

    /// As [`Frame::picture`], into the memory of `picture`. Nothing is allocated if that is large enough, except by
    /// the decoder of JPEG for itself.
    ///
    /// # Errors
    /// As [`Frame::picture`]; what `picture` shows then is undefined.
    pub fn picture_into(&self, picture: &mut Picture) -> Result<()> {
        self.check_filled()?;
        let (width, height) = (self.layout.width, self.layout.height);
        let rgb = picture.resized(width, height);
        match self.layout.format {
            PixelFormat::Mjpg => jpeg::decode_rgb(&self.bytes, rgb),
            _ => {
                convert::to_rgb(&self.layout, &self.bytes, Region::whole(width, height), rgb);
                Ok(())
            }
        }
    }

    /// The part of the picture within `region`, at the resolution that the camera was asked for. What lies outside is cut off.
    ///
    /// # Errors
    /// As [`Frame::picture`], and [`crate::ErrorKind::Argument`] when nothing of the region lies in the picture.
    pub fn crop(&self, region: Region) -> Result<Picture> {
        let region = region.within(self.layout.width, self.layout.height)?;
        let mut picture = Picture::default();
        match self.layout.format {
            PixelFormat::Mjpg => {
                let whole = self.picture()?;
                let layout = Layout::packed(PixelFormat::Rgb, whole.width(), whole.height())?;
                convert::to_rgb(&layout, whole.rgb(), region, picture.resized(region.width, region.height));
            }
            _ => {
                let rgb = picture.resized(region.width, region.height);
                convert::to_rgb(&self.layout, &self.bytes, region, rgb);
            }
        }
        Ok(picture)
    }

    fn check_filled(&self) -> Result<()> {
        if self.bytes.is_empty() {
            return Err(Error::new(ErrorKind::Argument, "a frame that was never filled shows nothing"));
        }
        Ok(())
    }

    /// The brightness of each pixel. It lies in the frame already, or is decoded into `scratch` when the frame is a
    /// JPEG. Of a frame in RGB it is the green.
    ///
    /// # Errors
    /// As [`Frame::picture`].
    pub fn luma<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Result<Luma<'a>> {
        self.check_filled()?;
        let Layout { format, width, height, stride } = self.layout;
        let luma = |bytes, stride, step| Luma { bytes, width, height, stride, step };
        Ok(match format {
            PixelFormat::Mjpg => {
                scratch.resize(width * height, 0);
                jpeg::decode_luma(&self.bytes, scratch)?;
                luma(scratch, width, 1)
            }
            PixelFormat::Yuyv => luma(&self.bytes, stride, 2),
            PixelFormat::Nv12 | PixelFormat::I420 => luma(&self.bytes, stride, 1),
            PixelFormat::Rgb => luma(self.bytes.get(1..).unwrap_or_default(), stride, 3),
        })
    }
}

/// The brightness of each pixel of a frame, where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Luma<'a> {
    /// Pixel (x, y) is at `y * stride + x * step`.
    pub(crate) bytes: &'a [u8],
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) stride: usize,
    pub(crate) step: usize,
}

impl<'a> Luma<'a> {
    /// `height` rows of `width` pixels without gaps.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when a side is 0 or there are not as many bytes,
    /// [`crate::ErrorKind::Unsupported`] when there are more pixels than [`Picture::MAX_PIXELS`].
    pub fn new(width: usize, height: usize, bytes: &'a [u8]) -> Result<Self> {
        check_size(width, height)?;
        if bytes.len() != width * height {
            let expected = format!("{width} x {height} bytes");
            return Err(Error::malformed("brightness", format!("{} bytes", bytes.len()), expected));
        }
        Ok(Self { bytes, width, height, stride: width, step: 1 })
    }

    /// The bytes of row `y`, from its first pixel to its last, [`Luma::step`] apart.
    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        &self.bytes[y * self.stride..][..(self.width - 1) * self.step + 1]
    }
}
