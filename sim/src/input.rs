//! All that can be done to a simulator: by a scenario, by the page, or over HTTP.
//!
//! What is set is a level and not a change, so that the same input twice does no harm.

use serde::{Deserialize, Serialize};

use crate::glasses::panel::Panel;
use crate::link;

/// Something that is done to the simulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A scene is put before the camera.
    Show(String),
    /// A recording is played into the microphone, after what plays already.
    Say(String),
    /// A question is typed.
    Type(String),
    /// Push to talk.
    Button(Button),
    /// The touchpad.
    Touch(Touch),
    /// Whether the microphone is muted.
    Mute(bool),
    /// Whether the camera is plugged in.
    Camera(bool),
    /// Whether the microphone is plugged in.
    Microphone(bool),
    /// Whether the glasses are worn. Those that are not see, hear and show nothing.
    Wear(bool),
    /// What changes about the link between glasses and runtime.
    Link(link::Change),
    /// Whether there is a network, and so a cloud.
    Network(bool),
    /// How warm the glasses are.
    Heat(Heat),
    /// What is left of the charge, from 0 to 1.
    Battery(f64),
    /// How hard to think.
    Mode(Thinking),
    /// What the answers are shown on.
    Panel(Panel),
    /// Where light and sound come from.
    Source(Sources),
    /// What may leave the device.
    Consent(Consent),
    /// Whether the session is recorded.
    Record(bool),
}

/// The button that is held while speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Button {
    /// It is held.
    Down,
    /// It is let go.
    Up,
}

/// What a finger does on the touchpad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Touch {
    /// The answer is not wanted any more.
    Tap,
    /// A line further.
    Forward,
    /// A line back.
    Back,
}

/// How hard to think: a name, or reasoning with a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Thinking {
    /// As usual.
    Named(ModeName),
    /// With so many tokens of reasoning.
    Budget {
        /// At most 100,000.
        thinking: usize,
    },
}

/// How hard to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModeName {
    /// At once.
    Instant,
    /// After some reasoning.
    Thinking,
    /// With agents in the cloud.
    Contemplating,
}

/// How warm the glasses are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Heat {
    /// They are held at so many degrees Celsius, from -20 to 100.
    Held(f64),
    /// Whether they are held where they are; `false` lets them go.
    Holding(bool),
}

/// Where light and sound come from; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Where light comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<Source>,
    /// Where sound comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microphone: Option<Source>,
}

/// Where light or sound comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The scene that is shown, and the recordings that are said.
    #[default]
    Scene,
    /// The browser that asked for it.
    Browser,
    /// This machine's camera or microphone.
    Machine,
    /// A session that was recorded.
    Session(String),
}

/// What may leave the device; what is not named stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Typed questions, and the device's words about pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<bool>,
    /// Spoken questions, as the device writes them down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<bool>,
    /// The picture itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<bool>,
}
