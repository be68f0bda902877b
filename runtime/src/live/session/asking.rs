//! What the wearer says, as it comes: from the first sound of a question to its end.

use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::microphone::AudioChunk;

use super::{Phase, Session};
use crate::live::effort::Effort;
use crate::live::event::Report;
use crate::live::job::Job;
use crate::live::listening::Heard;
use crate::live::trace::{Span, Stage};
use crate::model::media::Detail;

/// The longest side of a picture that is taken small, in pixels.
const SMALL: usize = 512;

impl Session {
    pub(super) fn hear(&mut self, chunk: &AudioChunk, now: Timestamp) {
        if chunk.overruns > self.overruns {
            self.tell(Report::SoundLost);
        }
        self.overruns = chunk.overruns;
        let heard = self.listening.push(&*chunk.samples);
        self.listen(heard, now);
        if let Some(error) = self.listening.failure() {
            self.tell(Report::Failed(error));
        }
    }

    pub(super) fn listen(&mut self, heard: Vec<Heard>, now: Timestamp) {
        for heard in heard {
            match heard {
                Heard::Started => self.start(now),
                Heard::Speech(samples) => {
                    self.trace.spans.push(Span::new(Stage::Voice, now, now, samples.len()));
                    self.held.extend(samples);
                    if self.held.len() >= self.pace.piece() {
                        self.hand_over();
                    }
                }
                Heard::Paused => {
                    self.trace.question_end = Some(now);
                    self.hand_over();
                    let behind = self.pace.paused();
                    self.tell_behind(behind);
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
        if let Some(effort) = self.pace.begin_turn() {
            self.order(Job::Effort(effort));
            self.tell(Report::Effort(effort));
        }
        let (detail, side) = match self.pace.current() {
            Effort::Full => (self.detail, None),
            _ => (Detail::Overview, Some(SMALL)),
        };
        let image = match self.view.look(now, detail, side) {
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

    /// Gives the engine the sound that there is.
    fn hand_over(&mut self) {
        if !self.held.is_empty() {
            let samples = std::mem::take(&mut self.held);
            let behind = self.pace.given(samples.len());
            self.order(Job::Hear(samples));
            self.tell_behind(behind);
        }
    }

    fn tell_behind(&mut self, behind: Option<Duration>) {
        if let Some(by) = behind {
            self.tell(Report::Behind { by, next: self.pace.effort() });
        }
    }

    fn ask(&mut self) {
        self.hand_over();
        self.answers += 1;
        self.order(Job::Answer(self.answers, self.mode));
    }

    /// Nothing more comes of the question: the answer counts.
    pub(super) fn end_of_question(&mut self, now: Timestamp) {
        let ahead = match std::mem::replace(&mut self.phase, Phase::Answering) {
            Phase::Ahead(reports) => reports,
            _ => {
                self.trace.question_end = Some(now);
                self.ask();
                Vec::new()
            }
        };
        self.pace.end_turn();
        self.order(Job::Keep);
        self.tell(Report::Heard);
        ahead.into_iter().for_each(|report| self.show(report, now));
    }

    pub(super) fn read(&mut self, text: String, now: Timestamp) {
        self.listening.reset();
        self.start(now);
        self.order(Job::Read(text));
        self.end_of_question(now);
    }
}
