//! Which way up a picture was taken: the orientation tag of EXIF.

use super::picture::Picture;

/// How a stored picture is turned before it is seen: transposed first, then mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Orientation {
    transpose: bool,
    mirror_x: bool,
    mirror_y: bool,
}

impl Orientation {
    /// The orientation that an EXIF block (a TIFF file) gives in its first directory.
    ///
    /// A block that is damaged or has no such tag leaves the picture as it is: the pixels are good without it.
    pub(super) fn from_exif(exif: &[u8]) -> Self {
        let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        Tiff::new(tiff).and_then(|t| t.orientation()).map_or_else(Self::default, Self::from_tag)
    }

    /// The eight values of the tag, as the EXIF standard (CIPA DC-008, 4.6.5) numbers them.
    fn from_tag(tag: u16) -> Self {
        let (transpose, mirror_x, mirror_y) = match tag {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Self { transpose, mirror_x, mirror_y }
    }

    /// The picture as it is meant to be seen.
    pub(super) fn apply(self, picture: Picture) -> Picture {
        if self == Self::default() {
            return picture;
        }
        let (w, h) = (picture.width(), picture.height());
        let (out_w, out_h) = if self.transpose { (h, w) } else { (w, h) };
        let mut rgb = Vec::with_capacity(3 * w * h);
        for y in 0..out_h {
            for x in 0..out_w {
                let x = if self.mirror_x { out_w - 1 - x } else { x };
                let y = if self.mirror_y { out_h - 1 - y } else { y };
                let from = 3 * if self.transpose { x * w + y } else { y * w + x };
                rgb.extend_from_slice(&picture.rgb()[from..from + 3]);
            }
        }
        Picture::from_checked(out_w, out_h, rgb)
    }
}

/// A TIFF directory, read only where its bytes allow.
struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    const ORIENTATION: u16 = 0x0112;
    const SHORT: u16 = 3;
    const ENTRY_BYTES: usize = 12;

    fn new(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { bytes, big_endian })
    }

    fn orientation(&self) -> Option<u16> {
        let directory = self.u32(4)? as usize;
        let entries = self.u16(directory)? as usize;
        (0..entries)
            .map(|i| directory.saturating_add(2 + Self::ENTRY_BYTES * i))
            .find(|&at| self.u16(at) == Some(Self::ORIENTATION) && self.u16(at + 2) == Some(Self::SHORT))
            .and_then(|at| self.u16(at + 8))
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}
