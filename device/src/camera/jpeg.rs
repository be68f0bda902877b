//! JPEG, by zune-jpeg.

use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::layout::check_size;
use super::picture::Picture;
use crate::{Error, ErrorKind, Result};

/// A JPEG at the start of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jpeg<'a> {
    /// From its first marker to its last.
    pub(super) bytes: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Markers, as ITU-T T.81, table B.1 numbers them.
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

/// The JPEG that `bytes` start with: what follows it is padding, and without its end marker it was cut short.
pub(super) fn find(bytes: &[u8]) -> Result<Jpeg<'_>> {
    if bytes.get(..2) != Some(&[0xff, SOI]) {
        return Err(Error::malformed("JPEG", "no start-of-image marker", "one at its start"));
    }
    let mut size = None;
    let mut at = 2;
    loop {
        let marker = next_marker(bytes, at).ok_or_else(cut_short)?;
        match bytes[marker] {
            EOI => {
                let (width, height) = size.ok_or_else(cut_short)?;
                return Ok(Jpeg { bytes: &bytes[..=marker], width, height });
            }
            // A stuffed zero, a restart marker, another start or TEM: no length follows.
            0x00 | 0x01 | 0xd0..=SOI => at = marker + 1,
            // SOF0 to SOF15, without DHT, JPG and DAC.
            0xc0..=0xcf if !matches!(bytes[marker], 0xc4 | 0xc8 | 0xcc) => {
                let (height, width) =
                    u16_at(bytes, marker + 4).zip(u16_at(bytes, marker + 6)).ok_or_else(cut_short)?;
                check_size(width, height)?;
                size = Some((width, height));
                at = after_segment(bytes, marker)?;
            }
            SOS if size.is_none() => {
                return Err(Error::malformed("JPEG", "a scan", "a frame header before it"));
            }
            _ => at = after_segment(bytes, marker)?,
        }
    }
}

fn cut_short() -> Error {
    Error::malformed("JPEG", "no end-of-image marker", "a whole picture")
}

fn after_segment(bytes: &[u8], marker: usize) -> Result<usize> {
    Ok(marker + 1 + u16_at(bytes, marker + 1).ok_or_else(cut_short)?)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 2)?;
    Some(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
}

/// Where the next byte stands that follows 0xff and is not a fill byte.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let ff = from + memchr::memchr(0xff, bytes.get(from..)?)?;
    Some(ff + bytes[ff..].iter().position(|&b| b != 0xff)?)
}

/// Decodes into `[height][width][3]`, whose length is the caller's word for the size that [`find`] told.
pub(super) fn decode_rgb(bytes: &[u8], rgb: &mut [u8]) -> Result<()> {
    decode(bytes, ColorSpace::RGB, rgb)
}

/// Decodes brightness into `[height][width]`.
pub(super) fn decode_luma(bytes: &[u8], luma: &mut [u8]) -> Result<()> {
    decode(bytes, ColorSpace::Luma, luma)
}

fn decode(bytes: &[u8], colours: ColorSpace, out: &mut [u8]) -> Result<()> {
    let options = DecoderOptions::default()
        .set_max_width(Picture::MAX_SIDE)
        .set_max_height(Picture::MAX_SIDE)
        .jpeg_set_out_colorspace(colours);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| located(&e))?;
    let expected = decoder.output_buffer_size().unwrap_or(0);
    if expected != out.len() {
        return Err(Error::malformed(
            "JPEG",
            format!("{expected} bytes of pixels"),
            format!("{} bytes", out.len()),
        ));
    }
    decoder.decode_into(out).map_err(|e| located(&e))
}

fn located(error: &DecodeErrors) -> Error {
    let kind = match error {
        DecodeErrors::Unsupported(_) => ErrorKind::Unsupported,
        _ => ErrorKind::Malformed,
    };
    Error::new(kind, format!("JPEG: {error:?}"))
}
