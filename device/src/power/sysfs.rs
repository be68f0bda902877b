//! The power readings of Linux.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::battery::Batteries;
use super::energy::Energy;
use super::folder::Folder;
use super::{FrequencyLimit, PowerReading, PowerSource, Temperature};
use crate::clock::Clock;

/// Reads the files that the kernel shows under `/sys`.
pub struct SysfsPower {
    root: PathBuf,
    clock: Arc<dyn Clock>,
    energy: Energy,
}

impl SysfsPower {
    /// A source that reads under `root`, which is `/sys` on a running machine.
    pub fn new(root: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { root: root.into(), clock, energy: Energy::new() }
    }
}

impl PowerSource for SysfsPower {
    fn read(&mut self) -> PowerReading {
        let batteries = Batteries::read(&self.root);
        PowerReading {
            at: self.clock.now(),
            charge: batteries.charge,
            state: batteries.state,
            battery_watts: batteries.watts,
            temperatures: temperatures(&self.root),
            frequency_limits: frequency_limits(&self.root),
            processor_joules: self.energy.read(&self.root),
        }
    }
}

/// What a sensor that works can say, in thousandths of a degree. Some say -274000 or 2147483647 while they sleep.
const MILLIDEGREES: std::ops::RangeInclusive<i64> = -60_000..=200_000;

fn temperatures(root: &Path) -> Vec<Temperature> {
    let temperature = |zone: Folder| {
        let millidegrees = zone.number::<i64>("temp").filter(|it| MILLIDEGREES.contains(it))?;
        let place = zone.text("type").unwrap_or_else(|| zone.name());
        Some(Temperature { place, celsius: millidegrees as f64 / 1e3 })
    };
    Folder::all(&root.join("class/thermal"), "thermal_zone").into_iter().filter_map(temperature).collect()
}

fn frequency_limits(root: &Path) -> Vec<FrequencyLimit> {
    let limit = |policy: Folder| {
        let hardware_khz = policy.number("cpuinfo_max_freq").filter(|&khz| khz > 0)?;
        let allowed_khz = policy.number("scaling_max_freq").filter(|&khz| khz <= hardware_khz)?;
        Some(FrequencyLimit { group: policy.name(), allowed_khz, hardware_khz })
    };
    Folder::all(&root.join("devices/system/cpu/cpufreq"), "policy").into_iter().filter_map(limit).collect()
}
