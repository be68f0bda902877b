//! Where light and sound come from.

use super::Desk;
use crate::Result;
use crate::glasses::{Feed, Jack, Light};
use crate::input::{Source, Sources};

/// Lets a device go when it is dropped.
pub(super) type Held = Box<dyn Send>;

impl Desk {
    pub(super) fn take_from(&mut self, Sources { camera, microphone }: &Sources) -> Result<()> {
        let (light, eyes) = match camera {
            Some(source) => self.light(source).map(|(light, eyes)| (Some(light), eyes))?,
            None => (None, None),
        };
        let (jack, ears) = match microphone {
            Some(source) => self.sound(source).map(|(jack, ears)| (Some(jack), ears))?,
            None => (None, None),
        };
        if let (Some(light), Some(source)) = (light, camera) {
            self.settings.camera = source.clone();
            self.borrowed[0] = eyes;
            self.glasses.see(light);
        }
        if let (Some(jack), Some(source)) = (jack, microphone) {
            self.settings.microphone = source.clone();
            self.borrowed[1] = ears;
            self.glasses.hear(jack);
        }
        Ok(())
    }

    fn light(&self, source: &Source) -> Result<(Box<dyn Light>, Option<Held>)> {
        Ok(match source {
            Source::Scene => match &self.settings.scene {
                Some(name) => (Box::new(self.scenes.scene(name)?.shot.clone()), None),
                None => (Box::new(Feed::default()), None),
            },
            Source::Browser => (Box::new(self.browser.0.clone()), None),
            Source::Machine => {
                let feed = Feed::default();
                let eyes = self.machine.see(feed.clone())?;
                (Box::new(feed), Some(eyes))
            }
            Source::Session(name) => (Box::new((self.sessions)(name)?.into_light()), None),
        })
    }

    fn sound(&self, source: &Source) -> Result<(Jack, Option<Held>)> {
        Ok(match source {
            Source::Scene => (self.said.clone(), None),
            Source::Browser => (self.browser.1.clone(), None),
            Source::Machine => {
                let jack = Jack::live();
                let ears = self.machine.hear(jack.clone())?;
                (jack, Some(ears))
            }
            Source::Session(name) => {
                let jack = Jack::of_recordings();
                jack.push((self.sessions)(name)?.into_sound());
                (jack, None)
            }
        })
    }
}
