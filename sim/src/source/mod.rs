//! Where light and sound come from: bundled scenes, what somebody drops in, this machine's own devices.

mod machine;
mod picture;
mod scenes;

pub use self::machine::{Machine, NoMachine};
pub use self::picture::{picture, shot, sound};
pub use self::scenes::{Scene, Scenes, Spoken};

pub(crate) use self::scenes::read;
