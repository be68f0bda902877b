//! Whether the reports tell a story: a turn that begins has an end, and only one.

use std::fmt;

use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::live::Report;

use crate::faulty::MADE;

#[derive(Default)]
pub(crate) struct Story {
    pub(crate) begun: usize,
    pub(crate) answered: usize,
    pub(crate) failed: usize,
    pub(crate) dropped: usize,
    /// Jobs that were made to break.
    pub(crate) broke: usize,
    /// Sound with numbers in it that are none.
    pub(crate) damaged: usize,
    /// Questions that the context has no room for.
    pub(crate) too_long: usize,
    pub(crate) behind: usize,
    pub(crate) efforts: usize,
    pub(crate) sound_lost: usize,
    pub(crate) devices_lost: usize,
    pub(crate) routed: usize,
    pub(crate) ended: usize,
    /// How the turn ends whose time is told next.
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Answered,
    Failed,
    Dropped,
}

impl Story {
    pub(crate) fn hear(&mut self, report: &Report) {
        let end = self.end.take();
        match report {
            Report::Listening => self.begun += 1,
            Report::Turn(trace) => match end {
                Some(End::Answered) => self.answered += 1,
                Some(End::Failed) => self.failed += 1,
                Some(End::Dropped) => self.dropped += 1,
                None => panic!("turn {} has no end", trace.turn),
            },
            Report::Answered(_) => self.end = Some(End::Answered),
            Report::Dropped => self.end = Some(End::Dropped),
            Report::Failed(error) => {
                self.end = Some(End::Failed);
                match error.kind() {
                    ErrorKind::Broken if error.to_string().contains(MADE) => self.broke += 1,
                    ErrorKind::Malformed => self.damaged += 1,
                    ErrorKind::Argument if error.field() == "prompt" => self.too_long += 1,
                    _ => panic!("nobody made this: {error}"),
                }
            }
            Report::Behind { .. } => self.behind += 1,
            Report::Effort(_) => self.efforts += 1,
            Report::SoundLost => self.sound_lost += 1,
            Report::Camera(_) | Report::Microphone(_) => self.devices_lost += 1,
            Report::Routed(_) => self.routed += 1,
            Report::Ended => self.ended += 1,
            Report::Heard | Report::Piece(_) => {}
            #[cfg(feature = "cloud")]
            Report::Agents(_) => panic!("nobody asked a cloud"),
        }
    }

    /// Each turn was answered, or failed with an error, or was given up.
    pub(crate) fn check(&self) {
        let ends = self.answered + self.failed + self.dropped;
        assert_eq!((ends, self.ended), (self.begun, 1), "{self}");
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
        let Self { begun, answered, failed, dropped, broke, damaged, too_long, .. } = self;
        write!(
            f,
            "{begun} turns, of which {answered} were answered, {failed} failed and {dropped} were dropped; "
        )?;
        write!(f, "{broke} jobs broke, {damaged} had damaged sound, {too_long} questions were too long; ")?;
        write!(f, "{} times behind, {} changes of effort, ", self.behind, self.efforts)?;
        write!(f, "{} gaps in the sound, {} devices lost or back, ", self.sound_lost, self.devices_lost)?;
        write!(f, "{} questions routed", self.routed)
    }
}
