//! The senses, live, and a model that answers what they give.

pub(super) mod ears;
pub(super) mod eyes;
mod summary;
mod talk;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use lorgnette_device::clock::{Clock, MonotonicClock};

use self::summary::Summary;
use crate::console::{self, Live, Outcome};

/// Talk: what is asked into the microphone about what the camera sees is answered
///
/// A line that is typed is a question too. Ctrl-C ends it. Nothing of what was seen, heard or said is kept.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A device (/dev/video2), a part of a camera's name, or a recording: a picture, a folder of pictures, y4m, mjpeg
    #[arg(long, value_name = "CAMERA")]
    camera: Option<String>,
    /// A microphone's name, or a recording: wav
    #[arg(long, value_name = "MICROPHONE")]
    microphone: Option<String>,
    /// End after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// The folder of device nodes
    #[arg(long, value_name = "DIR", default_value = "/dev")]
    devices: PathBuf,
    /// Only try the senses: show the level of the microphone and the frames of the camera
    #[arg(long)]
    senses: bool,
    /// Print what was counted as one JSON document
    #[arg(long, requires = "senses")]
    json: bool,
    #[command(flatten)]
    talk: talk::Arguments,
}

/// What a sense has to say.
enum Sensed {
    Saw(eyes::Frames),
    Heard(ears::Sound),
    /// Something happened to a device.
    Event(String),
}

/// What senses work with.
struct Sense {
    clock: Arc<dyn Clock>,
    out: mpsc::SyncSender<Sensed>,
    /// Whether to end.
    ended: Arc<AtomicBool>,
}

/// How long a sense waits for its device before it looks whether to end.
const PATIENCE: Duration = Duration::from_millis(200);

/// Between two lines on the terminal.
const REFRESH: Duration = Duration::from_millis(100);

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.senses { try_senses(arguments) } else { talk::run(arguments) }
}

fn try_senses(arguments: &Arguments) -> Outcome {
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock);
    let camera = eyes::open(arguments.camera.as_deref(), &arguments.devices, clock.clone());
    let microphone = ears::open(arguments.microphone.as_deref(), clock.clone());
    let live = Live::start()?;
    let (out, sensed) = mpsc::sync_channel(64);
    let ended = Arc::new(AtomicBool::new(false));
    let sense = || Sense { clock: clock.clone(), out: out.clone(), ended: ended.clone() };
    let mut threads = Vec::new();
    if let (Err(camera), Err(microphone)) = (&camera, &microphone) {
        return Err(format!("{camera}; {microphone}").into());
    }
    match (camera, sense()) {
        (Ok(camera), sense) => threads.push(thread::spawn(move || eyes::look(camera, &sense))),
        (Err(error), _) => live.say(&error.to_string()),
    }
    match (microphone, sense()) {
        (Ok(microphone), sense) => threads.push(thread::spawn(move || ears::listen(microphone, &sense))),
        (Err(error), _) => live.say(&error.to_string()),
    }
    drop(out);
    let summary = watch(&sensed, &live, arguments.seconds.map(Duration::from_secs));
    ended.store(true, Ordering::Relaxed);
    drop(sensed);
    for thread in threads {
        thread.join().map_err(|_| "a sense broke down")?;
    }
    live.finish();
    console::print(&summary, arguments.json)
}

/// Counts what comes until all senses have ended, the time is over or somebody wants it.
fn watch(sensed: &Receiver<Sensed>, live: &Live, limit: Option<Duration>) -> Summary {
    let start = Instant::now();
    let mut summary = Summary::default();
    let mut shown = start;
    while !live.cancelled() && limit.is_none_or(|limit| start.elapsed() < limit) {
        match sensed.recv_timeout(REFRESH) {
            Ok(Sensed::Saw(frames)) => summary.camera = Some(frames),
            Ok(Sensed::Heard(sound)) => summary.microphone = Some(sound),
            Ok(Sensed::Event(text)) => live.say(&text),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if shown.elapsed() >= REFRESH {
            live.show(&summary.line());
            shown = Instant::now();
        }
    }
    summary
}
