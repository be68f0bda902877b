//! Cameras of the Linux kernel, by Video4Linux.
//!
//! A thread takes each picture from the driver as it comes and copies it, as it is, into one of three frames: the one
//! being written, the newest, and the one that the consumer holds. So the driver never waits for the consumer, the
//! consumer never sees an old picture, and nothing is allocated for a frame. Decoding is for who asks, on their thread.

mod buffers;
mod capture;
mod kernel;
mod list;
mod negotiate;
mod offers;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use list::{Description, Listed, describe, list};

use super::slot::Slot;
use super::{Camera, Event, Frame, Mode, PixelFormat, Rate};
use crate::clock::Clock;
use crate::{Error, ErrorKind, Result, Timestamp};
use stream::Stream;

/// The formats that can be read, and how the kernel calls them. Those that need no decoding come first.
const PIXEL_FORMATS: &[(PixelFormat, [u8; 4])] =
    &[(PixelFormat::Nv12, *b"NV12"), (PixelFormat::Yuyv, *b"YUYV"), (PixelFormat::Mjpg, *b"MJPG")];

/// Which camera.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// The first that there is, and from then on that one.
    #[default]
    First,
    /// The one behind a device node.
    Path(PathBuf),
    /// The first whose name has this in it, in upper or lower case.
    Name(String),
}

impl Select {
    /// A path where there is a slash in `text`, a part of a name where there is none.
    pub fn parse(text: &str) -> Self {
        if text.contains('/') { Self::Path(text.into()) } else { Self::Name(text.to_owned()) }
    }
}

/// How pictures should come. The nearest that the camera offers is taken: rather more pixels than fewer, and rather
/// slow than small. For reading text, ask for all that the sensor has.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// One format alone, or the cheapest.
    pub format: Option<PixelFormat>,
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// How often.
    pub rate: Rate,
}

impl Default for Wanted {
    /// 1280x720 at 30 frames a second.
    fn default() -> Self {
        Self { format: None, width: 1280, height: 720, rate: Rate::per_second(30) }
    }
}

/// How a camera is opened and kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Which one.
    pub select: Select,
    /// How pictures should come.
    pub wanted: Wanted,
    /// Without a picture for so long, the camera hangs and is opened again.
    pub patience: Duration,
    /// Between two tries to open a camera that is gone.
    pub retry: Duration,
    /// The folder of device nodes.
    pub devices: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            select: Select::default(),
            wanted: Wanted::default(),
            patience: Duration::from_secs(3),
            retry: Duration::from_millis(250),
            devices: PathBuf::from("/dev"),
        }
    }
}

/// A camera of the kernel.
pub struct V4lCamera {
    mode: Mode,
    slot: Arc<Slot>,
    clock: Arc<dyn Clock>,
    thread: Option<JoinHandle<()>>,
}

impl V4lCamera {
    /// Opens a camera and starts to take its pictures. Times of capture are the driver's, brought to `clock`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Busy`] when somebody else uses it, [`ErrorKind::Denied`],
    /// [`ErrorKind::Unsupported`] when it offers no format that can be read, and others of the operating system.
    pub fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self> {
        let stream = open(&options, None)?;
        let mode = stream.agreed.given;
        let slot = Arc::new(Slot::new());
        let thread = thread::Builder::new().name("camera".into()).spawn({
            let (slot, clock) = (slot.clone(), clock.clone());
            move || capture::run(stream, &options, &slot, &*clock)
        });
        let thread = Some(thread.map_err(|e| Error::io("start a thread", e))?);
        Ok(Self { mode, slot, clock, thread })
    }

    /// How pictures come, as agreed when it was opened.
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

impl Camera for V4lCamera {
    fn next(&mut self, frame: &mut Frame, deadline: Timestamp) -> Event {
        self.slot.take(frame, deadline, &*self.clock)
    }
}

impl Drop for V4lCamera {
    fn drop(&mut self) {
        self.slot.close();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed there.
            drop(thread.join());
        }
    }
}

/// What a camera is known by when it comes back under another device node.
#[derive(Clone, PartialEq, Eq)]
struct Identity {
    name: String,
    bus: String,
}

/// Opens the camera that is meant, or the one that was opened `before`.
fn open(options: &Options, before: Option<&Identity>) -> Result<Stream> {
    Stream::open(&resolve(&options.select, &options.devices, before)?, &options.wanted)
}

/// The device node of the camera that is meant.
fn resolve(select: &Select, devices: &Path, before: Option<&Identity>) -> Result<PathBuf> {
    let wanted = match (select, before) {
        (Select::Path(path), _) => return Ok(path.clone()),
        (Select::First, None) => String::new(),
        (Select::First, Some(before)) => before.name.to_lowercase(),
        (Select::Name(name), _) => name.to_lowercase(),
    };
    let cameras = list(devices);
    let found = cameras.iter().filter_map(|listed| listed.camera.as_ref().ok());
    if let Some(camera) = pick(found.clone(), &wanted, before) {
        return Ok(camera.path.clone());
    }
    // One that cannot be asked is a better answer than none.
    if let (Select::First, None, Some(listed)) = (select, before, cameras.first()) {
        return Ok(listed.path.clone());
    }
    let names: Vec<_> = found.map(|camera| camera.name.as_str()).collect();
    let detail = if names.is_empty() {
        "no camera".to_owned()
    } else {
        format!("no camera called {wanted:?}, there is {}", names.join(", "))
    };
    Err(Error::new(ErrorKind::NotFound, detail).of(devices.display()))
}

/// The camera that was opened `before`, or else the first, of those whose names have `wanted`, in lower case, in them.
fn pick<'a>(
    cameras: impl Iterator<Item = &'a Description>,
    wanted: &str,
    before: Option<&Identity>,
) -> Option<&'a Description> {
    let is_other = |it: &&Description| before.is_some_and(|is| (&is.name, &is.bus) != (&it.name, &it.bus));
    cameras.filter(|camera| camera.name.to_lowercase().contains(wanted)).min_by_key(is_other)
}

#[cfg(test)]
mod tests {
    use super::{Description, Identity, pick};

    #[test]
    fn a_camera_that_comes_back_is_taken_before_others_of_its_name() {
        let camera = |path: &str, name: &str, bus: &str| Description {
            path: path.into(),
            name: name.into(),
            driver: "fake".into(),
            bus: bus.into(),
            modes: Vec::new(),
            other_formats: Vec::new(),
        };
        let cameras = [camera("0", "Inner", "a"), camera("1", "Outer", "b"), camera("2", "Outer", "c")];
        let picked = |wanted, before: Option<(&str, &str)>| {
            let before = before.map(|(name, bus)| Identity { name: name.into(), bus: bus.into() });
            pick(cameras.iter(), wanted, before.as_ref())
                .map(|camera| camera.path.to_str().unwrap_or_default())
        };
        assert_eq!(picked("", None), Some("0"));
        assert_eq!(picked("outer", None), Some("1"));
        assert_eq!(picked("outer", Some(("Outer", "c"))), Some("2"));
        assert_eq!(picked("outer", Some(("Outer", "unplugged"))), Some("1"));
        assert_eq!(picked("gone", Some(("Gone", "a"))), None);
    }
}
