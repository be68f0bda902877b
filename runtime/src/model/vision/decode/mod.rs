//! Picture files to RGB.

mod jpeg;
mod png;
mod webp;

use super::orientation::Orientation;
use super::picture::Picture;
use crate::{Error, ErrorKind, Result};

/// Decodes a JPEG, PNG or WebP file, told apart by their first bytes, and turns the picture the way its EXIF
/// orientation says.
///
/// Grey becomes equal channels, 16 bits become their upper 8, transparency is dropped (as Pillow's
/// `convert("RGB")` does) and of an animation the first frame is taken.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for another format or a picture larger than [`Picture::MAX_PIXELS`], found out before
/// its pixels are given room; [`ErrorKind::Truncated`] for a file that ends too early; [`ErrorKind::Malformed`] for
/// a damaged one. The field is the format.
pub fn decode(bytes: &[u8]) -> Result<Picture> {
    let decoded = match bytes {
        [0xff, 0xd8, 0xff, ..] => jpeg::decode(bytes),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => png::decode(bytes),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp::decode(bytes),
        _ => Err(unknown_format(bytes)),
    }?;
    let orientation = decoded.exif.map_or_else(Orientation::default, |exif| Orientation::from_exif(&exif));
    Ok(orientation.apply(decoded.picture))
}

/// What each format's decoder gives.
struct Decoded {
    picture: Picture,
    /// The EXIF block, a TIFF file.
    exif: Option<Vec<u8>>,
}

fn unknown_format(bytes: &[u8]) -> Error {
    if bytes.is_empty() {
        return Error::new(
            ErrorKind::Truncated,
            "picture",
            "found an empty file, expected a JPEG, PNG or WebP",
        );
    }
    let first = &bytes[..bytes.len().min(12)];
    let detail = format!("found a file that begins with {first:02x?}, expected a JPEG, PNG or WebP");
    Error::new(ErrorKind::Unsupported, "picture", detail)
}

/// The colour of pixels of `channels` bytes (grey, grey and alpha, RGB, RGB and alpha), without transparency.
fn to_rgb(pixels: Vec<u8>, channels: usize) -> Vec<u8> {
    match channels {
        3 => pixels,
        4 => pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        _ => pixels.chunks_exact(channels).flat_map(|p| [p[0]; 3]).collect(),
    }
}
