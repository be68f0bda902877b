use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lorgnette_device::camera::{Camera, Event, Frame, Player, Rate, open_recording};
use lorgnette_device::clock::{Clock, Timestamp};
use lorgnette_device::gate::{Gate, GateOptions};
use lorgnette_device::{Error, ErrorKind, Result};
use serde::Serialize;

use super::{PATIENCE, Sense, Sensed};

/// What a camera gave so far.
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct Frames {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) frames: u64,
    /// Frames that came and nobody had time for.
    pub(super) dropped: u64,
    /// Frames that the gate found worth encoding.
    pub(super) let_through: u64,
    pub(super) damaged: u64,
    /// From the first to the last.
    pub(super) seconds: f64,
}

/// Pictures of a folder, and one that stands still, come so often.
const RATE: Rate = Rate::per_second(15);

/// What `name` says: nothing for the first camera, else a recording, a device or a part of a name.
pub(in crate::commands) fn open(
    name: Option<&str>,
    devices: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Camera>> {
    let recording = name.map(Path::new).filter(|path| path.is_file() || path.is_dir());
    match recording {
        Some(path) => Ok(Box::new(Player::new(open_recording(path, RATE)?, clock))),
        None => camera(name, devices, clock),
    }
}

#[cfg(target_os = "linux")]
fn camera(name: Option<&str>, devices: &Path, clock: Arc<dyn Clock>) -> Result<Box<dyn Camera>> {
    use lorgnette_device::camera::v4l::{Options, Select, V4lCamera};
    let mut options = Options::default();
    options.select = name.map_or(Select::First, Select::parse);
    options.devices = devices.to_owned();
    match V4lCamera::open(options, clock) {
        Ok(camera) => Ok(Box::new(camera)),
        Err(error) if error.kind() == ErrorKind::NotFound && name.is_none() => {
            Err(Error::new(ErrorKind::NotFound, "no camera"))
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(target_os = "linux"))]
fn camera(_: Option<&str>, _: &Path, _: Arc<dyn Clock>) -> Result<Box<dyn Camera>> {
    Err(Error::new(ErrorKind::Unsupported, "only the cameras of Linux are known so far"))
}

/// Looks until it is to end or there is nothing more to see.
pub(super) fn look(mut camera: Box<dyn Camera>, sense: &Sense) {
    let mut gate = Gate::new(GateOptions::default());
    let mut frame = Frame::default();
    let mut scratch = Vec::new();
    let mut seen = Frames::default();
    let mut first = None;
    while !sense.ended.load(Ordering::Relaxed) {
        let event = match camera.next(&mut frame, sense.clock.now() + PATIENCE) {
            Event::Frame => {
                let first: Timestamp = *first.get_or_insert(frame.captured());
                seen.count(&frame, first, &mut gate, &mut scratch);
                Sensed::Saw(seen)
            }
            Event::Timeout => continue,
            Event::Changed { found, .. } => Sensed::Event(format!("camera: pictures come as {found}")),
            Event::Damaged(error) => {
                seen.damaged += 1;
                Sensed::Event(format!("camera: {error}"))
            }
            Event::Lost(error) => Sensed::Event(format!("camera: lost: {error}")),
            Event::Reopened(mode) => Sensed::Event(format!("camera: back, {mode}")),
            Event::End => return,
            _ => continue,
        };
        if sense.out.send(event).is_err() {
            return;
        }
    }
}

impl Frames {
    fn count(&mut self, frame: &Frame, first: Timestamp, gate: &mut Gate, scratch: &mut Vec<u8>) {
        (self.width, self.height) = (frame.width(), frame.height());
        self.frames += 1;
        self.dropped += frame.dropped();
        self.seconds = frame.captured().since(first).as_secs_f64();
        match frame.luma(scratch) {
            Ok(luma) => self.let_through += u64::from(gate.judge(luma, frame.captured()).is_worth_it()),
            Err(_) => self.damaged += 1,
        }
    }

    /// Frames a second, those that nobody saw among them.
    pub(super) fn rate(&self) -> f64 {
        let intervals = (self.frames + self.dropped).saturating_sub(1);
        if self.seconds > 0.0 { intervals as f64 / self.seconds } else { 0.0 }
    }
}
