mod cameras;
#[cfg(feature = "gpu")]
mod gpu;
mod microphones;
mod power;

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::console::{self, Outcome};
use cameras::Cameras;
use microphones::Microphones;
use power::Power;

/// Show what this machine has for lorgnette to use
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of device nodes
    #[arg(long, value_name = "DIR", default_value = "/dev")]
    devices: PathBuf,
    /// The folder in which the kernel says what it knows of the machine
    #[arg(long, value_name = "DIR", default_value = "/sys")]
    sysfs: PathBuf,
    /// Test the kernels of all formats on the GPU, and not only those that models needed so far
    #[cfg(feature = "gpu")]
    #[arg(long)]
    kernels: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What was found, one section for each sense.
#[derive(Serialize)]
struct Findings {
    cameras: Cameras,
    microphones: Microphones,
    power: Power,
    #[cfg(feature = "gpu")]
    gpu: gpu::Adapters,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cameras\n{}", self.cameras)?;
        writeln!(f, "microphones\n{}", self.microphones)?;
        writeln!(f, "power\n{}", self.power)?;
        #[cfg(feature = "gpu")]
        writeln!(f, "gpu\n{}", self.gpu)?;
        Ok(())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let findings = Findings {
        cameras: Cameras::find(&arguments.devices),
        microphones: Microphones::find(),
        power: Power::read(&arguments.sysfs),
        #[cfg(feature = "gpu")]
        gpu: gpu::Adapters::find(arguments.kernels),
    };
    console::print(&findings, arguments.json)
}
