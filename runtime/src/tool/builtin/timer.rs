//! Timers, on whatever clock the device has.

use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lorgnette_device::clock::{Clock, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::read;
use crate::tool::{BoxFuture, Effect, Observation, Spec, Tool, ToolError, ToolErrorKind};

/// Timers that may run at a time.
const MOST: usize = 16;

/// The timers that run. Who shows things asks for those that [`rang`](Self::rang).
pub struct Timers {
    clock: Arc<dyn Clock>,
    running: Mutex<Vec<Rang>>,
}

/// A timer: what it is for, and when it rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rang {
    /// What it is for, as the model put it. May be empty.
    pub label: String,
    /// When it rings, or rang.
    pub at: Timestamp,
}

impl Timers {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, running: Mutex::new(Vec::new()) })
    }

    /// Those that have rung since this was asked last, the first one first.
    pub fn rang(&self) -> Vec<Rang> {
        let now = self.clock.now();
        let mut running = self.running();
        let later = running.iter().position(|timer| timer.at > now).unwrap_or(running.len());
        running.drain(..later).collect()
    }

    /// When the next one rings.
    pub fn next(&self) -> Option<Timestamp> {
        self.running().first().map(|timer| timer.at)
    }

    /// In the order in which they ring.
    fn running(&self) -> MutexGuard<'_, Vec<Rang>> {
        // The list is whole at any time.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, label: String, seconds: u64) -> Result<Observation, ToolError> {
        let at = self.clock.now() + Duration::from_secs(seconds);
        let mut running = self.running();
        if running.len() == MOST {
            return Err(ToolError::new(ToolErrorKind::Failed, format!("{MOST} timers run already")));
        }
        let place = running.partition_point(|timer| timer.at <= at);
        running.insert(place, Rang { label, at });
        Ok(Observation::from_device(format!("It rings in {seconds} s.")))
    }

    fn stop(&self, label: &str) -> Result<Observation, ToolError> {
        let mut running = self.running();
        let Some(place) = running.iter().position(|timer| timer.label == label) else {
            return Err(ToolError::new(ToolErrorKind::Failed, "no timer of this label runs"));
        };
        running.remove(place);
        Ok(Observation::from_device("It is stopped."))
    }

    fn list(&self) -> Observation {
        let now = self.clock.now();
        let line = |timer: &Rang| format!("{:?}: {} s left", timer.label, timer.at.since(now).as_secs());
        let lines: Vec<_> = self.running().iter().map(line).collect();
        if lines.is_empty() {
            return Observation::from_device("No timer runs.");
        }
        // Labels may repeat what was read somewhere.
        Observation::from_outside(lines.join("\n"))
    }
}

/// The tool `timer`: starts and stops timers.
pub struct Timer {
    spec: Spec,
    timers: Arc<Timers>,
}

#[derive(Deserialize)]
struct Arguments {
    action: Action,
    #[serde(default)]
    seconds: u64,
    #[serde(default)]
    label: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Start,
    Stop,
}

impl Timer {
    /// Of `timers`.
    pub fn new(timers: Arc<Timers>) -> Self {
        let spec = Spec {
            name: "timer".into(),
            description: "Start a timer that rings after so many seconds, or stop the one with this label"
                .into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "action": {"enum": ["start", "stop"]},
                    "seconds": {"type": "integer", "minimum": 1, "maximum": 86_400},
                    "label": {"type": "string", "maxLength": 60},
                },
                "required": ["action"],
                "additionalProperties": false,
            }),
            effect: Effect::Changes,
        };
        Self { spec, timers }
    }
}

impl Tool for Timer {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Observation, ToolError>> {
        let done = read(arguments).and_then(|Arguments { action, seconds, label }| match action {
            Action::Start if seconds == 0 => {
                Err(ToolError::new(ToolErrorKind::Arguments, "seconds: expected for start"))
            }
            Action::Start => self.timers.start(label, seconds),
            Action::Stop => self.timers.stop(&label),
        });
        Box::pin(ready(done))
    }
}

/// The tool `timers`: says which run.
pub struct TimerList {
    spec: Spec,
    timers: Arc<Timers>,
}

impl TimerList {
    /// Of `timers`.
    pub fn new(timers: Arc<Timers>) -> Self {
        let spec = Spec {
            name: "timers".into(),
            description: "List the timers that run".into(),
            parameters: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            effect: Effect::Reads,
        };
        Self { spec, timers }
    }
}

impl Tool for TimerList {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call(&self, _: Value) -> BoxFuture<'_, Result<Observation, ToolError>> {
        Box::pin(ready(Ok(self.timers.list())))
    }
}

#[cfg(test)]
mod tests {
    use lorgnette_device::clock::ManualClock;

    use super::*;
    use crate::tool::block_on;

    #[test]
    fn timers_ring_in_their_order_when_their_time_has_come() {
        let clock = Arc::new(ManualClock::default());
        let timers = Timers::new(clock.clone());
        let tool = Timer::new(timers.clone());
        let call = |arguments| block_on(tool.call(arguments));
        call(json!({"action": "start", "seconds": 300, "label": "eggs"})).unwrap();
        call(json!({"action": "start", "seconds": 60, "label": "tea"})).unwrap();
        call(json!({"action": "start", "seconds": 90, "label": "bus"})).unwrap();
        let list = block_on(TimerList::new(timers.clone()).call(json!({}))).unwrap();
        assert_eq!(list.untrusted_text(), "\"tea\": 60 s left\n\"bus\": 90 s left\n\"eggs\": 300 s left");
        call(json!({"action": "stop", "label": "bus"})).unwrap();
        clock.advance(Duration::from_millis(59_999));
        assert_eq!(timers.rang(), []);
        clock.advance(Duration::from_secs(300));
        let labels: Vec<_> = timers.rang().into_iter().map(|timer| timer.label).collect();
        assert_eq!((labels.as_slice(), timers.next()), (["tea".into(), "eggs".into()].as_slice(), None));
    }

    #[test]
    fn what_cannot_be_done_is_said_and_changes_nothing() {
        let timers = Timers::new(Arc::new(ManualClock::default()));
        let tool = Timer::new(timers.clone());
        let kind = |arguments| block_on(tool.call(arguments)).unwrap_err().kind();
        assert_eq!(kind(json!({"action": "start"})), ToolErrorKind::Arguments);
        assert_eq!(kind(json!({"action": "melt"})), ToolErrorKind::Arguments);
        assert_eq!(kind(json!({"action": "stop", "label": "tea"})), ToolErrorKind::Failed);
        assert_eq!(timers.next(), None);
        for _ in 0..MOST {
            block_on(tool.call(json!({"action": "start", "seconds": 1}))).unwrap();
        }
        assert_eq!(kind(json!({"action": "start", "seconds": 1})), ToolErrorKind::Failed);
    }
}
