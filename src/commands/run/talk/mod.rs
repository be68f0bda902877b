mod senses;
mod show;
mod voice;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lorgnette_device::clock::{Clock, MonotonicClock};
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::AnswerOptions;
use lorgnette_runtime::live::{
    Cancel, EVENTS, Engine, Listening, ListeningOptions, Relay, Report, Reserve, Session, Tiers, Worker, talk,
};
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::mode::router::Router;
use lorgnette_runtime::model::chat_template::{Message, Role};
use lorgnette_runtime::model::media::Detail;
use tokio::sync::mpsc;

use self::senses::{Sense, keeper, senses};
use self::show::Show;
use crate::commands::threads::Threads;
use crate::commands::{backend, model};
use crate::console::{self, Live, Outcome};

/// What answers, and how.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: model::Arguments,
    /// Reason first, for so many tokens
    #[arg(long, value_name = "TOKENS")]
    think: Option<usize>,
    /// Chains of thought that share those; the answer that most of them come to is given
    #[arg(long, value_name = "N", default_value_t = 1)]
    chains: usize,
    /// Reason first where a question seems to need it; by what `lorgnette router` found out about the model, if that is
    /// named
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with = "think")]
    route: Option<Option<PathBuf>>,
    /// A smaller model that answers while the machine does not keep up
    #[arg(long, value_name = "FILE")]
    small_model: Option<PathBuf>,
    /// What that sees and hears with
    #[arg(long, value_name = "FILE", requires = "small_model")]
    small_mmproj: Option<PathBuf>,
    /// Look at pictures in tiles too: more detail, and many times the work
    #[arg(long)]
    tiles: bool,
    #[command(flatten)]
    voice: voice::Arguments,
    /// What the model is told before the talk
    #[arg(long, value_name = "TEXT")]
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
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    backend: backend::Arguments,
    #[command(flatten)]
    threads: Threads,
}

impl Arguments {
    fn small_model(&self) -> Option<model::Arguments> {
        self.small_model.clone().map(|path| model::Arguments::new(path, self.small_mmproj.clone()))
    }

    fn router(&self) -> lorgnette_runtime::Result<Router> {
        let named = self.route.as_ref().and_then(Option::as_deref);
        Ok(Router { calibration: self.model.calibration(named)?, ..Router::default() })
    }
}

struct Talk<'a> {
    arguments: &'a super::Arguments,
}

pub(super) fn run(arguments: &super::Arguments) -> Outcome {
    arguments.talk.threads.set()?;
    arguments.talk.backend.run(&Talk { arguments })
}

impl backend::Command for Talk<'_> {
    fn run_on<B: Backend + 'static>(&self, backend: B, _: &backend::Place) -> Outcome {
        let arguments = self.arguments;
        let clock: Arc<dyn Clock> = Arc::new(MonotonicClock);
        let system = arguments.talk.system.iter().map(|text| Message::text(Role::System, text)).collect();
        let talk = &arguments.talk;
        let limits = Limits::of(talk);
        let make = Make { model: talk.model.clone(), limits, clock: clock.clone(), router: talk.router()? };
        let small = talk.small_model().map(|model| Make { model, router: Router::default(), ..make.clone() });
        let small = small.map(|make| make.engine(backend.clone(), Vec::new())).transpose()?;
        let engine = make.engine(backend, system)?;
        let (cancel, session) = (engine.cancel(), session(talk, engine.cancel())?);
        let engine = Relay::new(engine, make.reserve());
        match small {
            Some(small) => {
                let tiers = Tiers::new(engine, small, cancel);
                self.talk(session.with_small_model(), tiers, clock)
            }
            None => self.talk(session, engine, clock),
        }
    }
}

impl Talk<'_> {
    fn talk(&self, session: Session, worker: impl Worker + 'static, clock: Arc<dyn Clock>) -> Outcome {
        let arguments = self.arguments;
        let live = Live::start()?;
        let (sender, events) = mpsc::channel(EVENTS);
        let ended = Arc::new(AtomicBool::new(false));
        let sense = || Sense { clock: clock.clone(), out: sender.clone(), ended: ended.clone() };
        let senses = senses(arguments, &live, &sense)?;
        let keeper = keeper(&live, arguments.seconds.map(Duration::from_secs), sense());
        let mut show = Show::new(&live, arguments.talk.trace.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let mut hear = |report: Report| show.hear(report);
        let talked = runtime.block_on(talk(session, worker, clock, sender, events, &mut hear));
        ended.store(true, Ordering::Relaxed);
        for thread in senses.into_iter().chain([keeper]) {
            thread.join().map_err(|_| "a sense broke down")?;
        }
        live.finish();
        talked?;
        show.finish()
    }
}

/// How much is said at most.
#[derive(Clone, Copy)]
struct Limits {
    context: usize,
    max_tokens: usize,
    chains: usize,
}

impl Limits {
    fn of(arguments: &Arguments) -> Self {
        let Arguments { context, max_tokens, chains, .. } = *arguments;
        Self { context, max_tokens, chains }
    }
}

/// What engines are made of.
#[derive(Clone)]
struct Make {
    model: model::Arguments,
    limits: Limits,
    clock: Arc<dyn Clock>,
    router: Router,
}

impl Make {
    fn engine<B: Backend>(&self, backend: B, history: Vec<Message>) -> lorgnette_runtime::Result<Engine<B>> {
        let model = Arc::new(self.model.load(backend)?);
        let capacity = self.limits.context.min(model.decoder().config().context);
        let Limits { max_tokens, chains, .. } = self.limits;
        let options = AnswerOptions { max_tokens, chains, ..AnswerOptions::default() };
        let engine = Engine::new(model, capacity, history, options, self.clock.clone())?;
        Ok(engine.with_router(self.router.clone()))
    }

    /// An engine on the processor, for when the device is lost.
    fn reserve(self) -> Reserve<Cpu> {
        Box::new(move |history| {
            console::warn("the device failed; from now on it is the processor that answers");
            self.engine(Cpu, history)
        })
    }
}

fn session(arguments: &Arguments, cancel: Cancel) -> Result<Session, Box<dyn std::error::Error>> {
    let end = Duration::from_millis(arguments.silence);
    let options = ListeningOptions::default();
    let options = ListeningOptions { end, pause: options.pause.min(end), ..options };
    let listening = Listening::new(options, arguments.voice.detector()?);
    let mode = match (arguments.think, &arguments.route) {
        (Some(budget), _) => Some(Mode::Thinking { budget }),
        (None, Some(_)) => None,
        (None, None) => Some(Mode::Instant),
    };
    let mut session = Session::new(listening, mode, cancel);
    session.set_detail(if arguments.tiles { Detail::Tiles } else { Detail::Overview });
    Ok(session)
}
