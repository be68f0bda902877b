//! Which cameras there are, and what they offer.

use std::fs;
use std::path::{Path, PathBuf};

use super::kernel::{self, Device};
use super::offers::{self, Rates, Sizes};
use super::{PIXEL_FORMATS, Wanted};
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
    let device = Device::open(path).map_err(|e| Error::io("open", e).of(path.display()))?;
    describe_open(&device, path, None)
}

/// As [`describe`], with what is wanted among the modes where it lies within a range of the driver's.
pub(super) fn describe_open(device: &Device, path: &Path, wanted: Option<&Wanted>) -> Result<Description> {
    let asked = |e| Error::io("ask", e).of(path.display());
    let caps = kernel::capabilities(device).map_err(asked)?;
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
    for fourcc in offers::formats(device).map_err(asked)? {
        match PIXEL_FORMATS.iter().find(|(_, code)| *code == fourcc) {
            Some((format, _)) => push_modes(device, *format, fourcc, wanted, &mut description.modes),
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

fn push_modes(
    device: &Device,
    format: PixelFormat,
    fourcc: [u8; 4],
    wanted: Option<&Wanted>,
    modes: &mut Vec<Mode>,
) {
    // A driver that cannot list sizes is asked for what is wanted.
    for offered in offers::sizes(device, fourcc) {
        for (width, height) in sizes(&offered, wanted) {
            for rate in rates(&offers::rates(device, fourcc, width, height), wanted) {
                modes.push(Mode { format, width: width as usize, height: height as usize, rate });
            }
        }
    }
}

/// Sizes of a range that are worth naming, beside its ends and the one that is wanted.
const USUAL_SIZES: [(u32, u32); 4] = [(640, 480), (1280, 720), (1920, 1080), (3840, 2160)];

fn sizes(offered: &Sizes, wanted: Option<&Wanted>) -> Vec<(u32, u32)> {
    let Sizes { width, height } = offered;
    let wanted = wanted.and_then(|it| Some((it.width.try_into().ok()?, it.height.try_into().ok()?)));
    let named = USUAL_SIZES.into_iter().chain(wanted);
    let fitting = named.filter(|&(w, h)| width.contains(w) && height.contains(h));
    let ends = [(width.min, height.min), (width.max, height.max)];
    let mut sizes: Vec<_> = ends.into_iter().chain(fitting).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// The rates that are offered; of a range, its fastest and the one that is wanted. Where the driver does not say, the
/// one that is wanted, or 30 a second.
fn rates(offered: &[Rates], wanted: Option<&Wanted>) -> Vec<Rate> {
    let wanted = wanted.map(|it| it.rate);
    if offered.is_empty() {
        return vec![wanted.unwrap_or(Rate::per_second(30))];
    }
    let between = |it: &Rates, rate: Rate| {
        (it.slowest.as_f64()..it.fastest.as_f64()).contains(&rate.as_f64()) && rate != it.fastest
    };
    let named = |it: &Rates| wanted.filter(|&rate| between(it, rate)).into_iter().chain([it.fastest]);
    let mut rates: Vec<Rate> = Vec::new();
    for rate in offered.iter().flat_map(named) {
        if !rates.contains(&rate) {
            rates.push(rate);
        }
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::super::offers::Range;
    use super::*;

    #[test]
    fn of_a_range_the_wanted_size_and_rate_are_taken_where_they_fit() {
        let side = |min, max, step| Range { min, max, step };
        let offered = Sizes { width: side(16, 2592, 16), height: side(16, 1944, 8) };
        let wanted =
            |width, height, rate| Wanted { format: None, width, height, rate: Rate::per_second(rate) };
        assert!(sizes(&offered, Some(&wanted(1024, 768, 1))).contains(&(1024, 768)));
        assert!(!sizes(&offered, Some(&wanted(1023, 768, 1))).contains(&(1023, 768)));
        assert_eq!(sizes(&offered, None).len(), 5);
        let range = [Rates { slowest: Rate::per_second(1), fastest: Rate::per_second(60) }];
        let [slow, fast] = [15, 60].map(Rate::per_second);
        assert_eq!(rates(&range, Some(&wanted(1, 1, 15))), [slow, fast]);
        assert_eq!(rates(&range, Some(&wanted(1, 1, 90))), [fast]);
        assert_eq!(rates(&[], Some(&wanted(1, 1, 15))), [slow]);
        assert_eq!(rates(&[], None), [Rate::per_second(30)]);
    }
}
