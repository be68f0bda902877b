//! The rules of a talk: which event begins, goes on with, answers or breaks off a turn.

mod answering;
mod asking;

use std::collections::VecDeque;

use lorgnette_device::Timestamp;

use super::event::{Action, Button, Event, Presence, Report};
use super::job::{AnswerId, Cancel, Job};
use super::listening::Listening;
use super::pace::Pace;
use super::trace::Trace;
use super::view::View;
use crate::mode::Mode;
use crate::model::media::Detail;

/// A talk between events. It does no work itself and knows no time but what it is told, so that the same events give the
/// same actions.
pub struct Session {
    listening: Listening,
    view: View,
    detail: Detail,
    mode: Option<Mode>,
    cancel: Cancel,
    pace: Pace,
    /// Sound of the turn that was not handed over yet.
    held: Vec<f32>,
    /// Overruns of the microphone so far.
    overruns: u64,
    phase: Phase,
    /// The number of the last answer that was asked for.
    answers: AnswerId,
    muted: bool,
    /// Whether the talk ends after this turn.
    finishing: bool,
    trace: Trace,
    /// Answers that were broken off, and will say how far they came; until then the engine works on the first of them.
    broken_off: VecDeque<(AnswerId, Trace)>,
    actions: Vec<Action>,
}

/// How far a turn is.
enum Phase {
    /// Nobody says anything.
    Idle,
    /// The wearer speaks.
    Listening,
    /// The wearer paused, and may be through. The answer is begun, and not shown yet.
    Ahead(Vec<Report>),
    /// The answer is shown as it comes.
    Answering,
}

impl Session {
    /// A talk that nobody has begun; answers that are not wanted are broken off by `cancel`. Without a mode each
    /// question is routed, see [`crate::mode::router`].
    pub fn new(listening: Listening, mode: impl Into<Option<Mode>>, cancel: Cancel) -> Self {
        Self {
            listening,
            view: View::new(),
            detail: Detail::Overview,
            mode: mode.into(),
            cancel,
            pace: Pace::new(),
            held: Vec::new(),
            overruns: 0,
            phase: Phase::Idle,
            answers: 0,
            muted: false,
            finishing: false,
            trace: Trace::default(),
            broken_off: VecDeque::new(),
            actions: Vec::new(),
        }
    }

    /// How hard later questions are thought about; without a mode that is up to the router.
    pub fn set_mode(&mut self, mode: impl Into<Option<Mode>>) {
        self.mode = mode.into();
    }

    /// How closely later pictures are looked at, while the engine keeps up.
    pub fn set_detail(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// The engine has a smaller model for when it does not keep up, as [`Tiers`](super::Tiers) have.
    #[must_use]
    pub fn with_small_model(mut self) -> Self {
        self.pace.allow_small_model();
        self
    }

    /// What is to be done after `event`, which came at `now`, in this order.
    pub fn on(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        match event {
            Event::Frame(mut frame) => {
                if let Err(error) = self.view.push(&mut frame) {
                    self.tell(Report::Failed(error));
                }
            }
            Event::Camera(presence) => {
                if presence == Presence::Lost {
                    self.view.clear();
                }
                self.tell(Report::Camera(presence));
            }
            Event::Sound(chunk) if !self.muted => self.hear(&chunk, now),
            Event::Sound(_) => {}
            Event::Microphone(presence) => self.microphone(presence, now),
            Event::Button(Button::Down) if !self.muted => {
                let heard = self.listening.begin();
                self.listen(heard, now);
            }
            Event::Button(_) => {
                let heard = self.listening.end();
                self.listen(heard, now);
            }
            Event::Text(text) => self.read(text, now),
            Event::Mute(muted) => self.mute(muted),
            Event::Mode(mode) => self.set_mode(mode),
            Event::Power(reading) => self.pace.power(&reading),
            Event::Engine(done) => self.worked(done, now),
            Event::Cancel => self.break_off(),
            Event::Finish => {
                let heard = self.listening.end();
                self.listen(heard, now);
                self.finishing = true;
                self.end_if_finished();
            }
            Event::Shutdown => {
                self.break_off();
                self.tell(Report::Ended);
            }
        }
        std::mem::take(&mut self.actions)
    }

    fn mute(&mut self, muted: bool) {
        self.muted = muted;
        if muted {
            self.break_off();
        }
    }

    fn microphone(&mut self, presence: Presence, now: Timestamp) {
        // What was said so far is a question all the same.
        if presence == Presence::Lost {
            let heard = self.listening.end();
            self.listen(heard, now);
            self.listening.reset();
        }
        self.tell(Report::Microphone(presence));
    }

    /// Ends whatever is going on.
    fn break_off(&mut self) {
        self.listening.reset();
        self.interrupt();
        self.phase = Phase::Idle;
        self.end_if_finished();
    }

    /// An answer that is shown ends here, with what was said so far; a question that is not through never was.
    fn interrupt(&mut self) {
        self.cancel.cancel(self.answers);
        self.held.clear();
        match self.phase {
            Phase::Idle => {}
            Phase::Answering => {
                let trace = self.take_trace();
                self.broken_off.push_back((self.answers, trace));
            }
            Phase::Listening | Phase::Ahead(_) => {
                self.order(Job::Drop);
                self.tell(Report::Dropped);
                let trace = self.take_trace();
                self.tell(Report::Turn(trace));
            }
        }
    }

    fn take_trace(&mut self) -> Trace {
        let turn = self.trace.turn;
        std::mem::replace(&mut self.trace, Trace { turn, ..Trace::default() })
    }

    fn order(&mut self, job: Job) {
        self.actions.push(Action::Do(job));
    }

    fn tell(&mut self, report: Report) {
        self.actions.push(Action::Tell(report));
    }
}
