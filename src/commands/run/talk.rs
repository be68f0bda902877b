use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lorgnette_device::camera::{self, Camera, Frame};
use lorgnette_device::clock::{Clock, MonotonicClock};
use lorgnette_device::microphone::{self, Microphone};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::AnswerOptions;
use lorgnette_runtime::live::{
    EVENTS, Earshot, Engine, Event, Listening, ListeningOptions, Presence, Relay, Report, Reserve, Session,
    Trace, talk, write_perfetto,
};
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::model::chat_template::{Message, Role};
use tokio::sync::mpsc;

use super::{PATIENCE, ears, eyes};
use crate::commands::threads::Threads;
use crate::commands::{backend, model};
use crate::console::{self, Live, Outcome};

/// What answers, and how.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// The language model that answers
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// What it sees and hears with
    #[arg(long, value_name = "FILE", requires = "model")]
    mmproj: Option<PathBuf>,
    /// Reason first, for so many tokens
    #[arg(long, value_name = "TOKENS", requires = "model")]
    think: Option<usize>,
    /// What the model is told before the talk
    #[arg(long, value_name = "TEXT", requires = "model")]
    system: Option<String>,
    /// Tokens of the talk at most; the oldest turns are forgotten
    #[arg(long, value_name = "N", default_value_t = 2048)]
    context: usize,
    /// Tokens of an answer at most
    #[arg(long, value_name = "N", default_value_t = 128)]
    max_tokens: usize,
    /// Silence in milliseconds that ends a question
    #[arg(long, value_name = "MS", default_value_t = 250)]
    silence: u64,
    /// Write where the time of each turn went, for Perfetto; not what was said
    #[arg(long, value_name = "FILE", requires = "model")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    backend: backend::Arguments,
    #[command(flatten)]
    threads: Threads,
}

impl Arguments {
    pub(super) fn model(&self) -> Option<model::Arguments> {
        self.model.clone().map(|path| model::Arguments::new(path, self.mmproj.clone()))
    }
}

struct Talk<'a> {
    arguments: &'a super::Arguments,
    model: &'a model::Arguments,
}

pub(super) fn run(arguments: &super::Arguments, model: &model::Arguments) -> Outcome {
    arguments.talk.threads.set()?;
    arguments.talk.backend.run(&Talk { arguments, model })
}

impl backend::Command for Talk<'_> {
    fn run_on<B: Backend + 'static>(&self, backend: B, _: &backend::Place) -> Outcome {
        let Self { arguments, model } = *self;
        let clock: Arc<dyn Clock> = Arc::new(MonotonicClock);
        let system = arguments.talk.system.iter().map(|text| Message::text(Role::System, text)).collect();
        let make = Make { model: model.clone(), limits: Limits::of(&arguments.talk), clock: clock.clone() };
        let engine = make.engine(backend, system)?;
        let session = session(&arguments.talk, &engine);
        let engine = Relay::new(engine, make.reserve());
        let live = Live::start()?;
        let (sender, events) = mpsc::channel(EVENTS);
        let ended = Arc::new(AtomicBool::new(false));
        let sense = || Sense { clock: clock.clone(), out: sender.clone(), ended: ended.clone() };
        let senses = senses(arguments, &live, &sense)?;
        let keeper = keeper(&live, arguments.seconds.map(Duration::from_secs), sense());
        let mut traces = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let mut show = |report| show(report, &live, &mut traces);
        let talked = runtime.block_on(talk(session, engine, clock, sender, events, &mut show));
        ended.store(true, Ordering::Relaxed);
        for thread in senses.into_iter().chain([keeper]) {
            thread.join().map_err(|_| "a sense broke down")?;
        }
        live.finish();
        talked?;
        arguments.talk.trace.as_deref().map_or(Ok(()), |path| write_trace(&traces, path))
    }
}

/// How much is said at most.
#[derive(Clone, Copy)]
struct Limits {
    context: usize,
    max_tokens: usize,
}

impl Limits {
    fn of(arguments: &Arguments) -> Self {
        Self { context: arguments.context, max_tokens: arguments.max_tokens }
    }
}

/// What engines are made of.
struct Make {
    model: model::Arguments,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

impl Make {
    fn engine<B: Backend>(&self, backend: B, history: Vec<Message>) -> lorgnette_runtime::Result<Engine<B>> {
        let model = Arc::new(self.model.load(backend)?);
        let capacity = self.limits.context.min(model.decoder().config().context);
        let options = AnswerOptions { max_tokens: self.limits.max_tokens, ..AnswerOptions::default() };
        Engine::new(model, capacity, history, options, self.clock.clone())
    }

    /// An engine on the processor, for when the device is lost.
    fn reserve(self) -> Reserve<Cpu> {
        Box::new(move |history| {
            console::warn("the device failed; from now on it is the processor that answers");
            self.engine(Cpu, history)
        })
    }
}

fn session<B: Backend>(arguments: &Arguments, engine: &Engine<B>) -> Session {
    let end = Duration::from_millis(arguments.silence);
    let options = ListeningOptions::default();
    let options = ListeningOptions { end, pause: options.pause.min(end), ..options };
    let mode = arguments.think.map_or(Mode::Instant, |budget| Mode::Thinking { budget });
    Session::new(Listening::new(options, Box::new(Earshot::default())), mode, engine.cancel())
}

/// What senses work with.
struct Sense {
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<Event>,
    ended: Arc<AtomicBool>,
}

impl Sense {
    /// Sends an event, and waits while too many others do. Whether somebody wants more.
    fn send(&self, event: Event) -> bool {
        !self.ended.load(Ordering::Relaxed) && self.out.blocking_send(event).is_ok()
    }

    fn wants_more(&self) -> bool {
        !self.ended.load(Ordering::Relaxed) && !self.out.is_closed()
    }
}

/// A thread for each sense that there is. A camera alone cannot be talked to.
fn senses(
    arguments: &super::Arguments,
    live: &Live,
    sense: &dyn Fn() -> Sense,
) -> Result<Vec<JoinHandle<()>>, Box<dyn std::error::Error>> {
    let (ears, eyes) = (sense(), sense());
    let microphone = ears::open(arguments.microphone.as_deref(), ears.clock.clone())?;
    let mut threads = vec![named("ears", move || hear(microphone, &ears))?];
    let keys = sense();
    named("keys", move || read(&keys))?;
    match eyes::open(arguments.camera.as_deref(), &arguments.devices, eyes.clock.clone()) {
        Ok(camera) => threads.push(named("eyes", move || look(camera, &eyes))?),
        Err(error) => live.say(&error.to_string()),
    }
    Ok(threads)
}

/// Each line that is typed is a question. The thread cannot be woken, and is left behind at the end.
fn read(sense: &Sense) {
    for line in io::stdin().lines() {
        let Ok(line) = line else { return };
        if !line.trim().is_empty() && !sense.send(Event::Text(line)) {
            return;
        }
    }
}

fn named(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn hear(mut microphone: Box<dyn Microphone>, sense: &Sense) {
    use microphone::Event::{Chunk, Damaged, End, Lost, Muted, Reopened, Unmuted};
    while sense.wants_more() {
        let event = match microphone.next(sense.clock.now() + PATIENCE) {
            Chunk(chunk) => Event::Sound(chunk),
            Muted => Event::Mute(true),
            Unmuted => Event::Mute(false),
            Lost(_) => Event::Microphone(Presence::Lost),
            Reopened(_) => Event::Microphone(Presence::Back),
            // What a recording ends with is a question too; then there will be no other.
            Damaged(_) | End => {
                sense.send(Event::Finish);
                return;
            }
            _ => continue,
        };
        if !sense.send(event) {
            return;
        }
    }
}

fn look(mut camera: Box<dyn Camera>, sense: &Sense) {
    use camera::Event::{End, Frame as New, Lost, Reopened};
    let mut frame = Frame::default();
    while sense.wants_more() {
        let event = match camera.next(&mut frame, sense.clock.now() + PATIENCE) {
            New => Event::Frame(std::mem::take(&mut frame)),
            Lost(_) => Event::Camera(Presence::Lost),
            Reopened(_) => Event::Camera(Presence::Back),
            End => return,
            _ => continue,
        };
        if !sense.send(event) {
            return;
        }
    }
}

/// Ends the talk when somebody wants that, or its time is over.
fn keeper(live: &Live, limit: Option<Duration>, sense: Sense) -> JoinHandle<()> {
    let cancelled = live.flag();
    thread::spawn(move || {
        let start = sense.clock.now();
        while sense.wants_more() {
            let over = limit.is_some_and(|limit| sense.clock.now().since(start) >= limit);
            if over || cancelled.load(Ordering::Relaxed) {
                sense.send(Event::Shutdown);
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    })
}

/// Answers go to stdout, all else to stderr.
fn show(report: Report, live: &Live, traces: &mut Vec<Trace>) {
    let mut out = io::stdout().lock();
    // With stdout gone there is nobody left to answer; Ctrl-C still ends it.
    let mut print = |text: &str| drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    match report {
        Report::Piece(text) => print(&text),
        Report::Answered(_) => print("\n"),
        Report::Listening => live.show("listening"),
        Report::Heard => live.show(""),
        Report::Dropped => live.show(""),
        Report::Failed(error) => live.say(&error.to_string()),
        Report::Camera(presence) => live.say(&format!("camera: {}", name(presence))),
        Report::Microphone(presence) => live.say(&format!("microphone: {}", name(presence))),
        Report::Turn(trace) => traces.push(trace),
        Report::Ended => {}
    }
}

fn name(presence: Presence) -> &'static str {
    match presence {
        Presence::Lost => "lost",
        Presence::Back => "back",
    }
}

fn write_trace(traces: &[Trace], path: &Path) -> Outcome {
    let named = |error: io::Error| format!("{}: {error}", path.display());
    let mut out = BufWriter::new(File::create(path).map_err(named)?);
    write_perfetto(traces, &mut out).and_then(|()| out.flush()).map_err(named)?;
    Ok(())
}
