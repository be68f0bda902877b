//! What the sensors of the glasses are given: light and sound, from wherever they come.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::microphone::CHUNK_LEN;

/// A picture as the camera of the glasses writes it: a JPEG. Clones share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot(Arc<[u8]>);

impl Shot {
    /// A JPEG.
    pub fn new(jpeg: impl Into<Arc<[u8]>>) -> Self {
        Self(jpeg.into())
    }

    /// Its bytes.
    pub fn jpeg(&self) -> &[u8] {
        &self.0
    }

    /// Whether the two are the same picture in memory.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What light falls into the camera.
pub trait Light: Send {
    /// What frame `sequence`, taken at `now`, shows; `None` if nothing is there to take.
    fn frame(&mut self, now: Timestamp, sequence: u64) -> Option<Shot>;
}

/// The same picture for ever.
impl Light for Shot {
    fn frame(&mut self, _: Timestamp, _: u64) -> Option<Shot> {
        Some(self.clone())
    }
}

/// The light of a camera that somebody else drives. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Mutex<Option<(Timestamp, Shot)>>>);

/// A camera that sent nothing for so long has stopped.
const STALE: Duration = Duration::from_secs(2);

impl Feed {
    /// Shows `shot` from `now` on.
    pub fn show(&self, shot: Shot, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, shot));
    }
}

impl Light for Feed {
    fn frame(&mut self, now: Timestamp, _: u64) -> Option<Shot> {
        let newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = newest.as_ref().filter(|(since, _)| now.since(*since) < STALE);
        newest.map(|(_, shot)| shot.clone())
    }
}

/// Sound at 16 kHz on its way to the microphone of the glasses. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Jack(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    samples: VecDeque<f32>,
    /// Samples that have to wait before any of them is heard: what comes in fits and starts is heard without gaps then.
    least: usize,
    /// Samples that wait at most; the oldest are forgotten.
    most: usize,
    flowing: bool,
}

/// The longest that may be said at once: ten minutes.
const LONGEST: usize = 600 * 16_000;

impl Jack {
    /// For recordings, which wait as long as it takes.
    pub fn of_recordings() -> Self {
        Self(Arc::new(Mutex::new(Waiting { most: LONGEST, ..Waiting::default() })))
    }

    /// For a microphone that somebody else drives, whose sound comes irregularly.
    pub fn live() -> Self {
        let (least, most) = (3 * CHUNK_LEN, 20 * CHUNK_LEN);
        Self(Arc::new(Mutex::new(Waiting { least, most, ..Waiting::default() })))
    }

    /// More sound, behind what waits.
    pub fn push(&self, samples: impl IntoIterator<Item = f32>) {
        let mut waiting = self.lock();
        waiting.samples.extend(samples);
        let over = waiting.samples.len().saturating_sub(waiting.most);
        waiting.samples.drain(..over);
    }

    /// Whether nothing waits to be heard.
    pub fn is_silent(&self) -> bool {
        self.lock().samples.is_empty()
    }

    /// Forgets what waits.
    pub fn clear(&self) {
        self.lock().samples.clear();
    }

    /// The next 20 ms: silence where nothing waits.
    pub(super) fn take(&self) -> Vec<f32> {
        let mut waiting = self.lock();
        let enough = if waiting.flowing { 1 } else { waiting.least.max(1) };
        waiting.flowing = waiting.samples.len() >= enough;
        let taken = if waiting.flowing { waiting.samples.len().min(CHUNK_LEN) } else { 0 };
        let mut samples: Vec<f32> = waiting.samples.drain(..taken).collect();
        samples.resize(CHUNK_LEN, 0.0);
        samples
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_heard_to_its_end_and_then_there_is_silence() {
        let jack = Jack::of_recordings();
        jack.push(vec![0.5; CHUNK_LEN + 1]);
        assert_eq!(jack.take(), [0.5; CHUNK_LEN]);
        let last = jack.take();
        assert_eq!((last[0], last[1], last.len()), (0.5, 0.0, CHUNK_LEN));
        assert!(jack.is_silent());
        assert_eq!(jack.take(), [0.0; CHUNK_LEN]);
    }

    #[test]
    fn live_sound_waits_until_there_is_enough_and_never_piles_up() {
        let jack = Jack::live();
        jack.push(vec![0.5; 2 * CHUNK_LEN]);
        assert_eq!(jack.take(), [0.0; CHUNK_LEN]);
        jack.push(vec![0.5; CHUNK_LEN]);
        assert_eq!([jack.take(), jack.take(), jack.take()].concat(), [0.5; 3 * CHUNK_LEN]);
        assert_eq!(jack.take(), [0.0; CHUNK_LEN]);
        jack.push(vec![0.25; 100 * CHUNK_LEN]);
        let heard = (0..100).take_while(|_| jack.take()[0] != 0.0).count();
        assert_eq!(heard, 20);
    }

    #[test]
    fn a_feed_that_stopped_shows_nothing() {
        let mut feed = Feed::default();
        assert_eq!(feed.frame(Timestamp::default(), 0), None);
        let shot = Shot::new(vec![1]);
        feed.show(shot.clone(), Timestamp::default());
        assert!(feed.frame(Timestamp::from_start(STALE / 2), 0).is_some_and(|seen| seen.is(&shot)));
        assert_eq!(feed.frame(Timestamp::from_start(STALE), 0), None);
    }
}
