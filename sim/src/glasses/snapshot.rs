//! How glasses are made, and how they are at a moment.

use serde::Serialize;

use super::display::Hud;
use super::panel::Panel;
use super::power::Power;
use crate::link::{Quality, Traffic};

/// How glasses are made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What answers are shown on.
    pub panel: Panel,
    /// Frames that the camera takes a second.
    pub frames: u32,
    /// The link to the runtime.
    pub link: Quality,
    /// What is lost follows from it.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { panel: Panel::default(), frames: 15, link: Quality::default(), seed: 0 }
    }
}

/// How things are.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Whether the capture light is on.
    pub light: bool,
    /// Whether somebody wears them.
    pub worn: bool,
    /// Whether the microphone is muted.
    pub muted: bool,
    /// Whether the button is held.
    pub button: bool,
    /// Whether the other end has a camera.
    pub camera: bool,
    /// Whether the other end could have a microphone.
    pub microphone: bool,
    /// The link.
    pub link: Quality,
    /// What went over it.
    pub traffic: Traffic,
    /// Bytes that are on their way.
    pub waiting_bytes: usize,
    /// Battery and temperature.
    pub power: Power,
    /// What the camera did.
    pub frames: Frames,
    /// What stands on the display.
    pub hud: Hud,
    /// Which display.
    pub panel: Panel,
}

/// What the camera did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Frames {
    /// Frames that are taken a second now.
    pub per_second: u32,
    /// That were taken.
    pub taken: u64,
    /// That came to the other end.
    pub arrived: u64,
}
