//! The code for cameras of the kernel, against a fake driver that is preloaded into the process.

#![cfg(all(target_os = "linux", feature = "v4l"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod allocations;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/counting.rs"]
#[allow(dead_code, reason = "only a part is used here")]
mod counting;
mod fake;
mod faults;

use std::sync::Arc;
use std::time::Duration;

use common::compliance::{self, Case, next_frame};
use fake::{Fake, RATE, with_fake};
use lorgnette_device::ErrorKind;
use lorgnette_device::camera::v4l::{self, Select, V4lCamera};
use lorgnette_device::camera::{Camera, Frame, Mode, PixelFormat, Rate};
use lorgnette_device::clock::MonotonicClock;

fn check(fake: &Fake, format: PixelFormat) {
    fake.offer(format, 640, 480);
    let open = || Box::new(fake.open()) as Box<dyn Camera>;
    let case =
        Case { open: &open, clock: &MonotonicClock, width: 640, height: 480, rate: RATE, numbered: true };
    compliance::check(&case);
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
fn rates_are_fractions_in_lowest_terms() {
    assert_eq!(Rate::new(60, 2), Some(Rate::per_second(30)));
    assert_eq!(Rate::new(0, 1), None);
    let ntsc = Rate::new(30_000, 1001).unwrap();
    for index in [0, 1, 29, 30, 1_000_003] {
        assert_eq!(ntsc.index_at(ntsc.time_of(index)), index);
    }
    assert_eq!(ntsc.index_at(Duration::from_millis(33)), 0);
}
