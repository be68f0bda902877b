use clap::ValueEnum;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use lorgnette_runtime::backend::{auto, gpu::Gpu};
use lorgnette_runtime::{Error, ErrorKind};

use crate::console::{self, Outcome};

/// Where a model is computed.
#[derive(clap::Args, Clone, Copy)]
#[group(skip)]
pub(crate) struct Arguments {
    /// Where it is computed; auto is the GPU where there is one that is right and faster, else the processor
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    backend: Choice,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Choice {
    Auto,
    Cpu,
    #[cfg(feature = "gpu")]
    Gpu,
}

/// Where a command works, and why.
#[derive(Clone)]
pub(crate) struct Place {
    /// As on the command line.
    pub(crate) name: &'static str,
    /// Where nobody asked for it.
    pub(crate) reason: Option<String>,
}

/// What a command does, wherever that is.
pub(crate) trait Command {
    /// Whether a turn that was begun is answered on the processor when the device is lost, though it was asked for.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "there is no GPU"))]
    const ANSWERS: bool = false;

    fn run_on<B: Backend + 'static>(&self, backend: B, place: &Place) -> Outcome;
}

impl Arguments {
    /// Runs `command` on the backend that was chosen. Where the GPU was not asked for and fails, it is the processor.
    ///
    /// # Errors
    /// What the command says.
    pub(crate) fn run<C: Command>(self, command: &C) -> Outcome {
        let cpu = |reason| command.run_on(Cpu, &Place { name: "cpu", reason });
        match self.backend {
            Choice::Cpu => cpu(None),
            #[cfg(not(feature = "gpu"))]
            Choice::Auto => cpu(None),
            #[cfg(feature = "gpu")]
            Choice::Gpu => {
                let place = Place { name: "gpu", reason: None };
                or_on_cpu(command.run_on(Gpu::open()?, &place), C::ANSWERS, cpu)
            }
            #[cfg(feature = "gpu")]
            Choice::Auto => match auto::choose() {
                auto::Choice { gpu: Some(gpu), reason } => {
                    let place = Place { name: "gpu", reason };
                    or_on_cpu(command.run_on(gpu, &place), true, cpu)
                }
                auto::Choice { gpu: None, reason } => cpu(reason),
            },
        }
    }
}

/// What came of it on the GPU, or, where the device is to blame, on the processor.
#[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "there is no GPU"))]
fn or_on_cpu(outcome: Outcome, may: bool, cpu: impl FnOnce(Option<String>) -> Outcome) -> Outcome {
    let Err(error) = outcome else { return Ok(()) };
    let of_device = error.downcast_ref::<Error>().is_some_and(|error| error.kind() == ErrorKind::Device);
    if !(may && of_device) {
        return Err(error);
    }
    console::warn(&format!("{error}; it is computed on the processor"));
    cpu(Some(error.to_string()))
}
