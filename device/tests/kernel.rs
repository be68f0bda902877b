//! The code for cameras against drivers of the real kernel: `vivid`, and `v4l2loopback` as `/dev/video9`. They run in
//! the guest of `make device-vm`.

#![cfg(all(target_os = "linux", feature = "v4l"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use ::v4l::control::{Control, Value};
use ::v4l::device::Device;
use ::v4l::format::{Format, FourCC};
use ::v4l::video::Output;
use common::compliance::{self, Case, await_event, next_frame};
use common::made::{NUMBERS, jpeg, number_of};
use lorgnette_device::ErrorKind;
use lorgnette_device::camera::v4l::{self, Options, Select, V4lCamera, Wanted};
use lorgnette_device::camera::{Camera, Event, Frame, PixelFormat, Rate};
use lorgnette_device::clock::MonotonicClock;

/// Slow enough for an emulated processor.
const RATE: Rate = Rate::per_second(10);
const LOOPBACK: &str = "/dev/video9";

fn open(select: Select, format: PixelFormat, width: usize, height: usize) -> V4lCamera {
    let mut options = Options::default();
    options.select = select;
    options.wanted = Wanted { format: Some(format), width, height, rate: RATE };
    V4lCamera::open(options, Arc::new(MonotonicClock)).unwrap()
}

fn vivid() -> Select {
    Select::Name("vivid".into())
}

/// Presses a button of vivid that makes something fail: numbers of `vivid-ctrls.c`.
fn press(button: u32) {
    const VIVID_BASE: u32 = 0x00f0_0000 | 0xf000;
    let vivid = v4l::list(Path::new("/dev")).into_iter().filter_map(|listed| listed.camera.ok());
    let path = vivid.filter(|camera| camera.driver == "vivid").map(|camera| camera.path).next().unwrap();
    let device = Device::with_path(path).unwrap();
    device.set_control(Control { id: VIVID_BASE + button, value: Value::None }).unwrap();
}

const DISCONNECT: u32 = 65;
const BUFFER_ERROR: u32 = 66;
const QUEUE_ERROR: u32 = 70;

#[test]
#[ignore = "needs the driver vivid: make device-vm"]
fn vivid_does_what_cameras_do() {
    for format in [PixelFormat::Yuyv, PixelFormat::Nv12] {
        let open = || Box::new(open(vivid(), format, 320, 180)) as Box<dyn Camera>;
        let case = Case {
            open: &open,
            clock: &MonotonicClock,
            width: 320,
            height: 180,
            rate: RATE,
            numbered: false,
        };
        compliance::check(&case);
    }
}

#[test]
#[ignore = "needs the driver vivid: make device-vm"]
fn vivid_is_used_by_one_at_a_time() {
    let camera = open(vivid(), PixelFormat::Yuyv, 320, 180);
    let mut options = Options::default();
    options.select = vivid();
    let error = V4lCamera::open(options, Arc::new(MonotonicClock)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    drop(camera);
    open(vivid(), PixelFormat::Yuyv, 320, 180);
}

#[test]
#[ignore = "needs the driver vivid: make device-vm"]
fn what_fails_in_vivid_is_said_and_got_over() {
    let mut camera = open(vivid(), PixelFormat::Yuyv, 320, 180);
    let mut frame = Frame::default();
    next_frame(&mut camera, &MonotonicClock, &mut frame);
    press(BUFFER_ERROR);
    await_event(&mut camera, |event| matches!(event, Event::Damaged(_)).then_some(()));
    next_frame(&mut camera, &MonotonicClock, &mut frame);
    press(QUEUE_ERROR);
    await_event(&mut camera, |event| matches!(event, Event::Lost(_)).then_some(()));
    await_event(&mut camera, |event| matches!(event, Event::Reopened(_)).then_some(()));
    next_frame(&mut camera, &MonotonicClock, &mut frame);
    press(DISCONNECT);
    await_event(&mut camera, |event| matches!(event, Event::Lost(_)).then_some(()));
    let plug = |program: &str, arguments: &[&str]| Command::new(program).args(arguments).status().unwrap();
    assert!(plug("rmmod", &["vivid"]).success());
    assert!(plug("modprobe", &["vivid", "n_devs=1", "node_types=0x1"]).success());
    await_event(&mut camera, |event| matches!(event, Event::Reopened(_)).then_some(()));
    next_frame(&mut camera, &MonotonicClock, &mut frame);
}

#[test]
#[ignore = "needs the driver v4l2loopback: make device-vm"]
fn jpegs_come_through_the_kernel_as_they_were_sent() {
    let sender = Sender::start();
    let mut camera = open(Select::parse(LOOPBACK), PixelFormat::Mjpg, 640, 480);
    let mut frame = Frame::default();
    next_frame(&mut camera, &MonotonicClock, &mut frame);
    // This driver writes into buffers that a reader holds: the picture may be newer than its number.
    for _ in 0..20 {
        let last = frame.sequence();
        next_frame(&mut camera, &MonotonicClock, &mut frame);
        assert!(frame.sequence() > last);
        assert_eq!(frame.bytes(), jpeg(640, 480, number_of(&frame)));
    }
    drop(camera);
    drop(sender);
}

/// Writes numbered JPEGs into the loopback device.
struct Sender {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sender {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut device = Device::with_path(LOOPBACK).unwrap();
        let format = Format::new(640, 480, FourCC::new(b"MJPG"));
        Output::set_format(&device, &format).unwrap();
        let pictures: Vec<_> = (0..NUMBERS).map(|number| jpeg(640, 480, number)).collect();
        device.write_all(&pictures[0]).unwrap();
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            for picture in pictures.iter().cycle().skip(1) {
                if stopped.load(Relaxed) {
                    return;
                }
                device.write_all(picture).unwrap();
                thread::sleep(Duration::from_millis(66));
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}
