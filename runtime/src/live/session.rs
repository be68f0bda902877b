//! The rules of a talk: which event begins, goes on with, answers or breaks off a turn.

use lorgnette_device::Timestamp;

use super::engine::{AnswerId, Cancel, Done, Job};
use super::event::{Action, Button, Event, Presence, Report};
use super::listening::{Heard, Listening};
use super::trace::{Span, Stage, Trace};
use super::view::View;
use crate::mode::Mode;

/// A talk between events. It does no work itself and knows no time but what it is told, so that the same events give the
/// same actions.
pub struct Session {
    listening: Listening,
    view: View,
    mode: Mode,
    cancel: Cancel,
    phase: Phase,
    /// The number of the last answer that was asked for.
    answers: AnswerId,
    muted: bool,
    /// Whether the talk ends after this turn.
    finishing: bool,
    trace: Trace,
    /// An answer that was broken off, and will say how far it came; until then the engine works on it.
    broken_off: Option<(AnswerId, Trace)>,
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
    /// A talk that nobody has begun; answers that are not wanted are broken off by `cancel`.
    pub fn new(listening: Listening, mode: Mode, cancel: Cancel) -> Self {
        Self {
            listening,
            view: View::new(),
            mode,
            cancel,
            phase: Phase::Idle,
            answers: 0,
            muted: false,
            finishing: false,
            trace: Trace::default(),
            broken_off: None,
            actions: Vec::new(),
        }
    }

    /// How hard later questions are thought about.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
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
            Event::Sound(chunk) if !self.muted => {
                let heard = self.listening.push(&*chunk.samples);
                self.listen(heard, now);
            }
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

    fn listen(&mut self, heard: Vec<Heard>, now: Timestamp) {
        for heard in heard {
            match heard {
                Heard::Started => self.start(now),
                Heard::Speech(samples) => {
                    self.trace.spans.push(Span::new(Stage::Voice, now, now, samples.len()));
                    self.order(Job::Hear(samples));
                }
                Heard::Paused => {
                    self.trace.question_end = Some(now);
                    self.ask();
                    self.phase = Phase::Ahead(Vec::new());
                }
                Heard::Resumed => {
                    self.cancel.cancel(self.answers);
                    self.trace.question_end = None;
                    self.phase = Phase::Listening;
                }
                Heard::Ended => self.end_of_question(now),
            }
        }
    }

    /// A turn begins, on whatever was going on.
    fn start(&mut self, now: Timestamp) {
        self.interrupt();
        self.trace.turn += 1;
        let image = match self.view.look(now) {
            Ok((image, spans)) => {
                self.trace.spans.extend(spans);
                image
            }
            Err(error) => {
                self.tell(Report::Failed(error));
                None
            }
        };
        self.order(Job::Begin(image));
        self.tell(Report::Listening);
        self.phase = Phase::Listening;
    }

    fn ask(&mut self) {
        self.answers += 1;
        self.order(Job::Answer(self.answers, self.mode));
    }

    /// Nothing more comes of the question: the answer counts.
    fn end_of_question(&mut self, now: Timestamp) {
        let ahead = match std::mem::replace(&mut self.phase, Phase::Answering) {
            Phase::Ahead(reports) => reports,
            _ => {
                self.trace.question_end = Some(now);
                self.ask();
                Vec::new()
            }
        };
        self.order(Job::Keep);
        self.tell(Report::Heard);
        ahead.into_iter().for_each(|report| self.show(report, now));
    }

    fn read(&mut self, text: String, now: Timestamp) {
        self.listening.reset();
        self.start(now);
        self.order(Job::Read(text));
        self.end_of_question(now);
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
    }

    /// An answer that is shown ends here, with what was said so far; a question that is not through never was.
    fn interrupt(&mut self) {
        self.cancel.cancel(self.answers);
        match self.phase {
            Phase::Idle => {}
            Phase::Answering => self.broken_off = Some((self.answers, self.take_trace())),
            Phase::Listening | Phase::Ahead(_) => {
                self.order(Job::Drop);
                self.tell(Report::Dropped);
                let trace = self.take_trace();
                self.tell(Report::Turn(trace));
            }
        }
    }

    fn worked(&mut self, done: Done, now: Timestamp) {
        match done {
            Done::Worked(span) => {
                let broken_off = self.broken_off.as_mut().map(|(_, trace)| trace);
                broken_off.unwrap_or(&mut self.trace).spans.push(span);
            }
            Done::Piece(id, text) => self.answer_report(id, Report::Piece(text), now),
            Done::Answered(id, answered) => self.answer_report(id, Report::Answered(Box::new(answered)), now),
            Done::All => {}
            Done::Failed(None, error) => self.tell(Report::Failed(error)),
            Done::Failed(Some(id), error) => self.answer_report(id, Report::Failed(error), now),
        }
    }

    /// News of an answer: shown, kept until it is sure that the answer is wanted, or too late.
    fn answer_report(&mut self, id: AnswerId, report: Report, now: Timestamp) {
        let is_last = !matches!(report, Report::Piece(_));
        if let Some((_, trace)) = self.broken_off.take_if(|(broken_off, _)| *broken_off == id && is_last) {
            self.tell(report);
            return self.tell(Report::Turn(trace));
        }
        if id != self.answers {
            return;
        }
        match &mut self.phase {
            Phase::Ahead(reports) => {
                if matches!(report, Report::Piece(_)) {
                    self.trace.first_piece.get_or_insert(now);
                }
                reports.push(report);
            }
            Phase::Answering => self.show(report, now),
            Phase::Idle | Phase::Listening => {}
        }
    }

    fn show(&mut self, report: Report, now: Timestamp) {
        match &report {
            Report::Piece(_) => drop(self.trace.first_piece.get_or_insert(now)),
            Report::Answered(_) | Report::Failed(_) => self.phase = Phase::Idle,
            _ => {}
        }
        self.tell(report);
        if matches!(self.phase, Phase::Idle) {
            let trace = self.take_trace();
            self.tell(Report::Turn(trace));
            self.end_if_finished();
        }
    }

    fn end_if_finished(&mut self) {
        if self.finishing && matches!(self.phase, Phase::Idle) {
            self.tell(Report::Ended);
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
