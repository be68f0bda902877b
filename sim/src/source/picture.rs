//! Pictures and sounds of files, as the glasses would take them.

use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};
use lorgnette_device::camera::{Frame, Picture, PixelFormat};
use lorgnette_runtime::model::audio::decode_wav;
use lorgnette_runtime::model::vision;

use crate::glasses::Shot;
use crate::{Error, ErrorKind, Result};

/// Of the JPEGs that the camera of the glasses writes, from 1 to 100.
const QUALITY: u8 = 92;

/// Pixels on the longer side of a frame, at most: what the camera of the glasses has.
const LONGEST_SIDE: usize = 4096;

/// A JPEG, PNG or WebP as the camera of the glasses sees it. A JPEG stays as it is.
///
/// # Errors
/// [`ErrorKind::Malformed`] when `bytes` are not a whole picture, or one that is too large.
pub fn picture(about: &str, bytes: &[u8]) -> Result<Shot> {
    let malformed = |detail: &dyn std::fmt::Display| Error::new(ErrorKind::Malformed, about, detail);
    // What cannot be decoded would fail at each frame.
    let picture = vision::decode(bytes).map_err(|error| malformed(&error))?;
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) > LONGEST_SIDE {
        let found = format!("{width} x {height} pixels");
        return Err(Error::malformed(about, found, format!("at most {LONGEST_SIDE} on a side")));
    }
    if bytes.starts_with(&[0xff, 0xd8]) {
        return Ok(Shot::new(bytes));
    }
    encoded(picture.rgb(), width, height).map_err(|error| malformed(&error))
}

/// A frame of a camera as the camera of the glasses sees it, decoded into the memory of `picture` on the way.
///
/// # Errors
/// [`ErrorKind::Device`] when it came damaged, [`ErrorKind::Malformed`] when it is too large.
pub fn shot(frame: &Frame, picture: &mut Picture) -> Result<Shot> {
    if frame.layout().format() == PixelFormat::Mjpg {
        return Ok(Shot::new(frame.bytes()));
    }
    frame.picture_into(picture)?;
    let encoded = encoded(picture.rgb(), picture.width(), picture.height());
    encoded.map_err(|error| Error::new(ErrorKind::Malformed, "frame", error))
}

fn encoded(rgb: &[u8], width: usize, height: usize) -> Result<Shot, EncodingError> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    let side = |pixels: usize| u16::try_from(pixels).unwrap_or(u16::MAX);
    encoder.encode(rgb, side(width), side(height), ColorType::Rgb)?;
    Ok(Shot::new(jpeg))
}

/// The samples of a WAV at 16 kHz, mono.
///
/// # Errors
/// [`ErrorKind::Malformed`] when `bytes` are not a whole WAV.
pub fn sound(about: &str, bytes: &[u8]) -> Result<Vec<f32>> {
    let clip = decode_wav(bytes).map_err(|error| Error::new(ErrorKind::Malformed, about, error))?;
    Ok(clip.samples().to_vec())
}
