//! The questions to a driver, asked by ioctl with the bindings of the `v4l` crate. What that crate makes of them trusts
//! drivers more than is safe: it panics at a name that is not UTF-8, at a colour space that it does not know and at a
//! stream that cannot be stopped, and counts for as long as a driver has something to list.

use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use v4l::v4l_sys as sys;
use v4l::v4l2::{self, vidioc};

use crate::camera::Rate;
use crate::error::printable;

pub(super) const CAPTURE: u32 = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;

/// An open device node.
pub(super) struct Device(File);

impl Device {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(io::ErrorKind::NotFound.into());
        }
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path).map(Self)
    }

    pub(super) fn fd(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Waits for a picture or an error; whether one of them can be had.
    pub(super) fn wait(&self, timeout: Duration) -> io::Result<bool> {
        let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let mut polled = libc::pollfd { fd: self.fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: there is one structure, and it outlives the call.
        match unsafe { libc::poll(&raw mut polled, 1, milliseconds) } {
            -1 => Err(io::Error::last_os_error()),
            ready => Ok(ready > 0),
        }
    }

    /// # Safety
    /// `request` must be one that reads and writes a `T`.
    pub(super) unsafe fn ask<T>(&self, request: vidioc::_IOC_TYPE, argument: &mut T) -> io::Result<()> {
        // SAFETY: the argument is exclusively ours and, by the caller's word, of the type of the request.
        unsafe { v4l2::ioctl(self.fd(), request, std::ptr::from_mut(argument).cast::<c_void>()) }
    }
}

/// Who answers behind a device node.
pub(super) struct Capabilities {
    pub(super) driver: String,
    pub(super) card: String,
    pub(super) bus: String,
    flags: u32,
}

impl Capabilities {
    /// Whether it gives pictures in mapped buffers of one plane.
    pub(super) fn is_camera(&self) -> bool {
        let needed = sys::V4L2_CAP_VIDEO_CAPTURE | sys::V4L2_CAP_STREAMING;
        self.flags & needed == needed
    }
}

/// How a driver writes pictures.
#[derive(Clone, Copy)]
pub(super) struct PictureFormat {
    pub(super) fourcc: [u8; 4],
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) stride: u32,
}

pub(super) fn capabilities(device: &Device) -> io::Result<Capabilities> {
    // SAFETY: the structure is made of integers, for which zero is a value.
    let mut caps: sys::v4l2_capability = unsafe { mem::zeroed() };
    // SAFETY: VIDIOC_QUERYCAP writes a v4l2_capability.
    unsafe { device.ask(vidioc::VIDIOC_QUERYCAP, &mut caps)? };
    let own = caps.capabilities & sys::V4L2_CAP_DEVICE_CAPS != 0;
    let flags = if own { caps.device_caps } else { caps.capabilities };
    Ok(Capabilities { driver: text(&caps.driver), card: text(&caps.card), bus: text(&caps.bus_info), flags })
}

/// Asks for a format, and then for the one that the driver has really set.
pub(super) fn set_format(
    device: &Device,
    fourcc: [u8; 4],
    width: u32,
    height: u32,
) -> io::Result<PictureFormat> {
    let mut format = empty_format();
    // SAFETY: every member of the union is made of integers, which the zeroes of empty_format() have set.
    let pix = unsafe { &mut format.fmt.pix };
    (pix.width, pix.height, pix.pixelformat) = (width, height, u32::from_le_bytes(fourcc));
    pix.field = sys::v4l2_field_V4L2_FIELD_NONE;
    // SAFETY: VIDIOC_S_FMT reads and writes a v4l2_format.
    unsafe { device.ask(vidioc::VIDIOC_S_FMT, &mut format)? };
    let mut format = empty_format();
    // SAFETY: VIDIOC_G_FMT reads and writes a v4l2_format.
    unsafe { device.ask(vidioc::VIDIOC_G_FMT, &mut format)? };
    // SAFETY: the type is CAPTURE, for which the driver writes this member.
    let pix = unsafe { format.fmt.pix };
    Ok(PictureFormat {
        fourcc: pix.pixelformat.to_le_bytes(),
        width: pix.width,
        height: pix.height,
        stride: pix.bytesperline,
    })
}

fn empty_format() -> sys::v4l2_format {
    // SAFETY: the structure is made of integers and of pointers that may be null.
    let zeroed: sys::v4l2_format = unsafe { mem::zeroed() };
    sys::v4l2_format { type_: CAPTURE, ..zeroed }
}

/// Asks for a rate, and then for the one that the driver has really set; `None` when it knows no rates.
pub(super) fn set_rate(device: &Device, rate: Rate) -> Option<Rate> {
    let (frames, seconds) = rate.fraction();
    let mut parameters = empty_parameters();
    parameters.parm.capture.timeperframe = sys::v4l2_fract { numerator: seconds, denominator: frames };
    // SAFETY: VIDIOC_S_PARM reads and writes a v4l2_streamparm.
    unsafe { device.ask(vidioc::VIDIOC_S_PARM, &mut parameters).ok()? };
    let mut parameters = empty_parameters();
    // SAFETY: VIDIOC_G_PARM reads and writes a v4l2_streamparm.
    unsafe { device.ask(vidioc::VIDIOC_G_PARM, &mut parameters).ok()? };
    // SAFETY: the type is CAPTURE, for which the driver writes this member.
    let interval = unsafe { parameters.parm.capture.timeperframe };
    Rate::new(interval.denominator, interval.numerator)
}

fn empty_parameters() -> sys::v4l2_streamparm {
    // SAFETY: the structure is made of integers, for which zero is a value.
    let zeroed: sys::v4l2_streamparm = unsafe { mem::zeroed() };
    sys::v4l2_streamparm { type_: CAPTURE, ..zeroed }
}

/// A text of a driver: up to its first zero, perhaps cut within a character.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    printable(String::from_utf8_lossy(&bytes[..end]).trim())
}
