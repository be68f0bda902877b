use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lorgnette_device::camera::{self, Camera, Frame, Picture};
use lorgnette_device::clock::Clock;
use lorgnette_device::microphone::{self, Microphone};
use lorgnette_sim::glasses::{Feed, Jack};
use lorgnette_sim::source::{Machine, shot};
use lorgnette_sim::{Error, Result};

use crate::commands::run::{ears, eyes};

/// How long a sense waits for its device before it looks whether to end.
const PATIENCE: Duration = Duration::from_millis(200);

/// This machine's camera and microphone.
pub(super) struct This {
    pub(super) camera: Option<String>,
    pub(super) microphone: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Ends a thread when it is dropped.
struct Leash(Arc<AtomicBool>);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Machine for This {
    fn is_there(&self) -> bool {
        true
    }

    fn see(&self, feed: Feed) -> Result<Box<dyn Send>> {
        let camera = eyes::open(self.camera.as_deref(), Path::new("/dev"), self.clock.clone())?;
        let clock = self.clock.clone();
        leashed("camera", move |ended| look(camera, &feed, &*clock, ended))
    }

    fn hear(&self, jack: Jack) -> Result<Box<dyn Send>> {
        let microphone = ears::open(self.microphone.as_deref(), self.clock.clone())?;
        let clock = self.clock.clone();
        leashed("microphone", move |ended| hear(microphone, &jack, &*clock, ended))
    }
}

fn leashed(name: &str, work: impl FnOnce(&AtomicBool) + Send + 'static) -> Result<Box<dyn Send>> {
    let ended = Arc::new(AtomicBool::new(false));
    let leash = Leash(Arc::clone(&ended));
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || work(&ended));
    spawned.map_err(|error| Error::io(name, "start a thread", &error))?;
    Ok(Box::new(leash))
}

fn look(mut camera: Box<dyn Camera>, feed: &Feed, clock: &dyn Clock, ended: &AtomicBool) {
    let (mut frame, mut picture) = (Frame::default(), Picture::default());
    while !ended.load(Ordering::Relaxed) {
        match camera.next(&mut frame, clock.now() + PATIENCE) {
            camera::Event::Frame => {}
            camera::Event::End => return,
            _ => continue,
        }
        // A frame that came damaged is followed by another.
        if let Ok(shot) = shot(&frame, &mut picture) {
            feed.show(shot, clock.now());
        }
    }
}

fn hear(mut microphone: Box<dyn Microphone>, jack: &Jack, clock: &dyn Clock, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        match microphone.next(clock.now() + PATIENCE) {
            microphone::Event::Chunk(chunk) => jack.push(chunk.samples.iter().copied()),
            microphone::Event::End => return,
            _ => {}
        }
    }
}
