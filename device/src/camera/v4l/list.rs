//! Which cameras there are, and what they offer.

use std::fs;
use std::path::{Path, PathBuf};

use v4l::device::Device;
use v4l::format::FourCC;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture;

use super::{PIXEL_FORMATS, kernel};
use crate::camera::{Mode, PixelFormat, Rate};
use crate::{Error, ErrorKind, Result};

/// What a camera says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its device node.
    pub path: PathBuf,
    /// What people call it.
    pub name: String,
    /// The driver of the kernel.
    pub driver: String,
    /// Where it is plugged in.
    pub bus: String,
    /// How it gives pictures that can be read here.
    pub modes: Vec<Mode>,
    /// The codes of formats that cannot.
    pub other_formats: Vec<String>,
}

/// A device node, and the camera behind it or why nobody can say.
#[derive(Debug)]
pub struct Listed {
    /// The device node.
    pub path: PathBuf,
    /// The camera.
    pub camera: Result<Description>,
}

/// The cameras of the folder `devices`, which is `/dev` but in tests, by number. Nodes that are no cameras are left
/// out.
pub fn list(devices: &Path) -> Vec<Listed> {
    let paths = nodes(devices).into_iter();
    let listed = paths.map(|path| Listed { camera: describe(&path), path });
    let no_camera =
        |camera: &Result<_>| camera.as_ref().is_err_and(|e: &Error| e.kind() == ErrorKind::Unsupported);
    listed.filter(|listed| !no_camera(&listed.camera)).collect()
}

/// What the camera behind a device node says of itself.
///
/// # Errors
/// [`ErrorKind::Unsupported`] when it is no camera, and others when it cannot be asked.
pub fn describe(path: &Path) -> Result<Description> {
    let asked = |e| Error::io("ask", e).of(path.display());
    let device = kernel::open(path).map_err(|e| Error::io("open", e).of(path.display()))?;
    let caps = kernel::capabilities(&device).map_err(asked)?;
    if !caps.is_camera() {
        return Err(Error::new(ErrorKind::Unsupported, "not a camera").of(path.display()));
    }
    let mut description = Description {
        path: path.to_owned(),
        name: caps.card,
        driver: caps.driver,
        bus: caps.bus,
        modes: Vec::new(),
        other_formats: Vec::new(),
    };
    for fourcc in kernel::formats(&device).map_err(asked)? {
        match PIXEL_FORMATS.iter().find(|(_, code)| *code == fourcc) {
            Some((format, _)) => push_modes(&device, *format, fourcc, &mut description.modes),
            None => description.other_formats.push(fourcc.escape_ascii().to_string()),
        }
    }
    Ok(description)
}

/// `video0`, `video1` and so on, by number.
pub(super) fn nodes(devices: &Path) -> Vec<PathBuf> {
    let number = |name: &str| name.strip_prefix("video")?.parse::<u32>().ok();
    let entries = fs::read_dir(devices).into_iter().flatten().flatten();
    let mut nodes: Vec<_> =
        entries.filter_map(|entry| Some((number(entry.file_name().to_str()?)?, entry.path()))).collect();
    nodes.sort();
    nodes.into_iter().map(|(_, path)| path).collect()
}

fn push_modes(device: &Device, format: PixelFormat, fourcc: [u8; 4], modes: &mut Vec<Mode>) {
    let code = FourCC::new(&fourcc);
    // A driver that cannot list sizes is asked for what is wanted.
    for size in device.enum_framesizes(code).unwrap_or_default() {
        for (width, height) in sizes(&size.size) {
            for rate in rates(device, code, width, height) {
                modes.push(Mode { format, width: width as usize, height: height as usize, rate });
            }
        }
    }
}

/// Sizes of a range that are worth naming, beside its ends.
const USUAL_SIZES: [(u32, u32); 4] = [(640, 480), (1280, 720), (1920, 1080), (3840, 2160)];

fn sizes(size: &FrameSizeEnum) -> Vec<(u32, u32)> {
    let range = match size {
        FrameSizeEnum::Discrete(size) => return vec![(size.width, size.height)],
        FrameSizeEnum::Stepwise(range) => range,
    };
    let fits = |at: u32, min: u32, max: u32, step: u32| {
        (min..=max).contains(&at) && (at - min).is_multiple_of(step.max(1))
    };
    let usual = USUAL_SIZES.into_iter().filter(|&(width, height)| {
        fits(width, range.min_width, range.max_width, range.step_width)
            && fits(height, range.min_height, range.max_height, range.step_height)
    });
    let ends = [(range.min_width, range.min_height), (range.max_width, range.max_height)];
    let mut sizes: Vec<_> = ends.into_iter().chain(usual).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// The rates that are offered; of a range, its fastest. 30 a second where the driver does not say.
fn rates(device: &Device, code: FourCC, width: u32, height: u32) -> Vec<Rate> {
    let intervals = device.enum_frameintervals(code, width, height).unwrap_or_default();
    let rates = intervals.iter().filter_map(|interval| {
        let time = match &interval.interval {
            FrameIntervalEnum::Discrete(time) => time,
            FrameIntervalEnum::Stepwise(range) => &range.min,
        };
        Rate::new(time.denominator, time.numerator)
    });
    let rates: Vec<_> = rates.collect();
    if rates.is_empty() { vec![Rate::per_second(30)] } else { rates }
}
