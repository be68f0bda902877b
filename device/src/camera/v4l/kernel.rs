//! The questions to a driver whose answers the `v4l` crate trusts more than is safe: it panics at a name that is not
//! UTF-8 and at a colour space that it does not know.

use std::ffi::c_void;
use std::io;
use std::mem;
use std::path::Path;

use v4l::device::Device;
use v4l::v4l_sys as sys;
use v4l::v4l2::{self, vidioc};

use crate::error::printable;

const CAPTURE: u32 = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
/// More formats than any driver has.
const MOST_FORMATS: u32 = 64;

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

pub(super) fn open(path: &Path) -> io::Result<Device> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Device::with_path(path)
}

pub(super) fn capabilities(device: &Device) -> io::Result<Capabilities> {
    // SAFETY: the structure is made of integers, for which zero is a value.
    let mut caps: sys::v4l2_capability = unsafe { mem::zeroed() };
    // SAFETY: VIDIOC_QUERYCAP writes a v4l2_capability.
    unsafe { ask(device, vidioc::VIDIOC_QUERYCAP, &mut caps)? };
    let own = caps.capabilities & sys::V4L2_CAP_DEVICE_CAPS != 0;
    let flags = if own { caps.device_caps } else { caps.capabilities };
    Ok(Capabilities { driver: text(&caps.driver), card: text(&caps.card), bus: text(&caps.bus_info), flags })
}

/// The codes of the formats that the driver offers.
pub(super) fn formats(device: &Device) -> io::Result<Vec<[u8; 4]>> {
    let mut formats = Vec::new();
    for index in 0..MOST_FORMATS {
        // SAFETY: the structure is made of integers, for which zero is a value.
        let zeroed: sys::v4l2_fmtdesc = unsafe { mem::zeroed() };
        let mut format = sys::v4l2_fmtdesc { index, type_: CAPTURE, ..zeroed };
        // SAFETY: VIDIOC_ENUM_FMT reads and writes a v4l2_fmtdesc.
        match unsafe { ask(device, vidioc::VIDIOC_ENUM_FMT, &mut format) } {
            Ok(()) => formats.push(format.pixelformat.to_le_bytes()),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => break,
            Err(error) => return Err(error),
        }
    }
    Ok(formats)
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
    unsafe { ask(device, vidioc::VIDIOC_S_FMT, &mut format)? };
    let mut format = empty_format();
    // SAFETY: VIDIOC_G_FMT reads and writes a v4l2_format.
    unsafe { ask(device, vidioc::VIDIOC_G_FMT, &mut format)? };
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

/// # Safety
/// `request` must be one that reads and writes a `T`.
unsafe fn ask<T>(device: &Device, request: vidioc::_IOC_TYPE, argument: &mut T) -> io::Result<()> {
    // SAFETY: the argument is exclusively ours and, by the caller's word, of the type of the request.
    unsafe { v4l2::ioctl(device.handle().fd(), request, std::ptr::from_mut(argument).cast::<c_void>()) }
}

/// A text of a driver: up to its first zero, perhaps cut within a character.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    printable(String::from_utf8_lossy(&bytes[..end]).trim())
}
