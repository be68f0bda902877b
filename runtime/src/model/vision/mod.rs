//! What a vision tower takes, from what a camera or a file gives.
//!
//! [`decode`] turns a JPEG, PNG or WebP file into a [`Picture`]; a [`Preprocessor`], made from the metadata of an
//! mmproj, turns the picture into the [`Pixels`] of one or more passes of the tower. Files are not trusted: what is
//! damaged, cut short or too large is an error before much is allocated, and the largest picture is
//! [`Picture::MAX_PIXELS`].

mod decode;
mod grid;
mod orientation;
mod picture;
mod pixels;
mod preprocess;
mod resize;
mod tower;
mod written;

pub use decode::decode;
pub use picture::Picture;
pub use pixels::{Pixels, Place, Tile};
pub use preprocess::Preprocessor;
#[cfg(feature = "cloud")]
pub(crate) use resize::resize as resized;
pub use tower::VisionTower;
pub use written::Written;
