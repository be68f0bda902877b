use clap::ValueEnum;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
#[cfg(feature = "gpu")]
use lorgnette_runtime::backend::gpu::Gpu;

use crate::console::Outcome;

/// Where a model is computed.
#[derive(clap::Args, Clone, Copy)]
#[group(skip)]
pub(crate) struct Arguments {
    /// Where it is computed; auto is the processor for now
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    backend: Choice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Auto,
    Cpu,
    #[cfg(feature = "gpu")]
    Gpu,
}

/// What a command does, wherever that is.
pub(crate) trait Command {
    fn run_on<B: Backend + 'static>(&self, backend: B) -> Outcome;
}

impl Arguments {
    /// As it is written on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self.backend {
            Choice::Auto | Choice::Cpu => "cpu",
            #[cfg(feature = "gpu")]
            Choice::Gpu => "gpu",
        }
    }

    /// Runs `command` on the backend that was chosen.
    pub(crate) fn run(self, command: &impl Command) -> Outcome {
        match self.backend {
            Choice::Auto | Choice::Cpu => command.run_on(Cpu),
            #[cfg(feature = "gpu")]
            Choice::Gpu => command.run_on(Gpu::open()?),
        }
    }
}
