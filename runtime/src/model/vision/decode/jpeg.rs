//! JPEG, by zune-jpeg.

use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::Decoded;
use crate::model::vision::picture::{Picture, check_size};
use crate::{Error, ErrorKind, Result};

const FIELD: &str = "JPEG";
/// The largest side that the format can express; what is accepted is for [`check_size`] to say.
const FORMAT_SIDE: usize = u16::MAX as usize;

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded> {
    let options = DecoderOptions::default()
        .set_max_width(FORMAT_SIDE)
        .set_max_height(FORMAT_SIDE)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| located(&e, bytes))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| Error::missing(FIELD, "a frame header"))?;
    check_size(width, height)?;
    if !is_complete(bytes) {
        return Err(truncated(bytes));
    }
    let rgb = decoder.decode().map_err(|e| located(&e, bytes))?;
    Ok(Decoded { picture: Picture::new(width, height, rgb)?, exif: decoder.exif().cloned() })
}

/// Whether the file goes on to its end-of-image marker. The decoder fills with grey what a shorter file lacks.
fn is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(marker) = next_marker(bytes, at) {
        at = match bytes[marker] {
            0xd9 => return true,
            // A stuffed zero, a restart marker or TEM: no length follows.
            0x00 | 0x01 | 0xd0..=0xd8 => marker + 1,
            _ => match bytes.get(marker + 1..marker + 3) {
                Some(&[high, low]) => marker + 1 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        };
    }
    false
}

/// Where the next byte stands that follows 0xff and is not a fill byte.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let ff = from + bytes.get(from..)?.iter().position(|&b| b == 0xff)?;
    Some(ff + bytes[ff..].iter().position(|&b| b != 0xff)?)
}

fn truncated(bytes: &[u8]) -> Error {
    let detail = format!("found {} bytes without an end-of-image marker, expected a whole file", bytes.len());
    Error::new(ErrorKind::Truncated, FIELD, detail)
}

fn located(error: &DecodeErrors, bytes: &[u8]) -> Error {
    match error {
        _ if !is_complete(bytes) => truncated(bytes),
        DecodeErrors::Unsupported(_) => Error::new(ErrorKind::Unsupported, FIELD, format!("{error:?}")),
        _ => Error::new(ErrorKind::Malformed, FIELD, format!("{error:?}")),
    }
}
