//! The code for cameras of the kernel, against a fake driver that is preloaded into the process.

#![cfg(all(target_os = "linux", feature = "v4l"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod fake;

use std::alloc::{GlobalAlloc, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use common::compliance::{self, Case, next_frame};
use common::made::{self, number_of};
use fake::{Fake, RATE, with_fake};
use lorgnette_device::ErrorKind;
use lorgnette_device::camera::v4l::{self, Select, V4lCamera};
use lorgnette_device::camera::{Camera, Event, Frame, Mode, Picture, PixelFormat, Rate};
use lorgnette_device::clock::{Clock, MonotonicClock};
use lorgnette_device::gate::{Gate, sharpness};

fn check(fake: &Fake, format: PixelFormat) {
    fake.offer(format, 640, 480);
    let open = || Box::new(fake.open()) as Box<dyn Camera>;
    let case =
        Case { open: &open, clock: &MonotonicClock, width: 640, height: 480, rate: RATE, numbered: true };
    compliance::check(&case);
}

/// The next event that `wanted` knows, past frames and others.
fn await_event<T>(camera: &mut dyn Camera, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let deadline = MonotonicClock.now() + Duration::from_secs(30);
    let mut frame = Frame::default();
    loop {
        let event = camera.next(&mut frame, deadline);
        if let Some(found) = wanted(&event) {
            return found;
        }
        assert!(!matches!(event, Event::Timeout), "nothing came");
    }
}

fn lost(event: &Event) -> Option<ErrorKind> {
    if let Event::Lost(error) = event { Some(error.kind()) } else { None }
}

fn reopened(event: &Event) -> Option<Mode> {
    if let Event::Reopened(mode) = event { Some(*mode) } else { None }
}

fn damaged(event: &Event) -> Option<String> {
    if let Event::Damaged(error) = event { Some(error.to_string()) } else { None }
}

fn changed(event: &Event) -> Option<(Mode, Mode)> {
    if let Event::Changed { expected, found } = event { Some((*expected, *found)) } else { None }
}

#[test]
fn a_camera_of_jpegs_does_what_cameras_do() {
    with_fake(|fake| check(fake, PixelFormat::Mjpg));
}

#[test]
fn a_camera_of_yuyv_does_what_cameras_do() {
    with_fake(|fake| check(fake, PixelFormat::Yuyv));
}

#[test]
fn a_camera_of_nv12_does_what_cameras_do() {
    with_fake(|fake| check(fake, PixelFormat::Nv12));
}

#[test]
fn rows_with_gaps_are_read_as_such() {
    with_fake(|fake| {
        fake.set("wide");
        check(fake, PixelFormat::Yuyv);
    });
}

#[test]
fn a_driver_that_neither_counts_nor_stamps_is_counted_and_stamped_for() {
    with_fake(|fake| {
        fake.set("uncounted");
        fake.set("unstamped");
        fake.offer(PixelFormat::Yuyv, 640, 480);
        let mut camera = fake.open();
        let mut frame = Frame::default();
        let mut last = None;
        for _ in 0..10 {
            next_frame(&mut camera, &MonotonicClock, &mut frame);
            assert!(last < Some((frame.sequence(), frame.captured())));
            last = Some((frame.sequence(), frame.captured()));
        }
    });
}

#[test]
fn cameras_are_listed_with_what_they_offer() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Mjpg, 1280, 720);
        fake.offer(PixelFormat::Yuyv, 640, 480);
        fake.set("H264-640x480");
        fake.set("video7.txt");
        fake.set("foreign");
        let cameras = v4l::list(&fake.folder);
        assert_eq!(cameras.len(), 1);
        let camera = cameras[0].camera.as_ref().unwrap();
        assert_eq!((&camera.path, camera.driver.as_str()), (&fake.node(), "fake"));
        assert!(camera.name.starts_with("Kamera "), "{:?}", camera.name);
        assert_eq!(camera.other_formats, ["H264"]);
        let modes: Vec<_> = camera.modes.iter().map(Mode::to_string).collect();
        assert_eq!(
            modes,
            [
                "MJPG 1280x720 at 15 fps",
                "MJPG 1280x720 at 30 fps",
                "MJPG 1280x720 at 200 fps",
                "YUYV 640x480 at 15 fps",
                "YUYV 640x480 at 30 fps",
                "YUYV 640x480 at 200 fps",
            ]
        );
    });
}

#[test]
fn a_camera_is_chosen_by_path_or_by_a_part_of_its_name() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Yuyv, 640, 480);
        let open = |select| {
            let mut options = fake.options();
            options.select = select;
            V4lCamera::open(options, Arc::new(MonotonicClock))
        };
        assert!(open(Select::First).is_ok());
        assert!(open(Select::parse("fake cam")).is_ok());
        assert!(open(Select::parse(fake.node().to_str().unwrap())).is_ok());
        let error = open(Select::parse("Brio")).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("Lorgnette Fake Camera"), "{error}");
        assert_eq!(open(Select::Path("/dev/none".into())).err().unwrap().kind(), ErrorKind::NotFound);
        assert_eq!(open(Select::Path("a\0b".into())).err().unwrap().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_busy_camera_and_one_without_a_readable_format_are_told_apart() {
    with_fake(|fake| {
        fake.set("H264-640x480");
        let open = || V4lCamera::open(fake.options(), Arc::new(MonotonicClock)).map(drop);
        assert_eq!(open().unwrap_err().kind(), ErrorKind::Unsupported);
        fake.offer(PixelFormat::Yuyv, 640, 480);
        fake.set("busy");
        let error = open().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.device().unwrap().ends_with("video0"), "{error}");
        fake.clear("busy");
        open().unwrap();
        open().unwrap();
    });
}

#[test]
fn an_unplugged_camera_is_opened_again_when_it_comes_back() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Mjpg, 640, 480);
        let mut camera = fake.open();
        let mut frame = Frame::default();
        next_frame(&mut camera, &MonotonicClock, &mut frame);
        fake.clear("video0");
        assert_eq!(await_event(&mut camera, lost), ErrorKind::Gone);
        // Taken by somebody else when it comes back: it is still lost.
        fake.set("busy");
        fake.set("video0");
        let soon = MonotonicClock.now() + Duration::from_millis(600);
        assert!(matches!(camera.next(&mut frame, soon), Event::Timeout));
        fake.clear("busy");
        assert_eq!(await_event(&mut camera, reopened), camera.mode());
        let before = frame.sequence();
        next_frame(&mut camera, &MonotonicClock, &mut frame);
        assert!(frame.sequence() > before);
    });
}

#[test]
fn a_camera_that_hangs_is_opened_again() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Mjpg, 640, 480);
        let mut options = fake.options();
        options.patience = Duration::from_millis(300);
        let mut camera = V4lCamera::open(options, Arc::new(MonotonicClock)).unwrap();
        next_frame(&mut camera, &MonotonicClock, &mut Frame::default());
        fake.set("stall");
        assert_eq!(await_event(&mut camera, lost), ErrorKind::Gone);
        fake.clear("stall");
        await_event(&mut camera, reopened);
        next_frame(&mut camera, &MonotonicClock, &mut Frame::default());
    });
}

#[test]
fn a_mode_that_the_driver_changes_silently_is_said() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Mjpg, 1280, 720);
        fake.offer(PixelFormat::Yuyv, 640, 480);
        fake.set("substitute");
        let mut camera = fake.open();
        let (expected, found) = await_event(&mut camera, changed);
        assert_eq!((expected.format, expected.width, expected.height), (PixelFormat::Yuyv, 640, 480));
        assert_eq!((found.format, found.width, found.height), (PixelFormat::Mjpg, 1280, 720));
        assert_eq!(found, camera.mode());
        let mut frame = Frame::default();
        next_frame(&mut camera, &MonotonicClock, &mut frame);
        assert_eq!((frame.width(), number_of(&frame)), (1280, frame.sequence() % made::NUMBERS));
    });
}

#[test]
fn pictures_of_another_size_than_agreed_are_said_and_shown() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Mjpg, 640, 480);
        fake.offer_smaller(320, 240);
        let mut camera = fake.open();
        let mut frame = Frame::default();
        next_frame(&mut camera, &MonotonicClock, &mut frame);
        fake.set("smaller");
        let (expected, found) = await_event(&mut camera, changed);
        assert_eq!(expected, camera.mode());
        assert_eq!((found.width, found.height), (320, 240));
        while frame.width() != 320 {
            next_frame(&mut camera, &MonotonicClock, &mut frame);
        }
        let picture = frame.picture().unwrap();
        assert_eq!((picture.width(), picture.height()), (320, 240));
    });
}

#[test]
fn padding_behind_a_jpeg_is_cut_off() {
    with_fake(|fake| {
        fake.set("oversized");
        check(fake, PixelFormat::Mjpg);
        let mut frame = Frame::default();
        next_frame(&mut fake.open(), &MonotonicClock, &mut frame);
        assert_eq!(frame.bytes(), made::jpeg(640, 480, frame.sequence()));
    });
}

#[test]
fn damaged_pictures_are_said_left_out_and_counted() {
    with_fake(|fake| {
        for (format, fault, word) in [
            (PixelFormat::Mjpg, "cut", "end-of-image"),
            (PixelFormat::Mjpg, "flagged", "driver"),
            (PixelFormat::Yuyv, "cut", "307200 bytes"),
        ] {
            fake.offer(format, 640, 480);
            fake.set(fault);
            let mut options = fake.options();
            options.wanted.format = Some(format);
            let mut camera = V4lCamera::open(options, Arc::new(MonotonicClock)).unwrap();
            let said = await_event(&mut camera, damaged);
            assert!(said.contains(word), "{said}");
            let mut frame = Frame::default();
            for _ in 0..10 {
                next_frame(&mut camera, &MonotonicClock, &mut frame);
                assert_ne!(frame.sequence() % 3, 2, "a damaged picture");
                assert_eq!(number_of(&frame), frame.sequence() % made::NUMBERS);
            }
            fake.clear(fault);
        }
    });
}

#[test]
fn a_jpeg_with_wrong_bytes_in_its_middle_harms_no_other() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Mjpg, 640, 480);
        fake.set("scrambled");
        let mut camera = fake.open();
        let mut frame = Frame::default();
        let mut scrambled = 0;
        while scrambled < 5 {
            next_frame(&mut camera, &MonotonicClock, &mut frame);
            let whole = made::jpeg(640, 480, frame.sequence());
            if frame.sequence() % 3 == 2 {
                scrambled += 1;
                // The decoder may or may not notice.
                assert_ne!(frame.bytes(), whole);
                frame.picture().map_or_else(|e| assert_eq!(e.kind(), ErrorKind::Malformed), drop);
            } else {
                assert_eq!(frame.bytes(), whole);
                frame.picture().unwrap();
            }
        }
    });
}

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

#[test]
fn rates_are_fractions_in_lowest_terms() {
    assert_eq!(Rate::new(60, 2), Some(Rate::per_second(30)));
    assert_eq!(Rate::new(0, 1), None);
    let ntsc = Rate::new(30_000, 1001).unwrap();
    for index in [0, 1, 29, 30, 1_000_003] {
        assert_eq!(ntsc.index_at(ntsc.time_of(index)), index);
    }
    assert_eq!(ntsc.index_at(Duration::from_millis(33)), 0);
}
