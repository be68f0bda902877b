//! What glasses are between two moments, and how they come from one to the next.

use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::Rate;
use lorgnette_device::microphone::{CHUNK_TIME, Mute};

use super::display::Display;
use super::is_muted;
use super::other_end::{Message, OtherEnd, Taken};
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
    taken: u64,
    sounds: u64,
    pub(super) other_end: OtherEnd,
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
            taken: 0,
            sounds: 0,
            other_end: OtherEnd::default(),
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
        self.other_end.set_sees(self.has_camera() && self.link.quality().connected);
        if !self.can_be_heard() {
            self.other_end.lose_sound();
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
        self.other_end.view()
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
        self.taken += 1;
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
        if let Some((_, message)) = self.link.arrived(now) {
            self.other_end.take(message);
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            // It is wired to the camera: there is no seeing without it.
            light: self.has_camera() || self.recording,
            worn: self.worn,
            muted: is_muted(self.mute.as_ref()),
            button: self.button,
            camera: self.other_end.sees(),
            microphone: self.can_be_heard(),
            link: self.link.quality(),
            traffic: self.link.traffic(),
            waiting_bytes: self.link.waiting_bytes(),
            power: self.power,
            frames: Frames {
                per_second: if self.has_camera() { self.rate() } else { 0 },
                taken: self.taken,
                arrived: self.other_end.arrived(),
            },
            hud: self.display.hud(),
            panel: self.display.panel(),
        }
    }
}
