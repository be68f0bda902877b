//! The memory that a driver fills, seen by this process.

use std::ffi::c_void;
use std::io;
use std::mem;
use std::ptr::{self, NonNull};

use v4l::v4l_sys as sys;
use v4l::v4l2::{self, vidioc};

use super::kernel::{CAPTURE, Device};

/// Buffers that the driver fills in turn.
const BUFFERS: u32 = 4;
/// More than any driver makes of them.
pub(super) const MOST_BUFFERS: usize = 32;
const MMAP: u32 = sys::v4l2_memory_V4L2_MEMORY_MMAP;

/// The buffers of a camera. The driver forgets them when the camera is closed.
pub(super) struct Buffers {
    mappings: Vec<Mapping>,
    /// The buffer that was taken last; all others are the driver's.
    held: Option<u32>,
}

/// A filled buffer, as the driver describes it.
pub(super) struct Filled<'a> {
    /// As many bytes as the driver has written.
    pub(super) bytes: &'a [u8],
    pub(super) description: sys::v4l2_buffer,
}

impl Buffers {
    /// Makes buffers for the format that is set, and hands all of them to the driver.
    pub(super) fn new(device: &Device) -> io::Result<Self> {
        // SAFETY: the structure is made of integers, for which zero is a value.
        let zeroed: sys::v4l2_requestbuffers = unsafe { mem::zeroed() };
        let mut request = sys::v4l2_requestbuffers { count: BUFFERS, type_: CAPTURE, memory: MMAP, ..zeroed };
        // SAFETY: VIDIOC_REQBUFS reads and writes a v4l2_requestbuffers.
        unsafe { device.ask(vidioc::VIDIOC_REQBUFS, &mut request)? };
        let indices = 0..request.count.min(MOST_BUFFERS as u32);
        let mappings = indices.clone().map(|index| Mapping::new(device, index)).collect::<io::Result<_>>()?;
        indices.into_iter().try_for_each(|index| queue(device, index))?;
        Ok(Self { mappings, held: None })
    }

    /// Gives the driver back what was taken last.
    pub(super) fn give_back(&mut self, device: &Device) -> io::Result<()> {
        self.held.take().map_or(Ok(()), |index| queue(device, index))
    }

    /// Takes the buffer that was filled first.
    pub(super) fn take(&mut self, device: &Device) -> io::Result<Filled<'_>> {
        let mut description = description(0);
        // SAFETY: VIDIOC_DQBUF reads and writes a v4l2_buffer.
        unsafe { device.ask(vidioc::VIDIOC_DQBUF, &mut description)? };
        let foreign =
            || io::Error::new(io::ErrorKind::InvalidData, "the driver fills a buffer that there is not");
        let mapping = self.mappings.get(description.index as usize).ok_or_else(foreign)?;
        self.held = Some(description.index);
        let used = mapping.length.min(description.bytesused as usize);
        // SAFETY: so much is mapped for as long as this lives, and until the buffer is given back, for which this must
        // be borrowed anew, the driver leaves it alone.
        let bytes = unsafe { std::slice::from_raw_parts(mapping.start.as_ptr(), used) };
        Ok(Filled { bytes, description })
    }
}

/// Lets the pictures come.
pub(super) fn start(device: &Device) -> io::Result<()> {
    // SAFETY: VIDIOC_STREAMON reads an int.
    unsafe { device.ask(vidioc::VIDIOC_STREAMON, &mut CAPTURE.cast_signed()) }
}

/// Ends what [`start`] began.
pub(super) fn stop(device: &Device) -> io::Result<()> {
    // SAFETY: VIDIOC_STREAMOFF reads an int.
    unsafe { device.ask(vidioc::VIDIOC_STREAMOFF, &mut CAPTURE.cast_signed()) }
}

fn queue(device: &Device, index: u32) -> io::Result<()> {
    // SAFETY: VIDIOC_QBUF reads and writes a v4l2_buffer.
    unsafe { device.ask(vidioc::VIDIOC_QBUF, &mut description(index)) }
}

fn description(index: u32) -> sys::v4l2_buffer {
    // SAFETY: the structure is made of integers and of pointers that may be null.
    let zeroed: sys::v4l2_buffer = unsafe { mem::zeroed() };
    sys::v4l2_buffer { index, type_: CAPTURE, memory: MMAP, ..zeroed }
}

/// A buffer in the memory of this process.
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory belongs to this process, not to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(device: &Device, index: u32) -> io::Result<Self> {
        let mut description = description(index);
        // SAFETY: VIDIOC_QUERYBUF reads and writes a v4l2_buffer.
        unsafe { device.ask(vidioc::VIDIOC_QUERYBUF, &mut description)? };
        let length = description.length as usize;
        // SAFETY: the memory type is MMAP, for which the driver writes this member.
        let offset = unsafe { description.m.offset };
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: a new mapping, where the kernel likes, touches no memory that is in use.
        let start = unsafe {
            v4l2::mmap(ptr::null_mut(), length, protection, flags, device.fd(), offset as libc::off_t)?
        };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nothing that borrows it is left. What could be wrong with that
        // has no remedy.
        let _ = unsafe { v4l2::munmap(self.start.as_ptr().cast::<c_void>(), self.length) };
    }
}
