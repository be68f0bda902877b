//! The glasses' camera and microphone, held to what every camera and every microphone does.

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::{Camera, Rate};
use lorgnette_device::clock::{Clock, ManualClock, MonotonicClock};
use lorgnette_sim::glasses::{Glasses, Jack, Light, Options, Shot};
use lorgnette_sim::link::Quality;

use crate::common::compliance::{Case, check};
use crate::common::made;
use crate::suite;

const WIDTH: usize = 64;
const HEIGHT: usize = 48;

/// Pictures that carry their number.
struct Numbers;

impl Light for Numbers {
    fn frame(&mut self, _: Timestamp, sequence: u64) -> Option<Shot> {
        Some(Shot::new(made::jpeg(WIDTH, HEIGHT, sequence)))
    }
}

fn glasses(clock: Arc<dyn Clock>, link: Quality) -> Glasses {
    let glasses = Glasses::new(Options { link, ..Options::default() }, clock);
    glasses.see(Box::new(Numbers));
    glasses
}

fn check_camera(clock: &dyn Fn() -> Arc<dyn Clock>, link: Quality) {
    let glasses = glasses(clock(), link);
    let (open, clock) = (|| Box::new(glasses.camera()) as Box<dyn Camera>, glasses.clock());
    let rate = Rate::per_second(Options::default().frames);
    check(&Case { open: &open, clock: &*clock, width: WIDTH, height: HEIGHT, rate, numbered: true });
}

fn simulated() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(Timestamp::from_start(Duration::from_secs(5))))
}

#[test]
fn the_camera_complies() {
    check_camera(&simulated, Quality::default());
}

#[test]
fn over_a_link_that_loses_frames_the_camera_complies_too() {
    check_camera(&simulated, Quality { loss: 0.2, ..Quality::default() });
}

#[test]
fn in_real_time_the_camera_complies_too() {
    check_camera(&|| Arc::new(MonotonicClock), Quality::default());
}

fn check_microphone(clock: Arc<dyn Clock>, link: Quality) {
    let glasses = glasses(clock, link);
    let jack = Jack::of_recordings();
    jack.push((0..60 * 16_000).map(|i| (i as f32 / 20.0).sin()));
    glasses.hear(jack);
    suite::complies(&mut glasses.microphone().unwrap(), &glasses.clock());
}

#[test]
fn the_microphone_complies() {
    check_microphone(simulated(), Quality::default());
}

#[test]
fn over_a_link_that_loses_sound_the_microphone_complies_too() {
    check_microphone(simulated(), Quality { loss: 0.05, ..Quality::default() });
}

#[test]
fn in_real_time_the_microphone_complies_too() {
    check_microphone(Arc::new(MonotonicClock), Quality::default());
}
