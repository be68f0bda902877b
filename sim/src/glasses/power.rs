//! Battery and temperature, as a model that reacts to what the glasses do.
//!
//! The numbers are those of no pair in particular: a battery of 160 mAh, and a temple that warms up by 12 degrees for
//! each watt in five minutes, whose processor is held back from 43 degrees on. What a real pair does has to be measured
//! on it.

use std::time::Duration;

use lorgnette_device::power::FrequencyLimit;
use serde::Serialize;

/// What the battery holds, in joules: 160 mAh at 3.85 V.
const CAPACITY: f64 = 2_218.0;
/// What is drawn while nothing is on, in watts.
const IDLE: f64 = 0.03;
/// By the camera at 15 frames a second.
const CAMERA: f64 = 0.22;
/// By the microphone and what listens to it.
const MICROPHONE: f64 = 0.015;
/// By a lit display.
const DISPLAY: f64 = 0.06;
/// For a byte that is sent, in joules.
const BYTE: f64 = 8e-8;
/// By the processor while it computes all the time.
const COMPUTE: f64 = 1.6;
/// Degrees by which a watt warms in the end.
const DEGREES_A_WATT: f64 = 12.0;
/// Seconds until two thirds of that.
const INERTIA: f64 = 300.0;
/// From here on the glasses see less often.
const HOT: f64 = 43.0;
/// Until here, once they were hot.
const COOLER: f64 = 41.0;
/// How fast the processor may be once they are hot, as a part of what it can; and hotter, from so many degrees on.
const SPEED_WHEN_HOT: f64 = 0.4;
const SPEEDS_WHEN_HOTTER: [(f64, f64); 2] = [(50.0, 0.1), (46.0, 0.2)];
/// What the processor can, in kHz.
const PROCESSOR_KHZ: u64 = 1_000_000;

/// What the glasses do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// Frames a second.
    pub frames: f64,
    /// Whether the microphone listens.
    pub microphone: bool,
    /// Whether the display is lit.
    pub display: bool,
    /// Bytes that were sent.
    pub bytes: u64,
    /// The part of the time in which the processor computed, from 0 to 1.
    pub compute: f64,
}

/// How things are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Power {
    /// What is left, from 0 to 1.
    pub charge: f64,
    /// What is drawn, in watts.
    pub watts: f64,
    /// How warm the frame is.
    pub celsius: f64,
    /// Whether somebody holds it there.
    pub held: bool,
    /// Whether it is too hot to see as often as usual.
    pub throttled: bool,
    /// Of the air.
    #[serde(skip)]
    ambient: f64,
}

impl Default for Power {
    /// Full, at 22 degrees.
    fn default() -> Self {
        Self { charge: 1.0, watts: 0.0, celsius: 22.0, held: false, throttled: false, ambient: 22.0 }
    }
}

impl Power {
    /// Lets `time` pass under `load`.
    pub fn pass(&mut self, time: Duration, load: Load) {
        let seconds = time.as_secs_f64();
        if seconds == 0.0 {
            return;
        }
        let on = |part: bool, watts: f64| if part { watts } else { 0.0 };
        self.watts = IDLE
            + CAMERA * load.frames / 15.0
            + on(load.microphone, MICROPHONE)
            + on(load.display, DISPLAY)
            + BYTE * load.bytes as f64 / seconds
            + COMPUTE * load.compute.clamp(0.0, 1.0);
        self.charge = (self.charge - self.watts * seconds / CAPACITY).max(0.0);
        if !self.held {
            let goal = self.ambient + DEGREES_A_WATT * self.watts;
            self.celsius += (goal - self.celsius) * (1.0 - (-seconds / INERTIA).exp());
        }
        self.throttled = self.celsius >= if self.throttled { COOLER } else { HOT };
    }

    /// Is as warm as that, and stays so.
    pub fn hold(&mut self, celsius: f64) {
        (self.celsius, self.held) = (celsius, true);
        self.throttled = celsius >= HOT;
    }

    /// Warms up and cools down by itself, or stays as warm as it is.
    pub fn set_held(&mut self, held: bool) {
        self.held = held;
    }

    /// How fast the processor may be, as a part of what it can.
    pub fn speed(&self) -> f64 {
        if !self.throttled {
            return 1.0;
        }
        let hotter = SPEEDS_WHEN_HOTTER.iter().find(|(from, _)| self.celsius >= *from);
        hotter.map_or(SPEED_WHEN_HOT, |(_, speed)| *speed)
    }

    /// Whether there is nothing left.
    pub fn is_empty(&self) -> bool {
        self.charge <= 0.0
    }
}

/// What the system of the glasses says of a processor that may be so fast, as a part of what it can.
pub fn processor_limit(speed: f64) -> FrequencyLimit {
    let allowed_khz = (speed * PROCESSOR_KHZ as f64).round() as u64;
    FrequencyLimit { group: "glasses".to_owned(), allowed_khz, hardware_khz: PROCESSOR_KHZ }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn after(minutes: u32, load: Load) -> Power {
        let mut power = Power::default();
        (0..minutes).for_each(|_| power.pass(MINUTE, load));
        power
    }

    #[test]
    fn more_to_do_drains_and_warms_more() {
        let idle = after(30, Load::default());
        let seeing = after(30, Load { frames: 15.0, microphone: true, ..Load::default() });
        let busy = after(30, Load { frames: 15.0, microphone: true, compute: 1.0, ..Load::default() });
        assert!(idle.charge > seeing.charge && seeing.charge > busy.charge);
        assert!(idle.celsius < seeing.celsius && seeing.celsius < busy.celsius);
        assert!(!seeing.throttled && busy.throttled, "{busy:?}");
    }

    #[test]
    fn time_in_pieces_is_the_same_time() {
        let load = Load { frames: 15.0, compute: 0.5, ..Load::default() };
        let (whole, mut pieces) = (after(1, load), Power::default());
        (0..6_000).for_each(|_| pieces.pass(MINUTE / 6_000, load));
        assert!((whole.celsius - pieces.celsius).abs() < 1e-6 && (whole.charge - pieces.charge).abs() < 1e-9);
    }

    #[test]
    fn what_is_held_stays_and_what_was_hot_has_to_cool_down() {
        let mut power = Power::default();
        power.hold(43.0);
        power.pass(MINUTE, Load::default());
        assert_eq!((power.celsius, power.throttled), (43.0, true));
        power.hold(42.0);
        power.throttled = true;
        power.pass(MINUTE, Load::default());
        assert!(power.throttled, "not cool enough yet");
        power.set_held(false);
        (0..10).for_each(|_| power.pass(MINUTE, Load::default()));
        assert!(!power.throttled && power.celsius < 30.0);
    }

    #[test]
    fn the_processor_is_held_back_the_more_the_hotter_it_is() {
        let mut power = Power::default();
        let speeds = [42.9, 43.0, 46.0, 50.0, 42.0].map(|celsius| {
            power.hold(celsius);
            power.speed()
        });
        assert_eq!(speeds, [1.0, 0.4, 0.2, 0.1, 1.0]);
        assert_eq!(processor_limit(0.2).part(), 0.2);
    }

    #[test]
    fn an_empty_battery_stays_at_nothing() {
        let power = after(600, Load { frames: 15.0, compute: 1.0, ..Load::default() });
        assert_eq!(power.charge, 0.0);
        assert!(power.is_empty());
    }
}
