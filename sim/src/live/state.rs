//! How a running simulator is, as the page is told.

use std::time::Duration;

use lorgnette_runtime::live::{Stage, Trace};
use serde::Serialize;

use crate::brain::Model;
use crate::cloud::Allowed;
use crate::event::{Gate, Level, Watched, mode_name};
use crate::glasses::panel::{Measures, Panel};
use crate::glasses::{Hud, Phase, Power, Snapshot};
use crate::input::Source;
use crate::link::Quality;
use crate::source::{Scene, Spoken};

/// The version of the messages.
pub const PROTOCOL: u32 = 1;

/// What does not change while a simulator runs.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "hello")]
pub struct Hello<'a> {
    /// Of lorgnette.
    pub version: &'static str,
    /// Of the messages.
    pub protocol: u32,
    /// What answers; none where nothing is loaded.
    pub model: Option<&'a Model>,
    /// The displays that there are.
    pub panels: Vec<Measures>,
    /// What can be shown.
    pub scenes: Vec<&'a Scene>,
    /// What can be said beside what belongs to a scene.
    pub recordings: Vec<&'a Spoken>,
    /// How hard can be thought.
    pub modes: Vec<&'static str>,
    /// Where light and sound can come from.
    pub sources: Vec<&'static str>,
}

/// How things are.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename = "state")]
pub struct State {
    phase: Phase,
    mode: Mode,
    turn: u64,
    source: Sources,
    scene: Option<String>,
    panel: Panel,
    light: bool,
    recording: Option<String>,
    worn: bool,
    muted: bool,
    button: bool,
    camera: bool,
    microphone: bool,
    link: Link,
    network: bool,
    consent: Allowed,
    left_device_bytes: u64,
    effort: &'static str,
    power: Power,
    frames: Frames,
    level: Level,
    speed: Speed,
    hud: Hud,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Mode {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Sources {
    camera: Source,
    microphone: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Link {
    #[serde(flatten)]
    quality: Quality,
    sent_bytes: u64,
    lost_packets: u64,
    waiting_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Frames {
    per_second: u32,
    width: usize,
    height: usize,
    seen: u64,
    dropped: u64,
    gate: Gate,
}

/// How fast the model is, and how large the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Speed {
    /// Of the last answer.
    pub decode_tokens_per_second: Option<f64>,
    /// Of the last prompt that was long enough to tell.
    pub prefill_tokens_per_second: Option<f64>,
    /// Of the whole process.
    pub memory_bytes: Option<u64>,
}

impl Speed {
    /// Reads speeds off the timeline of a turn. The time that was computed in it.
    pub(super) fn read_off(&mut self, trace: &Trace) -> Duration {
        let (decode, decoded_for) = rate(trace, Stage::Decode, 2);
        let (prefill, prefilled_for) = rate(trace, Stage::Prefill, 8);
        self.decode_tokens_per_second = decode.or(self.decode_tokens_per_second);
        self.prefill_tokens_per_second = prefill.or(self.prefill_tokens_per_second);
        decoded_for + prefilled_for
    }
}

/// How much was done a second at `stage`, in spans of `least` and more, and for how long.
fn rate(trace: &Trace, stage: Stage, least: usize) -> (Option<f64>, Duration) {
    let spans = trace.spans.iter().filter(|span| span.stage == stage && span.count >= least);
    let (count, time) = spans.fold((0, Duration::ZERO), |(count, time), span| {
        (count + span.count, time + span.end.since(span.start))
    });
    ((!time.is_zero()).then(|| count as f64 / time.as_secs_f64()), time)
}

/// What is measured on the way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meters {
    /// Of the last sound.
    pub level: Level,
    /// Of the last turns.
    pub speed: Speed,
    /// Pixels of the last frame.
    pub size: (usize, usize),
    /// Frames that the runtime looked at.
    pub seen: u64,
    /// Those that came and nobody had time for.
    pub dropped: u64,
}

impl State {
    pub(super) fn new(
        snapshot: Snapshot,
        settings: &crate::desk::Settings,
        meters: &Meters,
        watched: Watched,
        recording: Option<String>,
        left_device_bytes: u64,
    ) -> Self {
        let budget = match settings.mode {
            lorgnette_runtime::mode::Mode::Thinking { budget } => Some(budget),
            _ => None,
        };
        Self {
            phase: snapshot.hud.status,
            mode: Mode { name: mode_name(settings.mode), budget },
            turn: watched.turn,
            source: Sources { camera: settings.camera.clone(), microphone: settings.microphone.clone() },
            scene: settings.scene.clone(),
            panel: snapshot.panel,
            light: snapshot.light,
            recording,
            worn: snapshot.worn,
            muted: snapshot.muted,
            button: snapshot.button,
            camera: snapshot.camera,
            microphone: snapshot.microphone,
            link: Link {
                quality: snapshot.link,
                sent_bytes: snapshot.traffic.sent_bytes,
                lost_packets: snapshot.traffic.lost,
                waiting_bytes: snapshot.waiting_bytes,
            },
            network: settings.network,
            consent: settings.consent,
            left_device_bytes,
            effort: watched.effort,
            power: snapshot.power,
            frames: Frames {
                per_second: snapshot.frames.per_second,
                width: meters.size.0,
                height: meters.size.1,
                seen: meters.seen,
                dropped: meters.dropped,
                gate: watched.gate,
            },
            level: meters.level,
            speed: meters.speed,
            hud: snapshot.hud,
        }
    }
}
