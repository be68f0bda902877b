//! The other end of the link: what came there, and waits until somebody takes it.

use std::collections::VecDeque;

use lorgnette_device::microphone::ring::Intake;
use lorgnette_device::{ErrorKind, Timestamp};

use super::senses::Shot;

/// A frame of the camera.
pub(super) struct Taken {
    pub(super) shot: Shot,
    pub(super) captured: Timestamp,
    pub(super) sequence: u64,
}

/// What goes over the link.
pub(super) enum Message {
    Picture(Taken),
    Sound { samples: Vec<f32>, captured: Timestamp, sequence: u64 },
}

/// Whether the camera is there, as the other end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Lost,
    Back,
}

/// What the machine at the other end has.
pub(super) struct OtherEnd {
    /// The newest frame that nobody had yet.
    pub(super) newest: Option<Taken>,
    /// What is to be told of the camera.
    pub(super) changes: VecDeque<Change>,
    sees: bool,
    view: Option<Shot>,
    /// Where sound goes, once the microphone is open.
    pub(super) intake: Option<Intake>,
    /// The number of the sound that comes next.
    expected: u64,
    /// Frames that came.
    arrived: u64,
}

impl Default for OtherEnd {
    /// It sees, and nothing came yet.
    fn default() -> Self {
        Self {
            newest: None,
            changes: VecDeque::new(),
            sees: true,
            view: None,
            intake: None,
            expected: 0,
            arrived: 0,
        }
    }
}

impl OtherEnd {
    /// Whether there is a camera.
    pub(super) fn sees(&self) -> bool {
        self.sees
    }

    /// What came last, while there is a camera.
    pub(super) fn view(&self) -> Option<Shot> {
        self.view.clone()
    }

    /// Frames that came so far.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// The camera is lost, or back.
    pub(super) fn set_sees(&mut self, sees: bool) {
        if sees != self.sees {
            self.sees = sees;
            self.changes.push_back(if sees { Change::Back } else { Change::Lost });
        }
        if !sees {
            (self.newest, self.view) = (None, None);
        }
    }

    /// The microphone is lost.
    pub(super) fn lose_sound(&mut self) {
        if let Some(intake) = self.intake.take() {
            intake.signals().lost(ErrorKind::Gone);
        }
    }

    /// A message came.
    pub(super) fn take(&mut self, message: Message) {
        match message {
            // A frame that was on its way when the camera went is not shown any more.
            Message::Picture(_) if !self.sees => {}
            Message::Picture(taken) => {
                self.arrived += 1;
                self.view = Some(taken.shot.clone());
                self.newest = Some(taken);
            }
            Message::Sound { samples, captured, sequence } => {
                let complete = std::mem::replace(&mut self.expected, sequence + 1) == sequence;
                if let Some(intake) = &mut self.intake {
                    if !complete {
                        intake.signals().overrun();
                    }
                    intake.push(&samples, captured, |&sample| sample);
                }
            }
        }
    }
}
