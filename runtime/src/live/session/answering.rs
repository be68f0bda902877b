//! What the engine says, and who hears of it.

use lorgnette_device::Timestamp;

use super::{Phase, Session};
use crate::live::event::Report;
use crate::live::job::{AnswerId, Done};

impl Session {
    pub(super) fn worked(&mut self, done: Done, now: Timestamp) {
        match done {
            Done::Worked(span) => {
                let broken_off = self.broken_off.as_mut().map(|(_, trace)| trace);
                broken_off.unwrap_or(&mut self.trace).spans.push(span);
            }
            Done::Piece(id, text) => self.answer_report(id, Report::Piece(text), now),
            Done::Answered(id, answered) => self.answer_report(id, Report::Answered(Box::new(answered)), now),
            Done::Routed(id, routed) => self.answer_report(id, Report::Routed(routed), now),
            #[cfg(feature = "cloud")]
            Done::Agents(id, event) => self.answer_report(id, Report::Agents(event), now),
            #[cfg(feature = "cloud")]
            Done::Told(..) => {}
            Done::Heard(samples) => self.pace.worked_off(samples),
            Done::All => {}
            Done::Failed(None, error) => self.tell(Report::Failed(error)),
            Done::Failed(Some(id), error) => self.answer_report(id, Report::Failed(error), now),
        }
    }

    /// News of an answer: shown, kept until it is sure that the answer is wanted, or too late.
    fn answer_report(&mut self, id: AnswerId, report: Report, now: Timestamp) {
        let is_last = matches!(report, Report::Answered(_) | Report::Failed(_));
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

    pub(super) fn show(&mut self, report: Report, now: Timestamp) {
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

    pub(super) fn end_if_finished(&mut self) {
        if matches!(self.phase, Phase::Idle) && std::mem::take(&mut self.finishing) {
            self.tell(Report::Ended);
        }
    }
}
