//! Batteries, as the kernel's power supply class tells of them: µW, µV, µA, µWh, µAh and percent.

use std::path::Path;

use super::ChargeState;
use super::folder::Folder;

/// What the machine's batteries say together.
#[derive(Default)]
pub(super) struct Batteries {
    pub(super) charge: Option<f64>,
    pub(super) state: Option<ChargeState>,
    pub(super) watts: Option<f64>,
}

impl Batteries {
    /// Reads those in `class/power_supply` under `root`, without the ones of mice and headsets.
    pub(super) fn read(root: &Path) -> Self {
        let supplies = Folder::all(&root.join("class/power_supply"), "");
        let batteries: Vec<Folder> = supplies.into_iter().filter(runs_this_machine).collect();
        Self {
            charge: charge(&batteries),
            state: all(&batteries, state).and_then(together),
            watts: all(&batteries, watts).map(|watts| watts.iter().sum()),
        }
    }
}

/// More than any machine with a battery draws.
const MAX_WATTS: f64 = 1000.0;

fn runs_this_machine(supply: &Folder) -> bool {
    supply.text("type").as_deref() == Some("Battery")
        && supply.text("scope").as_deref() != Some("Device")
        && supply.text("present").as_deref() != Some("0")
}

/// What every battery says, if there is one and every one says it.
fn all<T>(batteries: &[Folder], what: impl Fn(&Folder) -> Option<T>) -> Option<Vec<T>> {
    let all: Vec<T> = batteries.iter().map(what).collect::<Option<_>>()?;
    (!all.is_empty()).then_some(all)
}

/// The charge of all batteries as a part of a full one, in the first unit that all of them have. Percents of batteries
/// of unknown sizes do not add up.
fn charge(batteries: &[Folder]) -> Option<f64> {
    let amounts = |now: &str, full: &str| {
        let amount = |it: &Folder| Some((it.number::<u64>(now)?, it.number::<u64>(full)?));
        let amounts = all(batteries, amount)?;
        let (now, full) =
            amounts.iter().fold((0.0, 0.0), |(a, b), (now, full)| (a + *now as f64, b + *full as f64));
        let part = now / full;
        // Gauges that are a little off say that there is more than fits.
        (part <= 1.1).then_some(part.min(1.0))
    };
    let percent = || match batteries {
        [battery] => battery.number::<u8>("capacity").filter(|&percent| percent <= 100),
        _ => None,
    };
    amounts("energy_now", "energy_full")
        .or_else(|| amounts("charge_now", "charge_full"))
        .or_else(|| percent().map(|percent| f64::from(percent) / 100.0))
}

fn state(battery: &Folder) -> Option<ChargeState> {
    match battery.text("status")?.as_str() {
        "Charging" => Some(ChargeState::Charging),
        "Discharging" => Some(ChargeState::Discharging),
        "Full" => Some(ChargeState::Full),
        "Not charging" => Some(ChargeState::NotCharging),
        _ => None,
    }
}

/// The state of a machine whose batteries are in these: what one of them does, the machine does.
fn together(states: Vec<ChargeState>) -> Option<ChargeState> {
    use ChargeState::{Charging, Discharging, Full, NotCharging};
    [Discharging, Charging, NotCharging, Full].into_iter().find(|state| states.contains(state))
}

/// Watts out of a battery. Drivers do not agree on the sign, so the state decides.
fn watts(battery: &Folder) -> Option<f64> {
    let product = || {
        let (current, voltage): (f64, f64) = (battery.number("current_now")?, battery.number("voltage_now")?);
        Some(current * voltage / 1e6)
    };
    let watts = battery.number::<f64>("power_now").or_else(product)?.abs() / 1e6;
    let watts = (watts <= MAX_WATTS).then_some(watts)?;
    match state(battery)? {
        ChargeState::Discharging => Some(watts),
        ChargeState::Charging => Some(-watts),
        ChargeState::Full | ChargeState::NotCharging => (watts == 0.0).then_some(0.0),
    }
}
