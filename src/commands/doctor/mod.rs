mod cameras;

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::console::{self, Outcome};
use cameras::Cameras;

/// Show what this machine has for lorgnette to use
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of device nodes
    #[arg(long, value_name = "DIR", default_value = "/dev")]
    devices: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What was found, one section for each sense.
#[derive(Serialize)]
struct Findings {
    cameras: Cameras,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cameras\n{}", self.cameras)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let findings = Findings { cameras: Cameras::find(&arguments.devices) };
    console::print(&findings, arguments.json)
}
