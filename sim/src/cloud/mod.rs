//! What is asked beyond the device, and what left for it.

#[cfg(feature = "cloud")]
mod agents;
#[cfg(not(feature = "cloud"))]
mod none;

use serde::Serialize;

use crate::input::Consent;

#[cfg(feature = "cloud")]
pub use self::agents::{Cloud, contemplating};
#[cfg(not(feature = "cloud"))]
pub use self::none::{Cloud, contemplating};

/// What may leave the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// Typed questions, and the device's words about pictures.
    pub text: bool,
    /// Spoken questions, as the device writes them down.
    pub transcript: bool,
    /// The pictures themselves.
    pub picture: bool,
}

impl Allowed {
    /// The same after `change`.
    #[must_use]
    pub fn changed(self, change: Consent) -> Self {
        Self {
            text: change.text.unwrap_or(self.text),
            transcript: change.transcript.unwrap_or(self.transcript),
            picture: change.picture.unwrap_or(self.picture),
        }
    }
}

/// What left the device since the simulator began.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Left {
    /// Of all requests that left, or may have.
    pub bytes: u64,
    /// Each request, as `lorgnette ledger --json` has it.
    pub records: Vec<serde_json::Value>,
}

impl Left {
    /// Whether it is not known yet of all whether it left.
    pub fn is_open(&self) -> bool {
        self.records.iter().any(|record| record["state"] == "begun")
    }
}
