//! The work of a turn: what is seen and heard is encoded and prefilled as it comes, and answered.

use std::ops::ControlFlow;
use std::sync::Arc;

use lorgnette_device::Timestamp;
use lorgnette_device::clock::Clock;

use super::job::{AnswerId, Answered, Cancel, Done, Job};
use super::trace::{Span, Stage};
use crate::Result;
use crate::backend::Backend;
use crate::conversation::{Answer, AnswerOptions, Conversation, Event, LanguageModel, Recording, WhenFull};
#[cfg(feature = "cloud")]
use crate::mode::contemplating::Telling;
use crate::mode::router::Router;
use crate::mode::{Mode, thinking};
use crate::model::chat_template::{Message, Part, Role};
use crate::model::media::Image;

/// A conversation that is spoken. Works off one [`Job`] after the other.
pub struct Engine<B: Backend> {
    conversation: Conversation<B>,
    recording: Option<Recording<B>>,
    options: AnswerOptions,
    router: Router,
    clock: Arc<dyn Clock>,
    cancel: Cancel,
    /// Turns that are over.
    history: Vec<Message>,
    /// What the turn begun is about.
    image: Option<Image>,
    text: Option<String>,
    /// The turn as it was answered last, and the answer.
    last: Option<(Message, String)>,
}

impl<B: Backend> Engine<B> {
    /// An engine with room for `capacity` tokens, whose conversation begins with `history`: what the system says, and
    /// turns from before. Those are prefilled. The model keeps no more rows of pictures and sounds than there is room for
    /// tokens: what a talk has forgotten it does not show again.
    ///
    /// # Errors
    /// As [`Conversation::new`] and [`Conversation::prepare`].
    pub fn new(
        model: Arc<LanguageModel<B>>,
        capacity: usize,
        history: Vec<Message>,
        options: AnswerOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        // A model without ears is typed to.
        let recording = model.audio().is_some().then(|| Recording::new(Arc::clone(&model))).transpose()?;
        // A talk has no natural end.
        let options = AnswerOptions { when_full: WhenFull::Slide, ..options };
        model.keep_rows(capacity);
        let mut engine = Self {
            conversation: Conversation::new(model, capacity)?,
            recording,
            options,
            router: Router::default(),
            clock,
            cancel: Cancel::default(),
            history,
            image: None,
            text: None,
            last: None,
        };
        engine.prepare(&mut |_| {})?;
        Ok(engine)
    }

    /// The same engine with another router for questions without a mode.
    #[must_use]
    pub fn with_router(self, router: Router) -> Self {
        Self { router, ..self }
    }

    /// The switch that breaks answers off, from any thread.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The same switch as another engine has.
    pub(super) fn share_cancel(&mut self, cancel: Cancel) {
        self.cancel = cancel;
    }

    /// Turns that are over, and what was there at the start; not those that there was no room for any more.
    pub fn history(&self) -> &[Message] {
        &self.history
    }

    /// Goes on from `history`, as if it had been a talk with this engine.
    pub(super) fn resume(&mut self, history: Vec<Message>, on: &mut dyn FnMut(Done)) {
        self.history = history;
        self.forget_turn();
        if let Err(error) = self.prepare(on) {
            on(Done::Failed(None, error));
        }
    }

    /// Does `job`. What fails is told; the next job finds the engine as before this one.
    pub fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        let (id, samples) = (job.answer(), job.samples());
        if let Err(error) = self.work(job, on) {
            on(Done::Failed(id, error));
        }
        if samples > 0 {
            on(Done::Heard(samples));
        }
    }

    fn work(&mut self, job: Job, on: &mut dyn FnMut(Done)) -> Result<()> {
        match job {
            Job::Begin(image) => {
                self.forget_turn();
                self.image = image;
                self.prepare(on)
            }
            Job::Hear(samples) => self.hear(&samples, on),
            Job::Read(text) => {
                self.text = Some(text);
                Ok(())
            }
            Job::Answer(id, mode) => self.answer(id, mode, on),
            #[cfg(feature = "cloud")]
            Job::Tell(id, telling) => self.tell(id, telling, on),
            Job::Keep => {
                if let Some((question, text)) = self.last.take() {
                    self.history.extend([question, Message::text(Role::Assistant, text)]);
                }
                self.forget_turn();
                Ok(())
            }
            Job::Drop => {
                self.forget_turn();
                Ok(())
            }
            Job::Effort(_) => Ok(()),
        }
    }

    fn forget_turn(&mut self) {
        (self.image, self.text, self.last) = (None, None, None);
        if let Some(recording) = &mut self.recording {
            recording.reset();
        }
    }

    fn hear(&mut self, samples: &[f32], on: &mut dyn FnMut(Done)) -> Result<()> {
        let Some(recording) = &mut self.recording else { return Ok(()) };
        let start = self.clock.now();
        let blocks = recording.push(samples)?;
        if blocks > 0 {
            on(Done::Worked(Span::new(Stage::Hear, start, self.clock.now(), blocks)));
            self.prepare(on)?;
        }
        Ok(())
    }

    /// Computes what is certain of the next prompt.
    fn prepare(&mut self, on: &mut dyn FnMut(Done)) -> Result<()> {
        let sound = self.recording.as_ref().and_then(Recording::complete);
        let messages = self.messages(sound.map(Part::Audio));
        let start = self.clock.now();
        let answer =
            self.conversation.prepare(&messages, &self.options, &mut |_| ControlFlow::Continue(()))?;
        self.tell_work(&answer, start, self.clock.now(), on);
        Ok(())
    }

    fn answer(&mut self, id: AnswerId, mode: Option<Mode>, on: &mut dyn FnMut(Done)) -> Result<()> {
        self.last = None;
        let start = self.clock.now();
        let passes = |recording: &Option<Recording<B>>| recording.as_ref().map_or(0, Recording::passes);
        let before = passes(&self.recording);
        let sound = self.recording.as_mut().map(Recording::sound).transpose()?.flatten();
        let heard = passes(&self.recording) - before;
        if heard > 0 {
            on(Done::Worked(Span::new(Stage::Hear, start, self.clock.now(), heard)));
        }
        let messages = self.messages(sound.map(Part::Audio));
        let start = self.clock.now();
        let mode = match mode {
            Some(mode) => mode,
            None => self.route(id, &messages, on)?,
        };
        let mut first = None;
        let mut listener = |event: Event<'_>| {
            match event {
                Event::Piece(text) => on(Done::Piece(id, text.to_owned())),
                Event::Prefilled { done, total } if done == total => {
                    first.get_or_insert_with(|| self.clock.now());
                }
                Event::Prefilled { .. } | Event::Encoded { .. } | Event::Computing | Event::Thought(_) => {}
            }
            if self.cancel.is_cancelled(id) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let thought =
            thinking::answer(&mut self.conversation, &messages, &self.options, mode, &mut listener)?;
        let end = self.clock.now();
        let prefilled = first.unwrap_or(end);
        self.tell_work(&thought.answer, start, prefilled, on);
        on(Done::Worked(Span::new(Stage::Decode, prefilled, end, thought.answer.answer_tokens())));
        self.last = messages.into_iter().next_back().map(|question| (question, thought.answer.text.clone()));
        self.let_go(thought.answer.forgotten_messages);
        on(Done::Answered(id, Answered { mode, answer: thought.answer, reasoning: thought.reasoning }));
        Ok(())
    }

    fn route(&mut self, id: AnswerId, messages: &[Message], on: &mut dyn FnMut(Done)) -> Result<Mode> {
        let cancel = &self.cancel;
        let start = self.clock.now();
        let (answer, routed) =
            self.router.route(&mut self.conversation, messages, &self.options, &mut |_| {
                if cancel.is_cancelled(id) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        self.tell_work(&answer, start, self.clock.now(), on);
        // What was broken off is not answered anyway.
        let Some(routed) = routed else { return Ok(Mode::Instant) };
        on(Done::Routed(id, routed.clone()));
        Ok(routed.mode)
    }

    /// Puts what came with the turn into words.
    #[cfg(feature = "cloud")]
    fn tell(&mut self, id: AnswerId, telling: Telling, on: &mut dyn FnMut(Done)) -> Result<()> {
        let sound = self.recording.as_mut().map(Recording::sound).transpose()?.flatten();
        let Some(question) = self.question(sound.map(Part::Audio)) else { return Ok(()) };
        let (cancel, start) = (&self.cancel, self.clock.now());
        let (before, conversation) = (&self.history, &mut self.conversation);
        let answer = telling.tell(before, &question, conversation, &self.options, &mut |_| {
            if cancel.is_cancelled(id) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if let Some(answer) = answer {
            self.tell_work(&answer, start, self.clock.now(), on);
            on(Done::Told(id, answer.text));
        }
        Ok(())
    }

    /// Turns that there was no room for are not kept either.
    fn let_go(&mut self, messages: usize) {
        let system = self.history.iter().take_while(|message| message.role == Role::System).count();
        let end = self.history.len().min(system + messages);
        self.history.drain(system..end);
        self.conversation.let_go();
    }

    fn tell_work(&self, answer: &Answer, start: Timestamp, end: Timestamp, on: &mut dyn FnMut(Done)) {
        for (stage, count) in [(Stage::See, answer.vision_passes), (Stage::Prefill, answer.prefilled_tokens)]
        {
            if count > 0 {
                on(Done::Worked(Span::new(stage, start, end, count)));
            }
        }
    }

    /// The history and the turn begun, as far as there is one.
    fn messages(&self, sound: Option<Part>) -> Vec<Message> {
        self.history.iter().cloned().chain(self.question(sound)).collect()
    }

    fn question(&self, sound: Option<Part>) -> Option<Message> {
        let image = self.image.clone().map(Part::Image);
        let parts: Vec<_> = [image, sound, self.text.clone().map(Part::Text)].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| Message::parts(Role::User, parts))
    }
}
