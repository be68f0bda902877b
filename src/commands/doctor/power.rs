//! What is known of energy.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use lorgnette_device::clock::MonotonicClock;
use lorgnette_device::power::{
    ChargeState, FrequencyLimit, PowerReading, PowerSource, SysfsPower, Temperature,
};
use serde::Serialize;
use serde_json::{Value, json};

/// What the machine says of itself now.
pub(super) struct Power(PowerReading);

impl Power {
    pub(super) fn read(sysfs: &Path) -> Self {
        Self(SysfsPower::new(sysfs, Arc::new(MonotonicClock)).read())
    }
}

impl Serialize for Power {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let temperature = |it: &Temperature| json!({"place": it.place, "celsius": it.celsius});
        let limit = |it: &FrequencyLimit| -> Value {
            json!({"group": it.group, "allowed_khz": it.allowed_khz, "hardware_khz": it.hardware_khz})
        };
        let reading = &self.0;
        json!({
            "charge": reading.charge,
            "state": reading.state.map(name),
            "battery_watts": reading.battery_watts,
            "temperatures": reading.temperatures.iter().map(temperature).collect::<Vec<_>>(),
            "frequency_limits": reading.frequency_limits.iter().map(limit).collect::<Vec<_>>(),
            "counts_processor_energy": reading.processor_joules.is_some(),
        })
        .serialize(serializer)
    }
}

fn name(state: ChargeState) -> &'static str {
    match state {
        ChargeState::Charging => "charging",
        ChargeState::Discharging => "discharging",
        ChargeState::Full => "full",
        ChargeState::NotCharging => "not charging",
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(reading) = self;
        let charge = reading.charge.map(|part| format!("{:.0} %", 100.0 * part));
        let state = reading.state.map(|state| name(state).to_owned());
        let watts = reading.battery_watts.map(|watts| format!("{watts:.1} W"));
        let battery: Vec<String> = [charge, state, watts].into_iter().flatten().collect();
        let battery = if battery.is_empty() { "none that is known".to_owned() } else { battery.join(", ") };
        writeln!(f, "  battery  {battery}")?;
        for Temperature { place, celsius } in &reading.temperatures {
            writeln!(f, "  {place}  {celsius:.1} °C")?;
        }
        for FrequencyLimit { group, allowed_khz, hardware_khz } in &reading.frequency_limits {
            writeln!(f, "  {group}  {} of {} MHz", allowed_khz / 1000, hardware_khz / 1000)?;
        }
        let counted = if reading.processor_joules.is_some() { "counted" } else { "not counted" };
        writeln!(f, "  energy of the processors  {counted}")
    }
}
