//! What comes in: sound, frames, typed lines, readings of power, and the wish to end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lorgnette_device::camera::{self, Camera, Frame};
use lorgnette_device::clock::Clock;
use lorgnette_device::microphone::{self, Microphone};
use lorgnette_device::power::{PowerSource, SysfsPower};
use lorgnette_runtime::live::{Event, Presence};
use tokio::sync::mpsc;

use crate::commands::run::{self, PATIENCE, ears, eyes};
use crate::console::Live;

/// Between two looks at power.
const POWER: Duration = Duration::from_secs(10);

/// Between two looks at whether to end.
const NAP: Duration = Duration::from_millis(50);

/// What senses work with.
pub(super) struct Sense {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) out: mpsc::Sender<Event>,
    pub(super) ended: Arc<AtomicBool>,
}

impl Sense {
    /// Sends an event, and waits while too many others do. Whether somebody wants more.
    fn send(&self, event: Event) -> bool {
        !self.ended.load(Ordering::Relaxed) && self.out.blocking_send(event).is_ok()
    }

    fn wants_more(&self) -> bool {
        !self.ended.load(Ordering::Relaxed) && !self.out.is_closed()
    }
}

/// A thread for each sense that there is. A camera alone cannot be talked to.
pub(super) fn senses(
    arguments: &run::Arguments,
    live: &Live,
    sense: &dyn Fn() -> Sense,
) -> Result<Vec<JoinHandle<()>>, Box<dyn std::error::Error>> {
    let (ears, eyes) = (sense(), sense());
    let microphone = ears::open(arguments.microphone.as_deref(), ears.clock.clone())?;
    let mut threads = vec![named("ears", move || hear(microphone, &ears))?];
    let keys = sense();
    named("keys", move || read(&keys))?;
    let battery = sense();
    threads.push(named("battery", move || feel(&battery))?);
    match eyes::open(arguments.camera.as_deref(), &arguments.devices, eyes.clock.clone()) {
        Ok(camera) => threads.push(named("eyes", move || look(camera, &eyes))?),
        Err(error) => live.say(&error.to_string()),
    }
    Ok(threads)
}

/// Each line that is typed is a question. The thread cannot be woken, and is left behind at the end.
fn read(sense: &Sense) {
    for line in io::stdin().lines() {
        let Ok(line) = line else { return };
        if !line.trim().is_empty() && !sense.send(Event::Text(line)) {
            return;
        }
    }
}

fn named(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn hear(mut microphone: Box<dyn Microphone>, sense: &Sense) {
    use microphone::Event::{Chunk, Damaged, End, Lost, Muted, Reopened, Unmuted};
    while sense.wants_more() {
        let event = match microphone.next(sense.clock.now() + PATIENCE) {
            Chunk(chunk) => Event::Sound(chunk),
            Muted => Event::Mute(true),
            Unmuted => Event::Mute(false),
            Lost(_) => Event::Microphone(Presence::Lost),
            Reopened(_) => Event::Microphone(Presence::Back),
            // What a recording ends with is a question too; then there will be no other.
            Damaged(_) | End => {
                sense.send(Event::Finish);
                return;
            }
            _ => continue,
        };
        if !sense.send(event) {
            return;
        }
    }
}

fn look(mut camera: Box<dyn Camera>, sense: &Sense) {
    use camera::Event::{End, Frame as New, Lost, Reopened};
    let mut frame = Frame::default();
    while sense.wants_more() {
        let event = match camera.next(&mut frame, sense.clock.now() + PATIENCE) {
            New => Event::Frame(std::mem::take(&mut frame)),
            Lost(_) => Event::Camera(Presence::Lost),
            Reopened(_) => Event::Camera(Presence::Back),
            End => return,
            _ => continue,
        };
        if !sense.send(event) {
            return;
        }
    }
}

/// Reads how things are with power, from time to time.
fn feel(sense: &Sense) {
    let mut power = SysfsPower::new("/sys", sense.clock.clone());
    while sense.wants_more() {
        if !sense.send(Event::Power(power.read())) {
            return;
        }
        let next = sense.clock.now() + POWER;
        while sense.wants_more() && sense.clock.now() < next {
            thread::sleep(NAP);
        }
    }
}

/// Ends the talk when somebody wants that, or its time is over.
pub(super) fn keeper(live: &Live, limit: Option<Duration>, sense: Sense) -> JoinHandle<()> {
    let cancelled = live.flag();
    thread::spawn(move || {
        let start = sense.clock.now();
        while sense.wants_more() {
            let over = limit.is_some_and(|limit| sense.clock.now().since(start) >= limit);
            if over || cancelled.load(Ordering::Relaxed) {
                sense.send(Event::Shutdown);
                return;
            }
            thread::sleep(NAP);
        }
    })
}
