//! PNG, by the png crate.

use std::io::{Cursor, ErrorKind as IoKind};

use png::{DecodingError, Transformations};

use super::{Decoded, to_rgb};
use crate::model::vision::picture::{Picture, check_size};
use crate::{Error, ErrorKind, Result};

const FIELD: &str = "PNG";

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(located)?;
    let (width, height) = (header.width as usize, header.height as usize);
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(located)?;
    let len = reader.output_buffer_size().ok_or_else(|| Error::malformed(FIELD, "no size", "a size"))?;
    let mut pixels = vec![0; len];
    let channels = reader.next_frame(&mut pixels).map_err(located)?.color_type.samples();
    // The chunks behind the pixels: EXIF may stand there, and a file cut short shows.
    reader.finish().map_err(located)?;
    let exif = reader.info().exif_metadata.as_ref().map(|exif| exif.to_vec());
    Ok(Decoded { picture: Picture::new(width, height, to_rgb(pixels, channels))?, exif })
}

fn located(error: DecodingError) -> Error {
    let kind = match &error {
        DecodingError::IoError(e) if e.kind() == IoKind::UnexpectedEof => ErrorKind::Truncated,
        DecodingError::LimitsExceeded => ErrorKind::Unsupported,
        _ => ErrorKind::Malformed,
    };
    Error::new(kind, FIELD, error.to_string())
}
