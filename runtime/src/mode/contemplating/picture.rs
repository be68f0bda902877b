use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jpeg_encoder::{ColorType, Encoder};

use crate::model::vision::{Picture, resized};
use crate::{Error, ErrorKind, Result};

/// Of a JPEG, from 1 to 100: artefacts are below what a vision tower sees.
const QUALITY: u8 = 85;

/// A picture as it may travel: made anew from pixels, so that nothing of the file it came from is left, no larger than
/// an endpoint uses.
#[derive(Debug)]
pub struct Portable {
    picture: Picture,
    /// What was made for endpoints so far, by the longest side.
    made: Mutex<Vec<(usize, Arc<str>)>>,
}

impl Portable {
    /// A picture that is not encoded yet.
    pub fn new(picture: Picture) -> Self {
        Self { picture, made: Mutex::default() }
    }

    /// A JPEG in a `data:` URL, its longer side at most `side` pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the encoder refuses it.
    pub(super) fn data_url(&self, side: usize) -> Result<Arc<str>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, url)) = made.iter().find(|(of, _)| *of == side) {
            return Ok(Arc::clone(url));
        }
        let url: Arc<str> =
            format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(self.jpeg(side)?)).into();
        made.push((side, Arc::clone(&url)));
        Ok(url)
    }

    fn jpeg(&self, side: usize) -> Result<Vec<u8>> {
        let (width, height) = fitted(self.picture.width(), self.picture.height(), side.max(1));
        let picture = resized(&self.picture, width, height);
        let mut bytes = Vec::new();
        let too_large = |_| Error::malformed("picture size", format!("{width} x {height}"), "at most 65535");
        let (width, height) =
            (u16::try_from(width).map_err(too_large)?, u16::try_from(height).map_err(too_large)?);
        Encoder::new(&mut bytes, QUALITY)
            .encode(picture.rgb(), width, height, ColorType::Rgb)
            .map_err(|e| Error::new(ErrorKind::Unsupported, "picture", e.to_string()))?;
        Ok(bytes)
    }
}

/// The size with the same proportions whose longer side is at most `side`. Nothing is made larger.
fn fitted(width: usize, height: usize, side: usize) -> (usize, usize) {
    let longer = width.max(height);
    if longer <= side {
        return (width, height);
    }
    let scaled = |length: usize| ((length * side + longer / 2) / longer).max(1);
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vision;

    #[test]
    fn proportions_are_kept_and_nothing_grows() {
        assert_eq!(fitted(4000, 3000, 1024), (1024, 768));
        assert_eq!(fitted(300, 400, 1024), (300, 400));
        assert_eq!(fitted(10_000, 3, 100), (100, 1));
    }

    #[test]
    fn what_travels_has_the_picture_and_nothing_else_of_the_file() {
        let file = include_bytes!("../../../tests/golden/front_ends/orientation-6.jpg");
        assert!(contains(file, b"Exif"), "the file of this test has metadata");
        let picture = vision::decode(file).unwrap();
        let size = (picture.width(), picture.height());
        let jpeg = Portable::new(picture).jpeg(4096).unwrap();
        for marker in [&b"Exif"[..], b"http://ns.adobe.com", b"ICC_PROFILE", b"Photoshop"] {
            assert!(!contains(&jpeg, marker));
        }
        let travelled = vision::decode(&jpeg).unwrap();
        assert_eq!((travelled.width(), travelled.height()), size);
    }

    #[test]
    fn a_url_is_made_once_for_a_size() {
        let portable = Portable::new(Picture::new(4, 2, vec![90; 24]).unwrap());
        let first = portable.data_url(2).unwrap();
        assert!(Arc::ptr_eq(&first, &portable.data_url(2).unwrap()));
        assert!(!Arc::ptr_eq(&first, &portable.data_url(4).unwrap()));
    }

    fn contains(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }
}
