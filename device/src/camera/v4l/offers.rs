//! What a driver lists: formats, sizes and rates, each list read to a bounded length.

use std::io;
use std::mem;

use v4l::v4l_sys as sys;
use v4l::v4l2::vidioc;

use super::kernel::{CAPTURE, Device};
use crate::camera::Rate;

/// More formats, and more sizes of a format, than any driver has.
const MOST_FORMATS: u32 = 64;
/// More rates of a size than any driver has.
const MOST_RATES: u32 = 256;

/// Sizes that are offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) width: Range,
    pub(super) height: Range,
}

/// Every `step`th number from `min` to `max`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) step: u32,
}

impl Range {
    pub(super) fn contains(&self, at: u32) -> bool {
        (self.min..=self.max).contains(&at) && (at - self.min).is_multiple_of(self.step.max(1))
    }

    fn only(at: u32) -> Self {
        Self { min: at, max: at, step: 1 }
    }
}

/// Rates that are offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    pub(super) slowest: Rate,
    pub(super) fastest: Rate,
}

/// The codes of the formats.
pub(super) fn formats(device: &Device) -> io::Result<Vec<[u8; 4]>> {
    let mut formats = Vec::new();
    for index in 0..MOST_FORMATS {
        // SAFETY: the structure is made of integers, for which zero is a value.
        let zeroed: sys::v4l2_fmtdesc = unsafe { mem::zeroed() };
        let mut format = sys::v4l2_fmtdesc { index, type_: CAPTURE, ..zeroed };
        // SAFETY: VIDIOC_ENUM_FMT reads and writes a v4l2_fmtdesc.
        match unsafe { device.ask(vidioc::VIDIOC_ENUM_FMT, &mut format) } {
            Ok(()) => formats.push(format.pixelformat.to_le_bytes()),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => break,
            Err(error) => return Err(error),
        }
    }
    Ok(formats)
}

/// The sizes of pictures in a format; none from a driver that cannot list them.
pub(super) fn sizes(device: &Device, fourcc: [u8; 4]) -> Vec<Sizes> {
    let mut sizes = Vec::new();
    for index in 0..MOST_FORMATS {
        // SAFETY: the structure is made of integers, for which zero is a value.
        let zeroed: sys::v4l2_frmsizeenum = unsafe { mem::zeroed() };
        let mut size = sys::v4l2_frmsizeenum { index, pixel_format: u32::from_le_bytes(fourcc), ..zeroed };
        // SAFETY: VIDIOC_ENUM_FRAMESIZES reads and writes a v4l2_frmsizeenum.
        if unsafe { device.ask(vidioc::VIDIOC_ENUM_FRAMESIZES, &mut size) }.is_err() {
            break;
        }
        sizes.push(if size.type_ == sys::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
            // SAFETY: the type says that the driver wrote this member.
            let one = unsafe { size.__bindgen_anon_1.discrete };
            Sizes { width: Range::only(one.width), height: Range::only(one.height) }
        } else {
            // SAFETY: as above; every bit pattern is one of its integers.
            let sys::v4l2_frmsize_stepwise {
                min_width,
                max_width,
                step_width,
                min_height,
                max_height,
                step_height,
            } = unsafe { size.__bindgen_anon_1.stepwise };
            Sizes {
                width: Range { min: min_width, max: max_width, step: step_width },
                height: Range { min: min_height, max: max_height, step: step_height },
            }
        });
    }
    sizes
}

/// The rates of pictures of a size; none from a driver that cannot list them.
pub(super) fn rates(device: &Device, fourcc: [u8; 4], width: u32, height: u32) -> Vec<Rates> {
    let pixel_format = u32::from_le_bytes(fourcc);
    let mut rates = Vec::new();
    for index in 0..MOST_RATES {
        // SAFETY: the structure is made of integers, for which zero is a value.
        let zeroed: sys::v4l2_frmivalenum = unsafe { mem::zeroed() };
        let mut interval = sys::v4l2_frmivalenum { index, pixel_format, width, height, ..zeroed };
        // SAFETY: VIDIOC_ENUM_FRAMEINTERVALS reads and writes a v4l2_frmivalenum.
        if unsafe { device.ask(vidioc::VIDIOC_ENUM_FRAMEINTERVALS, &mut interval) }.is_err() {
            break;
        }
        let (shortest, longest) = if interval.type_ == sys::v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE {
            // SAFETY: the type says that the driver wrote this member.
            let one = unsafe { interval.__bindgen_anon_1.discrete };
            (one, one)
        } else {
            // SAFETY: as above; every bit pattern is one of its integers.
            let range = unsafe { interval.__bindgen_anon_1.stepwise };
            (range.min, range.max)
        };
        let rate = |time: sys::v4l2_fract| Rate::new(time.denominator, time.numerator);
        let range = rate(longest).zip(rate(shortest));
        rates.extend(range.map(|(slowest, fastest)| Rates { slowest, fastest }));
    }
    rates
}
