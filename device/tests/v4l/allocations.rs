//! Capture allocates nothing for a frame.

use std::alloc::{GlobalAlloc, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use lorgnette_device::camera::{Camera, Frame, Picture, PixelFormat};
use lorgnette_device::clock::MonotonicClock;
use lorgnette_device::gate::{Gate, sharpness};

use super::common::compliance::next_frame;
use super::fake::with_fake;

/// Counts the allocations of all threads.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting touches an atomic only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: std::alloc::Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations while 100 frames are captured, and `look` looks at each that comes.
fn allocations_of(camera: &mut dyn Camera, mut look: impl FnMut(&Frame)) -> usize {
    let mut frame = Frame::default();
    let mut before = 0;
    for index in 0..150 {
        if index == 50 {
            before = ALLOCATIONS.load(Relaxed);
        }
        next_frame(camera, &MonotonicClock, &mut frame);
        look(&frame);
    }
    ALLOCATIONS.load(Relaxed) - before
}

#[test]
fn nothing_is_allocated_for_a_frame() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Yuyv, 640, 480);
        let mut gate = Gate::default();
        let (mut picture, mut scratch) = (Picture::default(), Vec::new());
        let count = allocations_of(&mut fake.open(), |frame| {
            frame.picture_into(&mut picture).unwrap();
            let luma = frame.luma(&mut scratch).unwrap();
            gate.judge(luma, frame.captured());
            sharpness(luma);
        });
        assert_eq!(count, 0, "allocations while YUYV was captured, converted and judged");
        fake.clear("YUYV-640x480");
        fake.offer(PixelFormat::Mjpg, 640, 480);
        assert_eq!(allocations_of(&mut fake.open(), |_| {}), 0, "allocations while JPEGs were captured");
    });
}
