//! A pair of glasses that is not there.
//!
//! Its state changes with time and with what is done to it, and with nothing else: [`Glasses::clock`] is the clock that
//! its camera and microphone go by, and whoever waits by it lets the glasses live on. On a
//! [`ManualClock`](lorgnette_device::clock::ManualClock) an hour takes as long as it takes to compute.

mod body;
mod camera;
mod display;
mod microphone;
mod other_end;
pub mod panel;
mod power;
mod senses;
mod snapshot;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lorgnette_device::Timestamp;
use lorgnette_device::clock::Clock;
use lorgnette_device::microphone::{LiveMicrophone, Mute};
use lorgnette_device::power::{PowerReading, PowerSource, Temperature};

pub use self::camera::GlassesCamera;
pub use self::display::{Display, Hud, Phase};
pub use self::microphone::Port;
pub use self::power::{Load, Power, processor_limit};
pub use self::senses::{Feed, Jack, Light, Shot};
pub use self::snapshot::{Frames, Options, Snapshot};

use self::body::Body;
use self::panel::Panel;
use crate::Result;
use crate::link;

/// A pair of glasses. Clones are the same pair.
#[derive(Clone)]
pub struct Glasses {
    body: Arc<Mutex<Body>>,
    clock: Arc<dyn Clock>,
}

impl Glasses {
    /// Glasses that are worn, switched on, and see and hear nothing yet.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        let body = Arc::new(Mutex::new(Body::new(options, clock.now())));
        let clock = Arc::new(Living { body: Arc::clone(&body), clock });
        Self { body, clock }
    }

    /// The clock that camera and microphone go by.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Its camera, as the machine at the other end of the link has it.
    pub fn camera(&self) -> GlassesCamera {
        GlassesCamera::new(Arc::clone(&self.body), self.clock())
    }

    /// Its microphone, as the machine at the other end of the link has it. There is one.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) while it is unplugged, or the link is cut.
    pub fn microphone(&self) -> Result<LiveMicrophone<Port>> {
        use lorgnette_device::microphone::Microphone;
        let microphone = LiveMicrophone::new(Port::new(Arc::clone(&self.body)), self.clock())?;
        self.lock().mute = Some(microphone.mute());
        Ok(microphone)
    }

    /// What the camera is pointed at.
    pub fn see(&self, light: Box<dyn Light>) {
        self.lock().light = light;
    }

    /// What the microphone is held to.
    pub fn hear(&self, jack: Jack) {
        self.lock().jack = jack;
    }

    /// Whether the camera is plugged in.
    pub fn plug_camera(&self, there: bool) {
        self.change(|body| body.camera = there);
    }

    /// Whether the microphone is plugged in.
    pub fn plug_microphone(&self, there: bool) {
        self.change(|body| body.microphone = there);
    }

    /// Whether somebody wears them.
    pub fn wear(&self, worn: bool) {
        self.change(|body| body.worn = worn);
    }

    /// Whether the microphone is muted: no sample leaves the glasses then.
    pub fn mute(&self, muted: bool) {
        let mute = self.lock().mute.clone();
        match (mute, muted) {
            (Some(mute), true) => mute.mute(),
            (Some(mute), false) => mute.unmute(),
            (None, _) => {}
        }
    }

    /// How good the link is.
    pub fn link(&self) -> link::Quality {
        self.lock().link.quality()
    }

    /// The link is otherwise from now on.
    pub fn set_link(&self, quality: link::Quality) {
        self.change(|body| body.link.set_quality(quality));
    }

    /// Whether a session is recorded, which those who are seen are to know.
    pub fn set_recording(&self, recording: bool) {
        self.lock().recording = recording;
    }

    /// Another display.
    pub fn set_panel(&self, panel: Panel) {
        self.lock().display.set_panel(panel);
    }

    /// Whether the button is held.
    pub fn set_button(&self, held: bool) {
        self.lock().button = held;
    }

    /// Does something to battery and temperature.
    pub fn with_power<T>(&self, change: impl FnOnce(&mut Power) -> T) -> T {
        let mut body = self.lock();
        let done = change(&mut body.power);
        body.settle();
        done
    }

    /// Does something to the display.
    pub fn with_display<T>(&self, change: impl FnOnce(&mut Display) -> T) -> T {
        change(&mut self.lock().display)
    }

    /// The processor computed for so long since somebody said so last: it warms the frame.
    pub fn computed(&self, time: std::time::Duration) {
        self.lock().computed += time;
    }

    /// How things are.
    pub fn snapshot(&self) -> Snapshot {
        self.lock().snapshot()
    }

    /// What was seen last, while the camera is there.
    pub fn view(&self) -> Option<Shot> {
        self.lock().view()
    }

    /// Its battery and thermometer.
    pub fn power_source(&self) -> impl PowerSource + use<> {
        Gauge(self.clone())
    }

    fn change(&self, change: impl FnOnce(&mut Body)) {
        let mut body = self.lock();
        change(&mut body);
        body.settle();
    }

    fn lock(&self) -> MutexGuard<'_, Body> {
        lock(&self.body)
    }
}

fn lock(body: &Mutex<Body>) -> MutexGuard<'_, Body> {
    body.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock by which glasses live.
struct Living {
    body: Arc<Mutex<Body>>,
    clock: Arc<dyn Clock>,
}

impl Clock for Living {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep_until(&self, moment: Timestamp) {
        self.clock.sleep_until(moment);
        lock(&self.body).live_until(self.clock.now());
    }
}

/// Battery and thermometer of glasses.
struct Gauge(Glasses);

impl PowerSource for Gauge {
    fn read(&mut self) -> PowerReading {
        let power = self.0.snapshot().power;
        PowerReading {
            at: self.0.clock.now(),
            charge: Some(power.charge),
            battery_watts: Some(power.watts),
            temperatures: vec![Temperature { place: "frame".to_owned(), celsius: power.celsius }],
            frequency_limits: vec![processor_limit(power.speed())],
            ..PowerReading::default()
        }
    }
}

/// What a mute of the microphone would say.
fn is_muted(mute: Option<&Mute>) -> bool {
    mute.is_some_and(Mute::is_muted)
}
