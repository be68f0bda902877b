//! An open camera.

use std::io;
use std::path::Path;
use std::time::Duration;

use v4l::buffer::{Flags, Metadata, Type};
use v4l::device::Device;
use v4l::io::mmap;
use v4l::io::traits::{CaptureStream as _, Stream as _};

use super::negotiate::{Agreed, negotiate};
use super::{Wanted, list};
use crate::{Error, Result, Timestamp};

/// Buffers that the driver fills in turn.
const BUFFERS: u32 = 4;
/// `POLLIN`, which is the same on every Linux.
const READABLE: i16 = 1;

/// A camera that sends pictures.
pub(super) struct Stream {
    /// Always there until the stream is dropped.
    stream: Option<mmap::Stream<'static>>,
    _device: Device,
    pub(super) agreed: Agreed,
}

/// A buffer of the driver.
pub(super) struct Captured<'a> {
    /// As many bytes as the driver has written.
    pub(super) bytes: &'a [u8],
    /// The driver's own count.
    pub(super) sequence: u32,
    /// By `CLOCK_MONOTONIC`; `None` when the driver uses another clock.
    pub(super) stamp: Option<Timestamp>,
    /// The driver says that the bytes are not right.
    pub(super) damaged: bool,
}

impl Stream {
    /// Opens a device node, agrees on a mode and lets the pictures come.
    pub(super) fn open(path: &Path, wanted: &Wanted) -> Result<Self> {
        let located = |e: Error| e.of(path.display());
        let description = list::describe(path)?;
        let device = super::kernel::open(path).map_err(|e| located(Error::io("open", e)))?;
        let agreed = negotiate(&device, &description.modes, wanted).map_err(located)?;
        let stream = start(&device).map_err(|e| located(Error::io("start", e)))?;
        Ok(Self { stream: Some(stream), _device: device, agreed })
    }

    /// Waits for the next picture; `None` when none came in time. After an error the stream is of no use.
    pub(super) fn next(&mut self, timeout: Duration) -> io::Result<Option<Captured<'_>>> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        match stream.handle().poll(READABLE, milliseconds) {
            Ok(0) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
            other => other?,
        };
        // The wait is over: without a limit, a driver that says so in error would hold this thread for ever.
        stream.set_timeout(Duration::ZERO);
        let (bytes, metadata) = stream.next()?;
        let used = bytes.len().min(metadata.bytesused as usize);
        Ok(Some(Captured {
            bytes: &bytes[..used],
            sequence: metadata.sequence,
            stamp: stamp(metadata),
            damaged: metadata.flags.contains(Flags::ERROR) || used == 0,
        }))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Dropping the crate's stream panics if the driver does not let it stop; a leak is the lesser evil.
        if let Some(mut stream) = self.stream.take() {
            match stream.stop() {
                Err(error) if !is_gone(&error) => std::mem::forget(stream),
                _ => drop(stream),
            }
        }
    }
}

/// Whether the device does not exist any more.
fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error())
}

/// Starts with all buffers queued but the first, which the crate's `next()` queues.
fn start(device: &Device) -> io::Result<mmap::Stream<'static>> {
    let mut stream = mmap::Stream::with_buffers(device, Type::VideoCapture, BUFFERS)?;
    // The driver may have given fewer or more.
    for index in 1..32 {
        if stream.queue(index).is_err() {
            break;
        }
    }
    stream.start()?;
    Ok(stream)
}

fn stamp(metadata: &Metadata) -> Option<Timestamp> {
    let clock = Flags::TIMESTAMP_MASK & metadata.flags;
    if clock != Flags::TIMESTAMP_MONOTONIC {
        return None;
    }
    let seconds = u64::try_from(metadata.timestamp.sec).ok()?;
    let microseconds = u64::try_from(metadata.timestamp.usec).ok()?;
    Some(Timestamp::from_start(Duration::from_secs(seconds) + Duration::from_micros(microseconds)))
}
