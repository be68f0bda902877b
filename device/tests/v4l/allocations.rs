//! Capture allocates nothing for a frame.

use lorgnette_device::camera::{Camera, Frame, Picture, PixelFormat};
use lorgnette_device::clock::MonotonicClock;
use lorgnette_device::gate::{Gate, sharpness};

use super::common::compliance::next_frame;
use super::counting;
use super::fake::with_fake;

/// Allocations and frees while 100 frames are captured, and `look` looks at each that comes.
fn allocations_of(camera: &mut dyn Camera, mut look: impl FnMut(&Frame)) -> usize {
    let mut frame = Frame::default();
    let mut before = 0;
    for index in 0..150 {
        if index == 50 {
            before = counting::in_all_threads();
        }
        next_frame(camera, &MonotonicClock, &mut frame);
        look(&frame);
    }
    counting::in_all_threads() - before
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
