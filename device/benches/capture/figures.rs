//! Measures one camera after the other and prints the tables.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use lorgnette_device::camera::v4l::{V4lCamera, Wanted};
use lorgnette_device::camera::{Camera, Event, Frame, Picture, PixelFormat, Rate};
use lorgnette_device::clock::{Clock, MonotonicClock};
use lorgnette_device::gate::{Gate, sharpness};
use rustix::time::{ClockId, clock_gettime};

use super::common::random::Random;
use super::fake::Fake;
use super::scene::{Room, Sensor, State};

const SIZES: [(usize, usize); 2] = [(640, 480), (1280, 720)];
const FORMATS: [PixelFormat; 2] = [PixelFormat::Yuyv, PixelFormat::Mjpg];
const RATES: [u32; 2] = [15, 30];
/// Each camera is measured for so long.
const TIME: Duration = Duration::from_secs(5);
/// Pictures before they start again: a room, in which a label turns half-way.
const PICTURES: usize = 32;

pub(super) fn main() {
    if let Some(fake) = Fake::plugged_in() {
        return report(&fake);
    }
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake { folder: folder.path().to_owned() };
    fake.set("video0");
    for (width, height) in SIZES {
        let luma = pictures(width, height);
        for format in FORMATS {
            let pictures = luma.iter().map(|luma| encode(format, width, height, luma));
            fake.write_pictures(&format!("{format}-{width}x{height}"), pictures);
        }
    }
    assert!(fake.this_program().status().unwrap().success());
}

fn pictures(width: usize, height: usize) -> Vec<Vec<u8>> {
    let mut room = Room::new(width, height);
    let mut random = Random(5);
    let sensor = Sensor { noise: 4.0, exposure: 1.0, shake: (4, 4), contrast: 1.0 };
    let state = |index: usize| State { label: (2 * index / PICTURES) as u64, ..State::default() };
    (0..PICTURES).map(|index| room.seen(&state(index), &sensor, &mut random)).collect()
}

/// As webcams send pictures: YUYV, or a JPEG with colours for every second pixel of a row.
fn encode(format: PixelFormat, width: usize, height: usize, luma: &[u8]) -> Vec<u8> {
    if format == PixelFormat::Yuyv {
        return luma
            .iter()
            .enumerate()
            .flat_map(|(at, &y)| [y, 110 + (at % width / 16) as u8 % 36])
            .collect();
    }
    let tinted = |(at, &y): (usize, &u8)| [y, y.saturating_sub((at % width / 16) as u8 % 36), y];
    let rgb: Vec<u8> = luma.iter().enumerate().flat_map(tinted).collect();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 80);
    encoder.set_sampling_factor(SamplingFactor::F_2_1);
    encoder.encode(&rgb, width as u16, height as u16, ColorType::Rgb).unwrap();
    bytes
}

/// Durations of one step.
#[derive(Default)]
struct Timings(Vec<Duration>);

impl Timings {
    fn measure<T>(&mut self, step: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = step();
        self.0.push(start.elapsed());
        result
    }

    /// The median in milliseconds; nothing if there is none.
    fn median(&mut self) -> String {
        self.0.sort_unstable();
        self.0.get(self.0.len() / 2).map_or_else(|| "-".to_owned(), |median| milliseconds(*median))
    }

    fn worst(&self) -> String {
        self.0.iter().max().map_or_else(|| "-".to_owned(), |worst| milliseconds(*worst))
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2}", 1000.0 * duration.as_secs_f64())
}

/// The time that all threads of this process have computed.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

fn report(fake: &Fake) {
    println!(
        "| camera | CPU share | latency, median | latency, worst | brightness | gate | sharpness | colours | frames | dropped | worth it |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (width, height) in SIZES {
        for format in FORMATS {
            for rate in RATES {
                let rate = Rate::per_second(rate);
                measure(fake, Wanted { format: Some(format), width, height, rate });
            }
        }
    }
}

fn measure(fake: &Fake, wanted: Wanted) {
    let mut options = fake.options();
    options.wanted = wanted;
    let mut camera = V4lCamera::open(options, Arc::new(MonotonicClock)).unwrap();
    let [mut latency, mut luma, mut judging, mut sharp, mut colours] = [(); 5].map(|()| Timings::default());
    let (mut frame, mut gate) = (Frame::default(), Gate::default());
    let (mut picture, mut scratch) = (Picture::default(), Vec::new());
    let (mut dropped, mut worth_it) = (0, 0);
    let (start, computed) = (Instant::now(), processor_time());
    while start.elapsed() < TIME {
        match camera.next(&mut frame, MonotonicClock.now() + TIME) {
            Event::Frame => {}
            event => panic!("{event:?}"),
        }
        latency.0.push(MonotonicClock.now().since(frame.captured()));
        dropped += frame.dropped();
        let view = luma.measure(|| frame.luma(&mut scratch)).unwrap();
        sharp.measure(|| sharpness(view));
        if judging.measure(|| gate.judge(view, frame.captured())).is_worth_it() {
            worth_it += 1;
            colours.measure(|| frame.picture_into(&mut picture)).unwrap();
        }
    }
    let share = 100.0 * (processor_time() - computed).as_secs_f64() / start.elapsed().as_secs_f64();
    let (median, worst) = (latency.median(), latency.worst());
    let (frames, steps) =
        (latency.0.len(), [luma.median(), judging.median(), sharp.median(), colours.median()].join(" | "));
    println!(
        "| {} | {share:.1} % | {median} | {worst} | {steps} | {frames} | {dropped} | {worth_it} |",
        camera.mode()
    );
}
