//! How good a link is, and what can be changed about that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How good a link is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Whether there is one.
    pub connected: bool,
    /// From the last byte sent until it is there, in milliseconds.
    pub latency_ms: f64,
    /// Thousands of bits a second.
    pub bandwidth_kbps: f64,
    /// The part of all messages that never arrive, from 0 to 1.
    pub loss: f64,
}

impl Default for Quality {
    /// Wi-Fi in the same room.
    fn default() -> Self {
        Self { connected: true, latency_ms: 15.0, bandwidth_kbps: 20_000.0, loss: 0.0 }
    }
}

/// What is to change about a [`Quality`]; what is not named stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Whether there is a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    /// In milliseconds, from 0 to 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// From 1 to 10,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_kbps: Option<f64>,
    /// From 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
}

impl Quality {
    /// This quality after `change`.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) for a number out of its range.
    pub fn changed(mut self, change: Change) -> Result<Self> {
        let within = |name, value: Option<f64>, least: f64, most: f64| match value {
            Some(value) if !(least..=most).contains(&value) => {
                Err(Error::malformed(name, value, format!("{least} to {most}")))
            }
            value => Ok(value),
        };
        self.latency_ms = within("latency_ms", change.latency_ms, 0.0, 10_000.0)?.unwrap_or(self.latency_ms);
        let bandwidth = within("bandwidth_kbps", change.bandwidth_kbps, 1.0, 10_000_000.0)?;
        self.bandwidth_kbps = bandwidth.unwrap_or(self.bandwidth_kbps);
        self.loss = within("loss", change.loss, 0.0, 1.0)?.unwrap_or(self.loss);
        self.connected = change.connected.unwrap_or(self.connected);
        Ok(self)
    }

    pub(super) fn time_of(&self, bytes: usize, share: f64) -> Duration {
        Duration::from_secs_f64(bytes as f64 * 8.0 / (self.bandwidth_kbps * 1000.0 * share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_out_of_range_is_refused() {
        for change in [
            Change { loss: Some(1.5), ..Change::default() },
            Change { latency_ms: Some(-1.0), ..Change::default() },
            Change { bandwidth_kbps: Some(0.0), ..Change::default() },
            Change { loss: Some(f64::NAN), ..Change::default() },
        ] {
            assert!(Quality::default().changed(change).is_err(), "{change:?}");
        }
    }
}
