//! Sound from a callback that must not wait to a task that may.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use lorgnette_device::clock::MonotonicClock;
//! use lorgnette_device::microphone::{Format, Mute, ring};
//!
//! let format = Format { rate: 48_000, channels: 2 };
//! let mute = Mute::new(Arc::new(MonotonicClock));
//! let (mut intake, outlet) = ring::ring(format, &mute)?;
//! // In the callback: 10 ms of stereo.
//! intake.push_now(&[0i16; 960], Duration::ZERO, &MonotonicClock, |&sample| f32::from(sample) / 32768.0);
//! # drop(outlet);
//! # Ok::<(), lorgnette_device::Error>(())
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::{Format, Mute};
use crate::Timestamp;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

/// How much sound the ring holds, in seconds: how long a task may sleep.
const SECONDS: usize = 2;
/// How many blocks it holds: as many as there are in that time when each is a millisecond.
const BLOCKS: usize = 2000;
/// The most that a sample may be, of full scale: floats may say anything, and filters and sums are to stay finite.
pub(super) const LOUDEST: f32 = 8.0;

/// The two ends of a ring for sound of `format` from a microphone with that switch.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for a format without channels or with a rate that cannot be resampled.
pub fn ring(format: Format, mute: &Mute) -> Result<(Intake, Outlet)> {
    if format.channels == 0 || !super::resample::RATES.contains(&format.rate) {
        return Err(Error::new(ErrorKind::Unsupported, format!("cannot take sound of {format:?}")));
    }
    let (samples_in, samples_out) = RingBuffer::new(format.rate as usize * SECONDS);
    let (blocks_in, blocks_out) = RingBuffer::new(BLOCKS);
    let signals = Signals::default();
    let intake = Intake {
        rate: format.rate,
        channels: format.channels.into(),
        samples: samples_in,
        blocks: blocks_in,
        signals: signals.clone(),
        mute: mute.clone(),
    };
    Ok((intake, Outlet { format, samples: samples_out, blocks: blocks_out, signals }))
}

/// The end for the callback. Nothing in it waits, allocates or calls the operating system.
pub struct Intake {
    rate: u32,
    channels: usize,
    samples: Producer<f32>,
    blocks: Producer<Block>,
    signals: Signals,
    mute: Mute,
}

impl Intake {
    /// Takes a block of interleaved samples, whose first frame was recorded at `captured`. `to_f32` gives their value
    /// with full scale at 1.
    ///
    /// Channels are averaged, a sample that is not a finite number is taken as silence, and one beyond eight times full
    /// scale as that. A block that finds no
    /// room is dropped as a whole and counted as an overrun; while the microphone is muted it is dropped uncounted.
    pub fn push<S>(&mut self, interleaved: &[S], captured: Timestamp, to_f32: impl Fn(&S) -> f32) {
        self.signals.0.heard.fetch_add(1, Ordering::Relaxed);
        if self.mute.is_muted() {
            return;
        }
        let frames = interleaved.len() / self.channels;
        let room = self.samples.write_chunk_uninit(frames);
        let (Ok(room), false) = (room, self.blocks.is_full()) else {
            self.signals.overrun();
            return;
        };
        let scale = 1.0 / self.channels as f32;
        let mono = |frame: &[S]| frame.iter().map(|sample| finite(to_f32(sample))).sum::<f32>() * scale;
        room.fill_from_iter(interleaved.chunks_exact(self.channels).map(mono));
        let overruns = self.signals.overruns();
        // There is room: it was asked for above, and only the other end makes this one less full.
        let _ = self.blocks.push(Block { captured, frames, overruns });
    }

    /// As [`Intake::push`], for a block that is handed over now and whose first frame was recorded so long ago, says the
    /// device. A block began no later than it lasts, whatever it says.
    pub fn push_now<S>(
        &mut self,
        interleaved: &[S],
        ago: Duration,
        clock: &dyn Clock,
        to_f32: impl Fn(&S) -> f32,
    ) {
        let lasts = Duration::from_secs((interleaved.len() / self.channels) as u64) / self.rate;
        self.push(interleaved, clock.now() - ago.max(lasts), to_f32);
    }

    /// Where a driver says what else happened, from any thread.
    pub fn signals(&self) -> Signals {
        self.signals.clone()
    }
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-LOUDEST, LOUDEST) } else { 0.0 }
}

/// A stretch of sound in the ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// When its first frame was recorded.
    pub(super) captured: Timestamp,
    pub(super) frames: usize,
    /// How many overruns there had been. More than for the block before means that sound is missing between the two.
    pub(super) overruns: u64,
}

/// The end for the task.
pub struct Outlet {
    format: Format,
    samples: Consumer<f32>,
    blocks: Consumer<Block>,
    signals: Signals,
}

impl Outlet {
    /// What comes out, before it is averaged and resampled.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What the driver says.
    pub(super) fn signals(&self) -> &Signals {
        &self.signals
    }

    /// The next block and its mono samples, appended to `samples`, if one is there.
    pub(super) fn pop(&mut self, samples: &mut Vec<f32>) -> Option<Block> {
        let block = self.blocks.pop().ok()?;
        let chunk = self.samples.read_chunk(block.frames).ok()?;
        samples.extend(chunk);
        Some(block)
    }
}

/// What a driver reports beside sound. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    heard: AtomicU64,
    overruns: AtomicU64,
    reroutes: AtomicU64,
    /// 0, or one more than the index in [`LOSSES`].
    lost: AtomicU8,
}

/// The reasons that a driver can give for a loss.
const LOSSES: [ErrorKind; 6] = [
    ErrorKind::Gone,
    ErrorKind::Busy,
    ErrorKind::Denied,
    ErrorKind::NotFound,
    ErrorKind::Unsupported,
    ErrorKind::Io,
];

impl Signals {
    /// Sound was lost before it reached the ring.
    pub fn overrun(&self) {
        self.0.overruns.fetch_add(1, Ordering::Relaxed);
    }

    /// The stream goes on from another device.
    pub fn rerouted(&self) {
        self.0.reroutes.fetch_add(1, Ordering::Relaxed);
    }

    /// The device is lost; the first reason counts.
    pub fn lost(&self, reason: ErrorKind) {
        let index = LOSSES.iter().position(|&loss| loss == reason).unwrap_or(LOSSES.len() - 1);
        let _ = self.0.lost.compare_exchange(0, index as u8 + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Blocks that came, also those that were dropped.
    pub(super) fn heard(&self) -> u64 {
        self.0.heard.load(Ordering::Relaxed)
    }

    pub(super) fn overruns(&self) -> u64 {
        self.0.overruns.load(Ordering::Relaxed)
    }

    pub(super) fn reroutes(&self) -> u64 {
        self.0.reroutes.load(Ordering::Relaxed)
    }

    pub(super) fn loss(&self) -> Option<ErrorKind> {
        let lost = usize::from(self.0.lost.load(Ordering::Relaxed));
        LOSSES.get(lost.wrapping_sub(1)).copied()
    }
}
