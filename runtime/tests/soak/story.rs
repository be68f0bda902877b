//! Whether the reports tell a story: a turn that begins has an end, and only one.

use std::fmt;

use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::live::Report;

use crate::faulty::{ANSWER, OTHER};

#[derive(Default)]
pub(crate) struct Story {
    pub(crate) begun: usize,
    /// Turns whose time was told.
    pub(crate) turns: usize,
    pub(crate) answered: usize,
    pub(crate) failed: usize,
    pub(crate) dropped: usize,
    /// Jobs that broke, beside answers.
    pub(crate) broke: usize,
    /// Sound with numbers in it that are none.
    pub(crate) damaged: usize,
    pub(crate) behind: usize,
    pub(crate) efforts: usize,
    pub(crate) sound_lost: usize,
    pub(crate) devices_lost: usize,
    pub(crate) routed: usize,
    pub(crate) ended: usize,
}

impl Story {
    pub(crate) fn hear(&mut self, report: &Report) {
        match report {
            Report::Listening => self.begun += 1,
            Report::Turn(_) => self.turns += 1,
            Report::Answered(_) => self.answered += 1,
            Report::Dropped => self.dropped += 1,
            Report::Failed(error) => match error.kind() {
                ErrorKind::Broken if error.to_string().contains(ANSWER) => self.failed += 1,
                ErrorKind::Broken if error.to_string().contains(OTHER) => self.broke += 1,
                ErrorKind::Malformed => self.damaged += 1,
                _ => panic!("nobody made this: {error}"),
            },
            Report::Behind { .. } => self.behind += 1,
            Report::Effort(_) => self.efforts += 1,
            Report::SoundLost => self.sound_lost += 1,
            Report::Camera(_) | Report::Microphone(_) => self.devices_lost += 1,
            Report::Routed(_) => self.routed += 1,
            Report::Ended => self.ended += 1,
            Report::Heard | Report::Piece(_) => {}
        }
    }

    /// Each turn was answered, or failed with an error, or was given up, and its time was told.
    pub(crate) fn check(&self) {
        let ends = self.answered + self.failed + self.dropped;
        assert_eq!((self.turns, ends, self.ended), (self.begun, self.begun, 1), "{self}");
    }

    /// A fault that never came shows nothing.
    pub(crate) fn check_that_all_was_tried(&self) {
        let Self { answered, failed, dropped, broke, damaged, .. } = *self;
        let met = [answered, failed, dropped, broke, damaged, self.behind, self.efforts, self.sound_lost];
        let met = met.into_iter().chain([self.devices_lost, self.routed]);
        assert!(met.min() > Some(0), "{self}");
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { begun, answered, failed, dropped, broke, damaged, .. } = self;
        write!(
            f,
            "{begun} turns, of which {answered} were answered, {failed} failed and {dropped} were dropped; "
        )?;
        write!(
            f,
            "{broke} other jobs broke, {damaged} failed for damaged sound; {} times behind, ",
            self.behind
        )?;
        write!(f, "{} changes of effort, {} gaps in the sound, ", self.efforts, self.sound_lost)?;
        write!(f, "{} devices lost and back, {} questions routed", self.devices_lost, self.routed)
    }
}
