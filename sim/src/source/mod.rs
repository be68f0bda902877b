//! Where light and sound come from: bundled scenes, and what somebody drops in.

mod picture;
mod scenes;

pub use self::picture::{picture, shot, sound};
pub use self::scenes::{Scene, Scenes, Spoken};

pub(crate) use self::scenes::read;
