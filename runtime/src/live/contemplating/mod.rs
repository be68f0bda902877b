//! Contemplating in a talk: agents think about a question while the device drafts an answer of its own.

mod asking;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lorgnette_device::clock::Clock;
use tokio::runtime::{Builder, Runtime};

use self::asking::Asking;
use super::job::{AnswerId, Answered, Cancel, Done, Job};
use super::trace::{Span, Stage};
use super::worker::Worker;
use crate::conversation::{Answer, Finish};
use crate::mode::Mode;
use crate::mode::contemplating::{Asked, Contemplator, Outcome, Portable, Source, Why};
use crate::model::chat_template::{Message, Part, Role};
use crate::model::media::Image;
use crate::{Error, Result};

/// A worker that asks agents where that is the [`Mode`]. Everything else another worker does, the device: it drafts, puts
/// pictures and sounds into words where those must not leave or cannot, and answers where agents do not.
///
/// Nothing is sent before it is sure that the wearer is through: what [`Job::Answer`] begins is asked with [`Job::Keep`].
pub struct Contemplating<W: Worker> {
    device: Arc<Mutex<W>>,
    cancel: Cancel,
    contemplator: Option<Arc<Contemplator>>,
    clock: Arc<dyn Clock>,
    /// Where requests are under way. Connections outlive questions.
    runtime: Option<Runtime>,
    turn: Turn,
}

/// The turn, as far as it goes.
#[derive(Default)]
struct Turn {
    image: Option<Image>,
    text: Option<String>,
    /// An answer that waits until it is sure that it is wanted.
    begun: Option<AnswerId>,
}

impl<W: Worker + 'static> Contemplating<W> {
    /// `cancel` is the switch of `device`. Without a contemplator there is nobody to ask, and each answer says so.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when there is no thread to be had.
    pub fn new(
        device: W,
        cancel: Cancel,
        contemplator: Option<Arc<Contemplator>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let runtime =
            || Builder::new_multi_thread().worker_threads(1).thread_name("agents").enable_all().build();
        let runtime = contemplator.as_ref().map(|_| runtime()).transpose();
        let runtime = runtime.map_err(|error| Error::io("start a thread", error))?;
        let device = Arc::new(Mutex::new(device));
        Ok(Self { device, cancel, contemplator, clock, runtime, turn: Turn::default() })
    }

    fn refusal(&self) -> Option<Why> {
        match &self.contemplator {
            Some(contemplator) => contemplator.refusal(&self.turn.asked()),
            None => Some(Why::NoEndpoint),
        }
    }

    /// The device answers, and why is said.
    fn answer_alone(&self, id: AnswerId, why: Why, on: &mut dyn FnMut(Done)) {
        let note = Source::Device { why }.note();
        let job = Job::Answer(id, Some(Mode::Contemplating));
        lock(&self.device).run(job, &mut |done| match done {
            Done::Answered(id, answered) => tell_answer(id, answered, note.clone(), on),
            done => on(done),
        });
    }

    fn contemplate(&self, id: AnswerId, on: &mut dyn FnMut(Done)) {
        let (Some(contemplator), Some(runtime)) = (self.contemplator.clone(), &self.runtime) else { return };
        let asked = self.asked(&contemplator, id, on);
        let question = self.turn.question(&asked.words);
        let start = self.clock.now();
        let asking = Asking::start(runtime, contemplator, asked, id, Arc::clone(&self.device));
        let (mut shown, mut drafted) = (String::new(), None);
        let outcome = asking.wait(&self.cancel, &mut |done| match done {
            Done::Piece(id, text) => {
                shown += &text;
                on(Done::Piece(id, text));
            }
            Done::Answered(_, answered) => drafted = Some(answered),
            done => on(done),
        });
        drop(asking);
        // Who has an answer needs no draft.
        self.cancel.cancel(id);
        let requests = if let Some(Ok(outcome)) = &outcome { outcome.spending.requests as usize } else { 0 };
        on(Done::Worked(Span::new(Stage::Contemplate, start, self.clock.now(), requests)));
        match outcome {
            // Where agents broke off, the draft stands behind what they said.
            Some(Ok(outcome)) => self.answer(id, question, Outcome { text: shown, ..outcome }, drafted, on),
            Some(Err(error)) => {
                on(Done::Failed(Some(id), error));
                lock(&self.device).run(Job::Drop, on);
            }
            None => {
                on(Done::Answered(id, elsewhere(shown.clone(), Finish::Cancelled)));
                self.remember(question, shown, on);
            }
        }
    }

    /// What is asked, with the device's words for what cannot leave as it is.
    fn asked(&self, contemplator: &Contemplator, id: AnswerId, on: &mut dyn FnMut(Done)) -> Asked {
        let mut asked = self.turn.asked();
        for telling in contemplator.tellings(&asked) {
            lock(&self.device).run(Job::Tell(id, telling), &mut |done| match done {
                Done::Told(_, words) => asked.take(telling, words),
                Done::Failed(_, error) => on(Done::Failed(None, error)),
                done => on(done),
            });
        }
        asked
    }

    /// Tells the answer, which is part of the conversation from now on.
    fn answer(
        &self,
        id: AnswerId,
        question: Message,
        outcome: Outcome,
        drafted: Option<Answered>,
        on: &mut dyn FnMut(Done),
    ) {
        let note = outcome.source.note();
        match (outcome.source, drafted) {
            (Source::Device { .. }, Some(mut drafted)) => {
                drafted.answer.text = outcome.text;
                tell_answer(id, drafted, note, on);
                lock(&self.device).run(Job::Keep, on);
            }
            _ => {
                tell_answer(id, elsewhere(outcome.text.clone(), Finish::End), note, on);
                self.remember(question, outcome.text, on);
            }
        }
    }

    /// The device goes on as if it had said that. What that takes is part of no turn.
    fn remember(&self, question: Message, said: String, on: &mut dyn FnMut(Done)) {
        let mut device = lock(&self.device);
        let on = &mut |done: Done| {
            if let Done::Failed(..) = done {
                on(done);
            }
        };
        device.run(Job::Drop, on);
        if !said.is_empty() {
            let turn = [question, Message::text(Role::Assistant, said)];
            let history = device.history().iter().cloned().chain(turn).collect();
            device.resume(history, on);
        }
    }

    /// The device does that.
    fn pass(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        match &job {
            Job::Begin(image) => self.turn = Turn { image: image.clone(), ..Turn::default() },
            Job::Read(text) => self.turn.text = Some(text.clone()),
            Job::Answer(..) | Job::Drop => self.turn.begun = None,
            _ => {}
        }
        lock(&self.device).run(job, on);
    }
}

impl<W: Worker + 'static> Worker for Contemplating<W> {
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        match (job, self.turn.begun) {
            (Job::Answer(id, Some(Mode::Contemplating)), _) => {
                let refusal = self.refusal();
                self.turn.begun = refusal.is_none().then_some(id);
                if let Some(why) = refusal {
                    self.answer_alone(id, why, on);
                }
            }
            (Job::Keep, Some(id)) => {
                self.turn.begun = None;
                self.contemplate(id, on);
            }
            (job, _) => self.pass(job, on),
        }
    }
}

impl<W: Worker> Drop for Contemplating<W> {
    fn drop(&mut self) {
        // Looking up a name, which may still go on, holds up nobody.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Turn {
    fn asked(&self) -> Asked {
        let pictures = self.image.iter().map(|image| Arc::new(Portable::new(image.picture().clone())));
        Asked {
            words: self.text.clone().unwrap_or_default(),
            spoken: self.text.is_none(),
            pictures: pictures.collect(),
            description: None,
        }
    }

    fn question(&self, words: &str) -> Message {
        let image = self.image.clone().map(Part::Image);
        Message::parts(Role::User, image.into_iter().chain([Part::Text(words.to_owned())]).collect())
    }
}

/// Ends an answer, with a note for the wearer if there is one.
fn tell_answer(id: AnswerId, mut answered: Answered, note: Option<String>, on: &mut dyn FnMut(Done)) {
    answered.mode = Mode::Contemplating;
    if let Some(note) = note.filter(|_| answered.answer.finish != Finish::Cancelled) {
        let said = format!("\n({note})");
        answered.answer.text += &said;
        on(Done::Piece(id, said));
    }
    on(Done::Answered(id, answered));
}

/// An answer that took nothing of the device.
fn elsewhere(text: String, finish: Finish) -> Answered {
    let answer = Answer {
        text,
        finish,
        prompt_tokens: 0,
        prefilled_tokens: 0,
        prefilled_image_tokens: 0,
        prefilled_audio_tokens: 0,
        vision_passes: 0,
        audio_passes: 0,
        tokens: Vec::new(),
        forgotten_messages: 0,
        forgotten_tokens: 0,
    };
    Answered { mode: Mode::Contemplating, answer, reasoning: String::new() }
}

fn lock<W>(device: &Mutex<W>) -> MutexGuard<'_, W> {
    device.lock().unwrap_or_else(PoisonError::into_inner)
}
