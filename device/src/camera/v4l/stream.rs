//! An open camera.

use std::io;
use std::path::Path;
use std::time::Duration;

use v4l::v4l_sys as sys;

use super::buffers::{self, Buffers};
use super::kernel::Device;
use super::negotiate::{Agreed, negotiate};
use super::{Identity, Wanted, list};
use crate::{Error, Result, Timestamp};

/// A camera that sends pictures.
pub(super) struct Stream {
    // Unmapped before the device is closed: a driver may count mappings.
    buffers: Buffers,
    device: Device,
    pub(super) agreed: Agreed,
    pub(super) identity: Identity,
}

/// A picture in a buffer of the driver.
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
        let device = Device::open(path).map_err(|e| located(Error::io("open", e)))?;
        let description = list::describe_open(&device, path, Some(wanted))?;
        let agreed = negotiate(&device, &description.modes, wanted).map_err(located)?;
        let started = |e| located(Error::io("start", e));
        let identity = Identity { name: description.name, bus: description.bus };
        let stream = Self { buffers: Buffers::new(&device).map_err(started)?, device, agreed, identity };
        buffers::start(&stream.device).map_err(started)?;
        Ok(stream)
    }

    /// Waits for the next picture; `None` when none came in time. After an error the stream is of no use.
    pub(super) fn next(&mut self, timeout: Duration) -> io::Result<Option<Captured<'_>>> {
        self.buffers.give_back(&self.device)?;
        match self.device.wait(timeout) {
            Ok(false) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
            other => other?,
        };
        let filled = self.buffers.take(&self.device)?;
        let sys::v4l2_buffer { sequence, flags, timestamp, .. } = filled.description;
        let damaged = flags & sys::V4L2_BUF_FLAG_ERROR != 0;
        Ok(Some(Captured { bytes: filled.bytes, sequence, stamp: stamp(flags, timestamp), damaged }))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Closing the device does the same, where this cannot be done.
        let _ = buffers::stop(&self.device);
    }
}

fn stamp(flags: u32, time: sys::timeval) -> Option<Timestamp> {
    if flags & sys::V4L2_BUF_FLAG_TIMESTAMP_MASK != sys::V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC {
        return None;
    }
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let microseconds = u64::try_from(time.tv_usec).ok()?;
    Some(Timestamp::from_start(Duration::from_secs(seconds) + Duration::from_micros(microseconds)))
}
