//! What glasses are between two moments, and how they come from one to the next.

use std::collections::VecDeque;
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::Rate;
use lorgnette_device::microphone::ring::Intake;
use lorgnette_device::microphone::{CHUNK_TIME, Mute};

use super::display::Display;
use super::is_muted;
use super::power::{Load, Power};
use super::senses::{Jack, Light, Shot};
use super::snapshot::{Frames, Options, Snapshot};
use crate::link::{Class, Link};

/// Frames a second while the glasses are too hot: enough that there always is one of the last half second.
const HOT_FRAMES: u32 = 4;

/// Bytes of 20 ms of sound on the link: 16 bits a sample.
const SOUND_BYTES: usize = 640;

/// Bytes of a muted microphone's sign of life.
const SIGN_OF_LIFE: usize = 8;

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

/// The state of glasses.
pub(super) struct Body {
    options: Options,
    pub(super) light: Box<dyn Light>,
    pub(super) jack: Jack,
    pub(super) worn: bool,
    pub(super) camera: bool,
    pub(super) microphone: bool,
    pub(super) recording: bool,
    pub(super) button: bool,
    pub(super) mute: Option<Mute>,
    pub(super) link: Link<Message>,
    pub(super) power: Power,
    pub(super) display: Display,
    /// Time that was computed and not reckoned with yet.
    pub(super) computed: Duration,
    reckoned_bytes: u64,
    next_frame: Timestamp,
    next_sound: Timestamp,
    sequence: u64,
    frames: Frames,
    /// The newest frame at the other end that nobody had yet.
    pub(super) newest: Option<Taken>,
    /// What the other end is to be told of the camera.
    pub(super) changes: VecDeque<Change>,
    sees: bool,
    view: Option<Shot>,
    /// Where sound goes at the other end, once that has opened the microphone.
    pub(super) intake: Option<Intake>,
    sounds: u64,
    /// The number of the sound that the other end expects.
    expected: u64,
}

/// Nothing to see.
struct Dark;

impl Light for Dark {
    fn frame(&mut self, _: Timestamp, _: u64) -> Option<Shot> {
        None
    }
}

impl Body {
    pub(super) fn new(options: Options, now: Timestamp) -> Self {
        let mut body = Self {
            options,
            light: Box::new(Dark),
            jack: Jack::of_recordings(),
            worn: true,
            camera: true,
            microphone: true,
            recording: false,
            button: false,
            mute: None,
            link: Link::new(options.link, options.seed),
            power: Power::default(),
            display: Display::new(options.panel),
            computed: Duration::ZERO,
            reckoned_bytes: 0,
            next_frame: now,
            next_sound: now + CHUNK_TIME,
            sequence: 0,
            frames: Frames::default(),
            newest: None,
            changes: VecDeque::new(),
            sees: true,
            view: None,
            intake: None,
            sounds: 0,
            expected: 0,
        };
        body.settle();
        body
    }

    /// Everything that happens until `now`, in its order.
    pub(super) fn live_until(&mut self, now: Timestamp) {
        loop {
            let arrival = self.link.next_arrival().unwrap_or(Timestamp::from_start(Duration::MAX));
            let next = arrival.min(self.next_sound).min(self.next_frame);
            if next > now {
                return;
            }
            if next == arrival {
                self.deliver(next);
            } else if next == self.next_sound {
                self.listen(next);
            } else {
                self.look(next);
            }
        }
    }

    /// Puts right what follows from a change.
    pub(super) fn settle(&mut self) {
        let sees = self.has_camera() && self.link.quality().connected;
        if sees != self.sees {
            self.sees = sees;
            self.changes.push_back(if sees { Change::Back } else { Change::Lost });
        }
        if !sees {
            (self.newest, self.view) = (None, None);
        }
        if !self.can_be_heard()
            && let Some(intake) = self.intake.take()
        {
            intake.signals().lost(lorgnette_device::ErrorKind::Gone);
        }
        self.display.set_off(!self.is_on());
    }

    fn is_on(&self) -> bool {
        self.worn && !self.power.is_empty()
    }

    fn has_camera(&self) -> bool {
        self.camera && self.is_on()
    }

    /// Whether the other end can open the microphone.
    pub(super) fn can_be_heard(&self) -> bool {
        self.microphone && self.is_on() && self.link.quality().connected
    }

    /// What was seen last.
    pub(super) fn view(&self) -> Option<Shot> {
        self.view.clone()
    }

    /// Frames a second.
    fn rate(&self) -> u32 {
        let rate = self.options.frames.max(1);
        if self.power.throttled { rate.min(HOT_FRAMES) } else { rate }
    }

    pub(super) fn mode(&self) -> Rate {
        Rate::per_second(self.rate())
    }

    fn look(&mut self, now: Timestamp) {
        self.next_frame = now + self.mode().time_of(1);
        if !self.has_camera() {
            return;
        }
        let sequence = self.sequence;
        let Some(shot) = self.light.frame(now, sequence) else { return };
        self.sequence += 1;
        self.frames.taken += 1;
        let bytes = shot.jpeg().len();
        let taken = Taken { shot, captured: now, sequence };
        self.link.send(Message::Picture(taken), Class::Picture, bytes, now);
    }

    /// 20 ms of sound end, and power is reckoned.
    fn listen(&mut self, now: Timestamp) {
        self.next_sound = now + CHUNK_TIME;
        // What is said while nobody hears it was said all the same.
        let samples = self.jack.take();
        if self.microphone && self.is_on() {
            let muted = is_muted(self.mute.as_ref());
            let bytes = if muted { SIGN_OF_LIFE } else { SOUND_BYTES };
            let samples = if muted { Vec::new() } else { samples };
            let sound = Message::Sound { samples, captured: now - CHUNK_TIME, sequence: self.sounds };
            self.sounds += 1;
            self.link.send(sound, Class::Sound, bytes, now);
        }
        self.reckon();
    }

    fn reckon(&mut self) {
        let sent = self.link.traffic().sent_bytes;
        // Work is told of when it is done; it warms as long as it took.
        let computed = self.computed.min(CHUNK_TIME);
        self.computed -= computed;
        let load = Load {
            frames: if self.has_camera() { f64::from(self.rate()) } else { 0.0 },
            microphone: self.microphone && self.is_on(),
            display: self.is_on() && !self.display.hud().lines.is_empty(),
            bytes: sent - self.reckoned_bytes,
            compute: computed.as_secs_f64() / CHUNK_TIME.as_secs_f64(),
        };
        self.reckoned_bytes = sent;
        let was_empty = self.power.is_empty();
        self.power.pass(CHUNK_TIME, load);
        if self.power.is_empty() != was_empty {
            self.settle();
        }
    }

    fn deliver(&mut self, now: Timestamp) {
        match self.link.arrived(now) {
            // A frame that was on its way when the camera went is not shown any more.
            Some((_, Message::Picture(_))) if !self.sees => {}
            Some((_, Message::Picture(taken))) => {
                self.frames.arrived += 1;
                self.view = Some(taken.shot.clone());
                self.newest = Some(taken);
            }
            Some((_, Message::Sound { samples, captured, sequence })) => {
                let complete = std::mem::replace(&mut self.expected, sequence + 1) == sequence;
                if let Some(intake) = &mut self.intake {
                    if !complete {
                        intake.signals().overrun();
                    }
                    intake.push(&samples, captured, |&sample| sample);
                }
            }
            None => {}
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            // It is wired to the camera: there is no seeing without it.
            light: self.has_camera() || self.recording,
            worn: self.worn,
            muted: is_muted(self.mute.as_ref()),
            button: self.button,
            camera: self.sees,
            microphone: self.can_be_heard(),
            link: self.link.quality(),
            traffic: self.link.traffic(),
            waiting_bytes: self.link.waiting_bytes(),
            power: self.power,
            frames: Frames { per_second: if self.has_camera() { self.rate() } else { 0 }, ..self.frames },
            hud: self.display.hud(),
            panel: self.display.panel(),
        }
    }
}
