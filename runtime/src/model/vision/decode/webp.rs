//! WebP, by image-webp.

use std::io::{Cursor, ErrorKind as IoKind};

use image_webp::{DecodingError, WebPDecoder};

use super::{Decoded, to_rgb};
use crate::model::vision::picture::{Picture, check_size};
use crate::{Error, ErrorKind, Result};

const FIELD: &str = "WebP";
/// The most that metadata may take.
const METADATA_BYTES: usize = 1 << 20;

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(located)?;
    decoder.set_memory_limit(METADATA_BYTES);
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    check_frames(bytes)?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut pixels = vec![0; channels * width * height];
    decoder.read_image(&mut pixels).map_err(located)?;
    // Metadata that cannot be read is as good as none.
    let exif = decoder.exif_metadata().ok().flatten();
    Ok(Decoded { picture: Picture::new(width, height, to_rgb(pixels, channels))?, exif })
}

/// A lossy frame says its own size, which the decoder makes room for before it compares it with the picture's.
fn check_frames(bytes: &[u8]) -> Result<()> {
    let frames = bytes.windows(18).filter(|w| w.starts_with(b"VP8 ") && w[11..14] == [0x9d, 0x01, 0x2a]);
    for frame in frames {
        let side = |at: usize| usize::from(u16::from_le_bytes([frame[at], frame[at + 1]]) & 0x3fff);
        check_size(side(14), side(16))?;
    }
    Ok(())
}

fn located(error: DecodingError) -> Error {
    let kind = match &error {
        DecodingError::IoError(e) if e.kind() == IoKind::UnexpectedEof => ErrorKind::Truncated,
        DecodingError::UnsupportedFeature(_) => ErrorKind::Unsupported,
        _ => ErrorKind::Malformed,
    };
    Error::new(kind, FIELD, error.to_string())
}
