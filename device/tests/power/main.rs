//! Power readings of trees of files like those under `/sys`, and of scripts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod suite;
mod tree;

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::clock::{Clock, ManualClock};
use lorgnette_device::power::{
    ChargeState, FrequencyLimit, PowerReading, PowerSource, ScriptedPower, SysfsPower, Temperature,
};

use tree::Tree;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::default())
}

fn read(name: &str) -> PowerReading {
    Tree::recorded(name).source().read()
}

#[test]
fn every_source_complies() {
    for name in ["laptop", "phone", "two-batteries", "malformed", "denied"] {
        suite::complies(&mut Tree::recorded(name).source());
    }
    suite::complies(&mut SysfsPower::new("no/such/folder", clock()));
    // Whatever this machine has.
    suite::complies(&mut SysfsPower::new("/sys", clock()));
    let script = vec![(Duration::ZERO, PowerReading { charge: Some(0.5), ..PowerReading::default() })];
    suite::complies(&mut ScriptedPower::new(script, clock()));
}

#[test]
fn a_laptop_on_the_road() {
    let reading = read("laptop");
    let temperature = |place: &str, celsius| Temperature { place: place.into(), celsius };
    let limit = |group: &str, allowed_khz| FrequencyLimit {
        group: group.into(),
        allowed_khz,
        hardware_khz: 4_700_000,
    };
    assert_eq!(
        reading,
        PowerReading {
            charge: Some(38_460_000.0 / 52_340_000.0),
            state: Some(ChargeState::Discharging),
            battery_watts: Some(9.427),
            temperatures: vec![
                temperature("acpitz", 47.0),
                temperature("x86_pkg_temp", 62.0),
                temperature("INT3400 Thermal", 20.0)
            ],
            frequency_limits: vec![limit("policy0", 4_700_000), limit("policy1", 2_800_000)],
            processor_joules: Some(0.0),
            ..PowerReading::default()
        }
    );
    assert_eq!(reading.hottest().unwrap().place, "x86_pkg_temp");
    assert_eq!(reading.frequency_limit(), Some(2.8 / 4.7));
}

#[test]
fn a_phone_being_charged() {
    let reading = read("phone");
    assert_eq!(reading.charge, Some(0.45));
    assert_eq!(reading.state, Some(ChargeState::Charging));
    assert!((reading.battery_watts.unwrap() + 5.025).abs() < 1e-9, "{reading:?}");
    assert_eq!(reading.temperatures, [Temperature { place: "cpu-0-0".into(), celsius: 51.3 }]);
    assert_eq!(reading.frequency_limit(), Some(0.5));
    assert_eq!(reading.processor_joules, None);
}

#[test]
fn two_batteries_are_one() {
    let reading = read("two-batteries");
    assert_eq!(reading.charge, Some(0.5));
    assert_eq!(reading.state, Some(ChargeState::Discharging));
    assert_eq!(reading.battery_watts, Some(8.0));
}

#[test]
fn what_cannot_be_believed_or_read_is_not_told() {
    assert_eq!(read("malformed"), PowerReading::default());
    let denied =
        PowerReading { charge: Some(1.0), state: Some(ChargeState::Full), ..PowerReading::default() };
    assert_eq!(read("denied"), denied);
    assert_eq!(SysfsPower::new("no/such/folder", clock()).read(), PowerReading::default());
}

#[test]
fn what_would_steer_a_terminal_is_escaped_in_names() {
    let tree = Tree::recorded("phone");
    tree.write("class/thermal/thermal_zone0/type", "cpu\u{1b}[2J");
    assert_eq!(tree.source().read().temperatures[0].place, "cpu\\u{1b}[2J");
}

#[test]
fn energy_is_counted_from_the_first_reading_on_and_through_a_wrap() {
    let tree = Tree::recorded("laptop");
    let mut source = tree.source();
    let counter = "class/powercap/intel-rapl:0/energy_uj";
    assert_eq!(source.read().processor_joules, Some(0.0));
    tree.write(counter, "262143325000");
    assert_eq!(source.read().processor_joules, Some(0.005));
    tree.write(counter, "2000000");
    assert_eq!(source.read().processor_joules, Some(2.008_850));
    tree.write(counter, "5000000");
    assert_eq!(source.read().processor_joules, Some(5.008_850));
}

#[test]
fn a_counter_that_starts_anew_has_not_wrapped() {
    let tree = Tree::recorded("laptop");
    let mut source = tree.source();
    let counter = "class/powercap/intel-rapl:0/energy_uj";
    tree.write(counter, "1000000");
    assert_eq!(source.read().processor_joules, Some(0.0));
    tree.write(counter, "1000");
    assert_eq!(source.read().processor_joules, None);
}

#[test]
fn a_counter_that_wraps_nobody_knows_where_is_not_guessed_at() {
    let tree = Tree::recorded("laptop");
    let mut source = tree.source();
    source.read();
    tree.write("class/powercap/intel-rapl:0/max_energy_range_uj", "");
    for value in ["2000000", "3000000"] {
        tree.write("class/powercap/intel-rapl:0/energy_uj", value);
        assert_eq!(source.read().processor_joules, None);
    }
}

#[test]
fn a_script_says_what_was_written_for_the_moment() {
    let clock = clock();
    clock.advance(Duration::from_secs(100));
    let charge = |part| PowerReading { charge: Some(part), ..PowerReading::default() };
    let script = vec![(Duration::from_secs(20), charge(0.3)), (Duration::from_secs(10), charge(0.4))];
    let mut source = ScriptedPower::new(script, clock.clone());
    let mut told = Vec::new();
    for _ in 0..4 {
        let reading = source.read();
        assert_eq!(reading.at, clock.now());
        told.push(reading.charge);
        clock.advance(Duration::from_millis(9_999));
    }
    assert_eq!(told, [None, None, Some(0.4), Some(0.3)]);
}
