//! What senses give, as a script, and who answers.

use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::{Frame, Layout, PixelFormat};
use lorgnette_device::clock::ManualClock;
use lorgnette_device::microphone::{AudioChunk, CHUNK_LEN};
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{AnswerOptions, LanguageModel};
use lorgnette_runtime::live::{
    Cancel, Engine, Event, FRAME, Listening, ListeningOptions, Report, Session, Trace, VoiceDetector, replay,
};
use lorgnette_runtime::mode::Mode;

use crate::common::multimodal::multimodal;

/// Frames of 10 ms in a block of the audio tower.
pub(crate) const BLOCK: u32 = 8;

/// Hears speech where samples are not zero.
pub(crate) struct Loudness;

impl VoiceDetector for Loudness {
    fn probability(&mut self, frame: &[f32; FRAME]) -> f32 {
        if frame.iter().any(|sample| *sample != 0.0) { 1.0 } else { 0.0 }
    }

    fn reset(&mut self) {}
}

pub(crate) fn model() -> Arc<LanguageModel<Cpu>> {
    Arc::new(multimodal(Cpu, Some(BLOCK)))
}

pub(crate) fn engine() -> Engine<Cpu> {
    let options = AnswerOptions { max_tokens: 6, ..AnswerOptions::default() };
    Engine::new(model(), 500, Vec::new(), options, Arc::new(ManualClock::default())).unwrap()
}

pub(crate) fn session(cancel: Cancel) -> Session {
    let listening = Listening::new(ListeningOptions::default(), Box::new(Loudness));
    Session::new(listening, Mode::Instant, cancel)
}

pub(crate) fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_start(Duration::from_millis(milliseconds))
}

/// What senses give in turn: times go on from one part to the next.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) events: Vec<(Timestamp, Event)>,
    pub(crate) now: u64,
}

impl Script {
    pub(crate) fn sound(mut self, milliseconds: u64, level: f32) -> Self {
        for _ in 0..milliseconds / 20 {
            let sample = |i: usize| level * (((i * 7 + self.now as usize) % 97) as f32 + 1.0) / 97.0;
            let samples = Box::new(std::array::from_fn::<f32, CHUNK_LEN, _>(sample));
            let chunk = AudioChunk { samples, captured: at(self.now), sequence: self.now / 20, overruns: 0 };
            self.now += 20;
            self.events.push((at(self.now), Event::Sound(chunk)));
        }
        self
    }

    pub(crate) fn speech(self, milliseconds: u64) -> Self {
        self.sound(milliseconds, 0.5)
    }

    pub(crate) fn silence(self, milliseconds: u64) -> Self {
        self.sound(milliseconds, 0.0)
    }

    pub(crate) fn view(self, shade: u8) -> Self {
        self.halves(64, 64, shade)
    }

    pub(crate) fn picture(self, width: usize, height: usize) -> Self {
        let shade = (self.now / 20 % 200) as u8;
        self.halves(width, height, shade)
    }

    fn halves(self, width: usize, height: usize, shade: u8) -> Self {
        self.frame(width, height, |x, _| if x < width / 2 { shade } else { 255 - shade })
    }

    /// A frame of so many pixels, `level(x, y)` grey each.
    pub(crate) fn frame(self, width: usize, height: usize, level: impl Fn(usize, usize) -> u8) -> Self {
        let mut frame = Frame::default();
        let layout = Layout::packed(PixelFormat::Rgb, width, height).unwrap();
        let pixel = |i: usize| level(i / 3 % width, i / 3 / width);
        let pixels: Vec<_> = (0..width * height * 3).map(pixel).collect();
        frame.fill(layout, at(self.now), 0, &pixels).unwrap();
        self.then(Event::Frame(frame))
    }

    pub(crate) fn then(mut self, event: Event) -> Self {
        self.events.push((at(self.now), event));
        self
    }

    pub(crate) fn play(self) -> (Vec<Report>, Engine<Cpu>) {
        let mut engine = engine();
        let mut reports = Vec::new();
        let mut session = session(engine.cancel());
        replay(&mut session, &mut engine, self.events, &mut |_, report| reports.push(report));
        (reports, engine)
    }
}

pub(crate) fn answers(reports: &[Report]) -> Vec<String> {
    let answer = |report: &Report| match report {
        Report::Answered(answered) => Some(answered.answer.text.clone()),
        _ => None,
    };
    reports.iter().filter_map(answer).collect()
}

pub(crate) fn traces(reports: &[Report]) -> Vec<&Trace> {
    reports
        .iter()
        .filter_map(|report| if let Report::Turn(trace) = report { Some(trace) } else { None })
        .collect()
}

/// What was told, by name. A script comes faster than time passes, so that somebody may well be behind.
pub(crate) fn names(reports: &[Report]) -> Vec<String> {
    let name = |report: &Report| format!("{report:?}").split(['(', ' ']).next().unwrap().to_owned();
    let told = reports.iter().filter(|report| !matches!(report, Report::Behind { .. }));
    let mut names: Vec<_> = told.map(name).collect();
    names.dedup();
    names
}
