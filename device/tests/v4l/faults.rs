//! What goes wrong with cameras, and what is said and done about it.

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::ErrorKind;
use lorgnette_device::camera::v4l::V4lCamera;
use lorgnette_device::camera::{Camera, Event, Frame, Mode, PixelFormat};
use lorgnette_device::clock::{Clock, MonotonicClock};

use super::check;
use super::common::compliance::{await_event, next_frame};
use super::common::made::{self, number_of};
use super::fake::with_fake;

fn framed(event: &Event) -> Option<()> {
    matches!(event, Event::Frame).then_some(())
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
fn a_camera_that_cannot_be_started_or_stopped_is_said_and_closed() {
    with_fake(|fake| {
        fake.offer(PixelFormat::Yuyv, 640, 480);
        // More often than the fake has handles.
        for _ in 0..20 {
            fake.set("unstartable");
            let error = V4lCamera::open(fake.options(), Arc::new(MonotonicClock)).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(error.to_string().contains("start"), "{error}");
            fake.clear("unstartable");
            let mut camera = fake.open();
            await_event(&mut camera, framed);
            fake.set("unstoppable");
            drop(camera);
            fake.clear("unstoppable");
        }
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
        options.patience = Duration::from_secs(2);
        let mut camera = V4lCamera::open(options, Arc::new(MonotonicClock)).unwrap();
        await_event(&mut camera, framed);
        fake.set("stall");
        assert_eq!(await_event(&mut camera, lost), ErrorKind::Gone);
        fake.clear("stall");
        await_event(&mut camera, reopened);
        await_event(&mut camera, framed);
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
