//! Simulated glasses: with a page, or headless by a scenario.

mod brain;
#[cfg(feature = "cloud")]
mod cloud;
mod headless;
mod machine;
mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use lorgnette_runtime::backend::Backend;
use lorgnette_sim::cloud::Cloud;
use lorgnette_sim::glasses::panel::Panel;
use lorgnette_sim::source::Scenes;

use crate::commands::threads::Threads;
use crate::commands::{backend, model};
use crate::console::Outcome;

/// Glasses on a desk: a page on which a model sees, hears and answers, or a scenario without a page
///
/// A scenario that has its answers in it is played with those, unless a model is named. Ctrl-C ends it. Nothing is kept
/// unless the page records it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the page is; on other addresses than this machine's own, only for those who have the token that is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4600")]
    listen: SocketAddr,
    /// Do what a scenario says; several may be given with --headless
    #[arg(long, value_name = "FILE")]
    scenario: Vec<PathBuf>,
    /// Play scenarios in simulated time, without a page, and fail if something else comes of them than they expect
    #[arg(long, requires = "scenario")]
    headless: bool,
    /// Write reports (JUnit, JSON), traces (for Perfetto) and displays (PNG) of scenarios into this folder
    #[arg(long, value_name = "DIR", requires = "headless")]
    out: Option<PathBuf>,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N", requires = "headless")]
    seed: Option<u64>,
    /// Print the reports of scenarios as one JSON document
    #[arg(long, requires = "headless")]
    json: bool,
    /// A folder of scenes with a scenes.json [default: those in the program]
    #[arg(long, value_name = "DIR")]
    scenes: Option<PathBuf>,
    /// The scene to begin with
    #[arg(long, value_name = "NAME", conflicts_with = "headless")]
    scene: Option<String>,
    /// The display
    #[arg(long, value_enum, default_value_t, conflicts_with = "headless")]
    panel: PanelName,
    /// This machine's camera, for those who want to sit before it: a device, or a part of its name
    #[arg(long, value_name = "CAMERA", conflicts_with = "headless")]
    camera: Option<String>,
    /// This machine's microphone: a part of its name
    #[arg(long, value_name = "MICROPHONE", conflicts_with = "headless")]
    microphone: Option<String>,
    /// Where sessions are recorded [default: lorgnette/sessions in ~/.local/share]
    #[arg(long, value_name = "DIR", conflicts_with = "headless")]
    sessions: Option<PathBuf>,
    /// Serve the page from this folder, to work on it
    #[arg(long, value_name = "DIR", conflicts_with = "headless", hide = true)]
    page: Option<PathBuf>,
    #[command(flatten)]
    model: model::Arguments,
    /// Answer without a model, with what was seen and heard
    #[arg(long, conflicts_with = "model")]
    no_model: bool,
    /// What the model is told before the talk
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// Tokens of the talk at most; the oldest turns are forgotten
    #[arg(long, value_name = "N", default_value_t = 2048)]
    context: usize,
    /// Tokens of an answer at most
    #[arg(long, value_name = "N", default_value_t = 128)]
    max_tokens: usize,
    #[cfg(feature = "cloud")]
    #[command(flatten)]
    cloud: cloud::Arguments,
    #[command(flatten)]
    backend: backend::Arguments,
    #[command(flatten)]
    threads: Threads,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum PanelName {
    #[default]
    EvenG1,
    Halo,
    VuzixZ100,
}

impl From<PanelName> for Panel {
    fn from(name: PanelName) -> Self {
        match name {
            PanelName::EvenG1 => Self::EvenG1,
            PanelName::Halo => Self::Halo,
            PanelName::VuzixZ100 => Self::VuzixZ100,
        }
    }
}

struct Simulate<'a>(&'a Arguments);

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    if arguments.model.language().is_there() && !arguments.no_model {
        arguments.backend.run(&Simulate(arguments))
    } else if arguments.headless {
        headless::run(arguments, &mut |scenario, clock| Ok(brain::script(scenario, clock)))
    } else {
        serve::run(arguments, brain::silent)
    }
}

impl backend::Command for Simulate<'_> {
    const ANSWERS: bool = true;

    fn run_on<B: Backend + 'static>(&self, backend: B, place: &backend::Place) -> Outcome {
        let maker = brain::Maker::load(self.0, backend, place)?;
        if self.0.headless {
            let named = self.0.model.language().path().is_some();
            headless::run(self.0, &mut |scenario, clock| match scenario.script.is_empty() || named {
                true => maker.brain(clock),
                false => Ok(brain::script(scenario, clock)),
            })
        } else {
            serve::run(self.0, |clock| maker.brain(clock))
        }
    }
}

impl Arguments {
    fn scenes(&self) -> lorgnette_sim::Result<Scenes> {
        self.scenes.as_deref().map_or_else(Scenes::bundled, Scenes::open)
    }

    /// Who is asked in the mode `contemplating`.
    #[cfg(feature = "cloud")]
    fn cloud(&self) -> Result<Cloud, Box<dyn std::error::Error>> {
        if self.headless { self.cloud.open_named() } else { self.cloud.open() }
    }

    /// Nobody is asked.
    #[cfg(not(feature = "cloud"))]
    fn cloud(&self) -> Result<Cloud, Box<dyn std::error::Error>> {
        Ok(Cloud::default())
    }
}
