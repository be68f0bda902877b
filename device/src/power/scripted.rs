//! Power readings that are made up, for simulations.

use std::sync::Arc;
use std::time::Duration;

use super::{PowerReading, PowerSource};
use crate::Timestamp;
use crate::clock::Clock;

/// Says at each moment what a script says for it.
pub struct ScriptedPower {
    script: Vec<(Duration, PowerReading)>,
    began: Timestamp,
    clock: Arc<dyn Clock>,
}

impl ScriptedPower {
    /// A source that begins now and gives each reading of `script`, in any order, from that time after the beginning
    /// until the time of the next one. Before the first of them nothing is known. Readings get the time at which
    /// they are asked for.
    pub fn new(mut script: Vec<(Duration, PowerReading)>, clock: Arc<dyn Clock>) -> Self {
        script.sort_by_key(|(from, _)| *from);
        Self { script, began: clock.now(), clock }
    }
}

impl PowerSource for ScriptedPower {
    fn read(&mut self) -> PowerReading {
        let now = self.clock.now();
        let passed = now.since(self.began);
        let begun = self.script.partition_point(|(from, _)| *from <= passed);
        let reading = self.script[..begun].last().map(|(_, reading)| reading.clone());
        PowerReading { at: now, ..reading.unwrap_or_default() }
    }
}
