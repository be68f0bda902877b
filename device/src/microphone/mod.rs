//! Sound over time.
//!
//! A [`Microphone`] gives mono sound at [`SAMPLE_RATE`] in chunks of 20 ms, whatever the device or the recording
//! behind it has, and says when the device is lost, comes back, or is muted. While it is muted no sample leaves this
//! crate, and after it none that was recorded before the moment of unmuting.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use lorgnette_device::clock::{Clock, ManualClock};
//! use lorgnette_device::microphone::{CHUNK_TIME, Event, Format, Microphone, Player, Recording};
//!
//! let clock = Arc::new(ManualClock::default());
//! let tone = (0..4800).map(|i| (i as f32 / 20.0).sin()).collect();
//! let recording = Recording::samples(Format { rate: 48_000, channels: 1 }, tone)?;
//! let mut microphone = Player::new(recording, clock.clone())?;
//!
//! let Event::Chunk(chunk) = microphone.next(clock.now() + Duration::from_secs(1)) else { panic!() };
//! assert!(chunk.level().peak_dbfs > -1.0);
//!
//! microphone.mute().mute();
//! assert!(matches!(microphone.next(clock.now()), Event::Muted));
//! assert!(matches!(microphone.next(clock.now() + 2 * CHUNK_TIME), Event::Timeout));
//! # Ok::<(), lorgnette_device::Error>(())
//! ```

mod chunker;
#[cfg(feature = "cpal")]
pub mod cpal;
mod level;
mod listener;
mod live;
mod mute;
mod player;
mod recording;
mod resample;
pub mod ring;

use std::time::Duration;

pub use level::Level;
pub use live::{Driver, LiveMicrophone, Opened};
pub use mute::Mute;
pub use player::Player;
pub use recording::{RawFormat, Recording};

use crate::{Error, Timestamp};

/// Samples a second in every chunk.
pub const SAMPLE_RATE: u32 = 16_000;
/// Samples in a chunk: 20 ms.
pub const CHUNK_LEN: usize = 320;
/// The time that a chunk lasts.
pub const CHUNK_TIME: Duration = Duration::from_millis(20);

/// Something that hears.
pub trait Microphone: Send {
    /// Waits until `deadline`, as this microphone's clock tells it, for the next chunk of sound, or says what else
    /// happened. Every chunk is given, in order, as long as this is called often enough: see
    /// [`AudioChunk::overruns`].
    ///
    /// A device that is lost is opened again when it can be, as long as this is called.
    fn next(&mut self, deadline: Timestamp) -> Event;

    /// The switch that mutes this microphone, the same for each call.
    fn mute(&self) -> Mute;
}

/// What happened at a microphone.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// 20 ms of sound.
    Chunk(AudioChunk),
    /// The deadline came first.
    Timeout,
    /// The microphone was muted: no chunk comes before [`Event::Unmuted`].
    Muted,
    /// The microphone listens again.
    Unmuted,
    /// A recording is damaged. What comes behind the damage is not played.
    Damaged(Error),
    /// The device is gone, has fallen silent or is taken by somebody else. It will be opened again when it can be.
    Lost(Error),
    /// The lost device, or the one that is the default now, is open.
    Reopened(Input),
    /// The system moved the running stream to another device, because the default changed. ALSA does not tell.
    Rerouted,
    /// A recording is over. So will be every later call.
    End,
}

/// What is being listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What people call the device.
    pub device: String,
    /// What it sends.
    pub format: Format,
}

/// What a device or a recording sends, before it is averaged and resampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// Frames a second.
    pub rate: u32,
    /// Samples in a frame.
    pub channels: u16,
}

/// Mono sound of 20 ms without a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioChunk {
    /// The samples at [`SAMPLE_RATE`], finite numbers, full scale at 1; what is beyond eight times
    /// that was cut off. The last chunk of a recording is filled up
    /// with silence.
    pub samples: Box<[f32; CHUNK_LEN]>,
    /// When the first sample was recorded. It is later for each chunk than for the one before.
    pub captured: Timestamp,
    /// How many chunks this microphone gave before this one.
    pub sequence: u64,
    /// How often this microphone has lost sound so far because it was not read in time, here or in the device.
    pub overruns: u64,
}

impl AudioChunk {
    /// How loud it is.
    pub fn level(&self) -> Level {
        Level::of(&*self.samples)
    }
}
