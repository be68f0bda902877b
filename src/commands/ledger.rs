use std::fmt;

use chrono::{DateTime, SecondsFormat};
use lorgnette_runtime::mode::contemplating::{Ledger, Record};
use serde::Serialize;

use super::contemplate::{self, ConfigFile};
use crate::console::{self, Outcome};

/// Show what left the device, or forget it
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Forget everything that was recorded
    #[arg(long)]
    clear: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Sent {
    sent: Vec<Record>,
}

#[derive(Serialize)]
struct Cleared {
    forgotten: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let path = contemplate::ledger(&arguments.config.read()?);
    if arguments.clear {
        return console::print(&Cleared { forgotten: Ledger::clear(&path)? }, arguments.json);
    }
    console::print(&Sent { sent: Ledger::read(&path)? }, arguments.json)
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sent.is_empty() {
            return writeln!(f, "Nothing left the device.");
        }
        for record in &self.sent {
            let time = DateTime::from_timestamp_millis(record.time_ms).unwrap_or_default();
            let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
            let Record { destination, kinds, bytes, purpose, consent, state, .. } = record;
            writeln!(
                f,
                "{time}  {destination}  {kinds}  {bytes} bytes  {purpose}  {consent}  {}",
                state.name()
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Cleared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} records forgotten", self.forgotten)
    }
}
