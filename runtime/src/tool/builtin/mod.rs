//! Tools of the device itself. None needs a network.

mod note;
mod timer;
mod unit_price;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::note::{Note, NoteFile, Notes};
pub use self::timer::{Rang, Timer, TimerList, Timers};
pub use self::unit_price::UnitPrice;
use super::{ToolError, ToolErrorKind};

/// Names of the tools here.
pub const NAMES: [&str; 5] = ["note", "notes", "timer", "timers", "unit_price"];

/// Arguments as they were checked. Who did not come through a toolbox gets the error that it would give.
fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, ToolError> {
    serde_json::from_value(arguments).map_err(|e| ToolError::new(ToolErrorKind::Arguments, e.to_string()))
}
