//! What energy there is and where it goes.
//!
//! A machine tells what it can: what it does not know is `None` or left out, never guessed.

mod battery;
mod energy;
mod folder;
mod scripted;
mod sysfs;

pub use scripted::ScriptedPower;
pub use sysfs::SysfsPower;

use crate::Timestamp;

/// A source of power readings.
pub trait PowerSource: Send {
    /// How things are now.
    fn read(&mut self) -> PowerReading;
}

/// How things are at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PowerReading {
    /// The moment.
    pub at: Timestamp,
    /// What is left of the charge, as a part of a full one, from 0 to 1.
    pub charge: Option<f64>,
    /// What happens to the charge.
    pub state: Option<ChargeState>,
    /// What is drawn from the battery, in watts; negative while it is charged.
    pub battery_watts: Option<f64>,
    /// How warm each part is that has a sensor.
    pub temperatures: Vec<Temperature>,
    /// How fast each group of processors may run.
    pub frequency_limits: Vec<FrequencyLimit>,
    /// What the processors used since the first reading of this source, in joules.
    pub processor_joules: Option<f64>,
}

impl PowerReading {
    /// The highest temperature.
    pub fn hottest(&self) -> Option<&Temperature> {
        self.temperatures.iter().max_by(|a, b| a.celsius.total_cmp(&b.celsius))
    }

    /// The tightest limit, as a part of what the processors can do, from 0 to 1.
    pub fn frequency_limit(&self) -> Option<f64> {
        self.frequency_limits.iter().map(FrequencyLimit::part).min_by(f64::total_cmp)
    }
}

/// What happens to a battery's charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChargeState {
    /// It grows.
    Charging,
    /// It shrinks.
    Discharging,
    /// It stays, at full.
    Full,
    /// It stays, though there is power to charge it with.
    NotCharging,
}

/// What one sensor says.
#[derive(Clone, Debug, PartialEq)]
pub struct Temperature {
    /// What the system calls the place of the sensor.
    pub place: String,
    /// In degrees Celsius.
    pub celsius: f64,
}

/// How fast some processors may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrequencyLimit {
    /// What the system calls the group.
    pub group: String,
    /// The highest frequency that is allowed now, in kHz.
    pub allowed_khz: u64,
    /// The highest that the hardware has, in kHz, at least [`FrequencyLimit::allowed_khz`].
    pub hardware_khz: u64,
}

impl FrequencyLimit {
    /// The allowed part of what the hardware has, from 0 to 1.
    pub fn part(&self) -> f64 {
        self.allowed_khz as f64 / self.hardware_khz as f64
    }
}
