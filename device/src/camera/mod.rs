//! Cameras: pictures over time.
//!
//! A [`Camera`] is asked for its next frame and gives the newest that it has. A [`Frame`] keeps the bytes that the
//! sensor sent; it is decoded when somebody asks, only as far as they ask: brightness for the
//! [gate](crate::gate), all colours for the model, or a [region](Frame::crop) at the resolution that is streamed.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use lorgnette_device::camera::{Camera, Event, Frame, Picture, Player, Rate, Still};
//! use lorgnette_device::clock::{Clock, ManualClock};
//!
//! let clock = Arc::new(ManualClock::default());
//! let grey = Picture::filled(640, 480, [128; 3]);
//! let mut camera = Player::new(Still::from_picture(&grey, Rate::per_second(15)), clock.clone());
//!
//! let mut frame = Frame::default();
//! assert!(matches!(camera.next(&mut frame, clock.now() + Duration::from_secs(1)), Event::Frame));
//! assert_eq!(frame.picture()?, grey);
//! # Ok::<(), lorgnette_device::Error>(())
//! ```

mod convert;
mod frame;
mod jpeg;
mod layout;
mod picture;
mod recorded;
mod region;
mod scale;
#[cfg(all(target_os = "linux", feature = "v4l"))]
mod slot;
#[cfg(all(target_os = "linux", feature = "v4l"))]
pub mod v4l;

use std::fmt;

pub use frame::{Frame, Luma};
pub use layout::{Layout, PixelFormat};
pub use picture::Picture;
pub use recorded::{Folder, Mjpeg, Pace, Player, Recording, Still, Y4m, open_recording};
pub use region::Region;

use crate::{Error, Timestamp};

/// Something that sees.
pub trait Camera: Send {
    /// Waits until `deadline` for a picture newer than the last one and puts it into `frame`, or says what else
    /// happened. Nothing that waits longer than a newer picture is ever given: what `frame` skips is in
    /// [`Frame::dropped`].
    ///
    /// `frame` is left alone unless [`Event::Frame`] is returned. Its memory is reused: pass the same frame again.
    fn next(&mut self, frame: &mut Frame, deadline: Timestamp) -> Event;
}

/// What happened at a camera.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// There is a new picture.
    Frame,
    /// The deadline came first.
    Timeout,
    /// Pictures come otherwise than was asked for, or than they did before.
    Changed {
        /// What was asked for, or was so far.
        expected: Mode,
        /// What comes.
        found: Mode,
    },
    /// A picture came damaged and was left out.
    Damaged(Error),
    /// The camera is gone, hangs or is taken by somebody else. It will be opened again when it can be.
    Lost(Error),
    /// A lost camera is back.
    Reopened(Mode),
    /// A recording is over. So will be every later call.
    End,
}

/// How pictures come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mode {
    /// How a picture is written down.
    pub format: PixelFormat,
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// How often one comes.
    pub rate: Rate,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}x{} at {}", self.format, self.width, self.height, self.rate)
    }
}

/// Pictures in a time: `frames` every `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    frames: u32,
    seconds: u32,
}

impl Rate {
    /// `frames` a second, at least one.
    pub const fn per_second(frames: u32) -> Self {
        Self { frames: if frames == 0 { 1 } else { frames }, seconds: 1 }
    }

    /// `frames` every `seconds`, in lowest terms; `None` when either is 0.
    pub const fn new(frames: u32, seconds: u32) -> Option<Self> {
        if frames == 0 || seconds == 0 {
            return None;
        }
        let (mut divisor, mut rest) = (frames, seconds);
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        Some(Self { frames: frames / divisor, seconds: seconds / divisor })
    }

    /// Frames a second.
    pub fn as_f64(self) -> f64 {
        f64::from(self.frames) / f64::from(self.seconds)
    }

    /// Pictures, and the seconds that they take.
    pub const fn fraction(self) -> (u32, u32) {
        (self.frames, self.seconds)
    }

    /// From the first frame to frame `index`, to the nanosecond below.
    pub fn time_of(self, index: u64) -> std::time::Duration {
        let nanoseconds =
            u128::from(index) * u128::from(self.seconds) * 1_000_000_000 / u128::from(self.frames);
        std::time::Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// The newest frame that exists `elapsed` after the first: the inverse of [`Rate::time_of`].
    pub fn index_at(self, elapsed: std::time::Duration) -> u64 {
        // The nanosecond that time_of rounds away comes back here.
        let scaled = (elapsed.as_nanos() + 1) * u128::from(self.frames) - 1;
        u64::try_from(scaled / (u128::from(self.seconds) * 1_000_000_000)).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.as_f64() * 100.0).round() / 100.0;
        write!(f, "{rounded} fps")
    }
}
