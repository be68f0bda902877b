//! What every source of power readings does.

use lorgnette_device::power::{PowerReading, PowerSource};

/// Holds some readings to the promises of the trait.
pub(crate) fn complies(source: &mut dyn PowerSource) {
    let mut before = source.read();
    for _ in 0..3 {
        plausible(&before);
        let next = source.read();
        assert!(next.at >= before.at);
        assert!(next.processor_joules >= before.processor_joules || next.processor_joules.is_none());
        before = next;
    }
}

fn plausible(reading: &PowerReading) {
    assert!(reading.charge.is_none_or(|part| (0.0..=1.0).contains(&part)), "{reading:?}");
    assert!(reading.battery_watts.is_none_or(f64::is_finite), "{reading:?}");
    assert!(reading.processor_joules.is_none_or(|joules| joules >= 0.0), "{reading:?}");
    assert!(reading.temperatures.iter().all(|it| it.celsius.abs() <= 200.0), "{reading:?}");
    assert!(reading.frequency_limits.iter().all(|it| it.allowed_khz <= it.hardware_khz), "{reading:?}");
    assert!(reading.frequency_limit().is_none_or(|part| (0.0..=1.0).contains(&part)), "{reading:?}");
    assert_eq!(reading.hottest().is_some(), !reading.temperatures.is_empty());
}
