//! What is recorded while a simulator runs.

use lorgnette_runtime::live::Event;

use super::{Simulator, lock};
use crate::Result;
use crate::event::Happened;
use crate::record::Recorder;

impl Simulator {
    pub(super) fn take_down(&self, event: &Event) {
        let now = self.now();
        let taken = lock(&self.recorder).as_mut().map_or(Ok(()), |recorder| recorder.event(event, now));
        self.kept(taken);
    }

    /// Begins or ends a recording, which has the time as its name.
    pub(super) fn record(&self, on: bool) -> Result<()> {
        let mut recorder = lock(&self.recorder);
        match (recorder.is_some(), on) {
            (false, true) => {
                let name = chrono::Local::now().format("%Y-%m-%dT%H-%M-%S").to_string();
                *recorder = Some(Recorder::begin(&self.sessions.join(&name), self.now())?);
                self.hub.tell(&Happened::Recording { name: Some(name) }, self.now());
            }
            (true, false) => {
                let finished = recorder.take().map(|recorder| recorder.finish(self.now()));
                self.glasses.set_recording(false);
                self.hub.tell(&Happened::Recording { name: None }, self.now());
                finished.transpose()?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A recording that cannot go on ends, and that is said.
    pub(super) fn kept(&self, taken: Result<()>) {
        if let Err(error) = taken {
            *lock(&self.recorder) = None;
            self.glasses.set_recording(false);
            let now = self.now();
            self.hub.tell(&Happened::Failed { error: error.to_string() }, now);
            self.hub.tell(&Happened::Recording { name: None }, now);
        }
    }
}
