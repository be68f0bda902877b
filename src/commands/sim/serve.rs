use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lorgnette_device::clock::{Clock, MonotonicClock};
use lorgnette_sim::brain::Brain;
use lorgnette_sim::desk::Desk;
use lorgnette_sim::glasses::{Glasses, Options};
use lorgnette_sim::input::Input;
use lorgnette_sim::live::{Simulator, Stopwatch};
use lorgnette_sim::record::Session;
use lorgnette_sim::scenario::Scenario;
use lorgnette_sim::server::Server;
use lorgnette_sim::{Error, ErrorKind};

use super::Arguments;
use super::machine::This;
use crate::console::{self, Live, Outcome};
use crate::places;

/// Between two looks at whether Ctrl-C was pressed.
const LOOK: Duration = Duration::from_millis(50);

/// Serves a simulator until Ctrl-C.
pub(super) fn run(
    arguments: &Arguments,
    think: impl FnOnce(Arc<dyn Clock>) -> lorgnette_sim::Result<Brain>,
) -> Outcome {
    let scenario = arguments.scenario.first().map(|path| Scenario::open(path)).transpose()?;
    let sessions = arguments.sessions.clone().unwrap_or_else(|| places::data().join("sessions"));
    let options = Options { panel: arguments.panel.into(), ..Options::default() };
    let glasses = Glasses::new(options, Arc::new(Stopwatch::default()));
    let brain = think(glasses.clock())?;
    let scenes = arguments.scenes()?;
    let first = arguments.scene.clone().or_else(|| Some(scenes.iter().next()?.name.clone()));
    let machine = This {
        camera: arguments.camera.clone(),
        microphone: arguments.microphone.clone(),
        clock: Arc::new(MonotonicClock),
    };
    let recorded = sessions.clone();
    let desk = Desk::new(glasses, scenes)
        .with_machine(Box::new(machine))
        .with_cloud(arguments.cloud()?)
        .with_sessions(Box::new(move |name| open(&recorded, name)));
    let (simulator, threads) = Simulator::start(desk, brain, sessions)?;
    if let Some(scene) = first {
        simulator.input(&Input::Show(scene), None)?;
    }
    let live = Live::start()?;
    let ended = live.flag();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let page = arguments.page.clone();
    let served = runtime.block_on(async {
        let server = Server::bind(arguments.listen, Arc::clone(&simulator), page).await?;
        say(&server.address());
        let player = scenario.map(|scenario| play(scenario, Arc::clone(&simulator), Arc::clone(&ended)));
        let served = server.serve(cancelled(Arc::clone(&ended))).await;
        drop(player);
        served
    });
    simulator.stop();
    runtime.shutdown_background();
    threads.join();
    live.finish();
    served?;
    Ok(())
}

/// The session of that name in `folder`: a name, and not a path.
fn open(folder: &std::path::Path, name: &str) -> lorgnette_sim::Result<Session> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !plain {
        return Err(Error::new(ErrorKind::NotFound, "session", format!("found {name:?}, expected a name")));
    }
    Session::open(&folder.join(name))
}

fn say(address: &str) {
    let mut out = std::io::stdout().lock();
    // With stdout gone the page is there all the same.
    drop(writeln!(out, "The simulator is at {address}").and_then(|()| out.flush()));
}

async fn cancelled(ended: Arc<AtomicBool>) {
    while !ended.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Does the steps of a scenario at their times, on a thread of its own.
fn play(scenario: Scenario, simulator: Arc<Simulator>, ended: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let start = simulator.now();
        for step in scenario.steps {
            let due = start + Duration::from_secs_f64(step.at);
            while simulator.now() < due && !ended.load(Ordering::Relaxed) {
                thread::sleep(LOOK.min(due.since(simulator.now())));
            }
            if ended.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = simulator.input(&step.input, None) {
                console::warn(&format!("step at {}: {error}", step.at));
            }
        }
    })
}
