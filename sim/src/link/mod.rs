//! The link between the glasses and the machine that thinks: how long things take to come across, and what gets lost.
//!
//! It carries whole messages, a frame or 20 ms of sound. How they are cut into packets and named on the wire is up to a
//! protocol that does not exist yet; it will take the place of `T`.

mod quality;

use std::collections::VecDeque;
use std::time::Duration;

use lorgnette_device::Timestamp;
use serde::Serialize;

pub use self::quality::{Change, Quality};

/// What a message is, and so how it is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Sound goes first, and waits for nothing but other sound.
    Sound,
    /// Pictures take what is left. One that comes while another is still being sent is given up.
    Picture,
}

/// The part of the bandwidth that is left to pictures.
const PICTURES: f64 = 0.8;

/// Sound that waits longer than this is given up.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What went across so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Bytes that were sent.
    pub sent_bytes: u64,
    /// Messages that were lost on the way, or given up.
    pub lost: u64,
}

/// A link. Time is passed in, and what is lost follows from the seed.
pub struct Link<T> {
    quality: Quality,
    random: SplitMix,
    /// Until when the line is taken, for sound and for pictures.
    busy: [Timestamp; 2],
    on_their_way: VecDeque<(Timestamp, usize, T)>,
    traffic: Traffic,
}

impl<T> Link<T> {
    /// A link of that quality.
    pub fn new(quality: Quality, seed: u64) -> Self {
        Self {
            quality,
            random: SplitMix(seed),
            busy: [Timestamp::default(); 2],
            on_their_way: VecDeque::new(),
            traffic: Traffic::default(),
        }
    }

    /// How good it is.
    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// It is otherwise from now on. What is on its way over a link that is cut never arrives.
    pub fn set_quality(&mut self, quality: Quality) {
        self.quality = quality;
        if !quality.connected {
            self.traffic.lost += self.on_their_way.len() as u64;
            self.on_their_way.clear();
            self.busy = [Timestamp::default(); 2];
        }
    }

    /// What went across so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Bytes that are on their way.
    pub fn waiting_bytes(&self) -> usize {
        self.on_their_way.iter().map(|(_, bytes, _)| bytes).sum()
    }

    /// Sends a message of `bytes` at `now`. Whether it was sent at all.
    pub fn send(&mut self, message: T, class: Class, bytes: usize, now: Timestamp) -> bool {
        let (line, share) = match class {
            Class::Sound => (0, 1.0),
            Class::Picture => (1, PICTURES),
        };
        let wait = self.busy[line].since(now);
        let given_up = match class {
            Class::Sound => wait > LONGEST_WAIT,
            Class::Picture => !wait.is_zero(),
        };
        if !self.quality.connected || given_up {
            self.traffic.lost += 1;
            return false;
        }
        self.traffic.sent_bytes += bytes as u64;
        self.busy[line] = now.max(self.busy[line]) + self.quality.time_of(bytes, share);
        if self.random.unit() < self.quality.loss {
            self.traffic.lost += 1;
            return false;
        }
        let arrival = self.busy[line] + Duration::from_secs_f64(self.quality.latency_ms / 1000.0);
        let at = self.on_their_way.partition_point(|(other, ..)| *other <= arrival);
        self.on_their_way.insert(at, (arrival, bytes, message));
        true
    }

    /// When the next message arrives, if nothing changes.
    pub fn next_arrival(&self) -> Option<Timestamp> {
        self.on_their_way.front().map(|(arrival, ..)| *arrival)
    }

    /// The next message that has arrived by `now`, and when it did.
    pub fn arrived(&mut self, now: Timestamp) -> Option<(Timestamp, T)> {
        self.next_arrival().filter(|arrival| *arrival <= now)?;
        self.on_their_way.pop_front().map(|(at, _, message)| (at, message))
    }
}

/// Random numbers that follow from a seed: SplitMix64 (Steele, Lea and Flood, 2014).
struct SplitMix(u64);

impl SplitMix {
    /// From 0 up to 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_start(Duration::from_millis(ms))
    }

    fn link(change: Change) -> Link<u32> {
        let quality = Quality { latency_ms: 10.0, bandwidth_kbps: 80.0, ..Quality::default() };
        Link::new(quality.changed(change).unwrap(), 7)
    }

    #[test]
    fn a_message_arrives_after_its_bytes_and_the_latency() {
        let mut link = link(Change::default());
        assert!(link.send(1, Class::Sound, 100, at(0)));
        assert!(link.send(2, Class::Sound, 100, at(0)));
        assert_eq!(link.next_arrival(), Some(at(20)));
        assert_eq!(link.arrived(at(19)), None);
        assert_eq!(link.arrived(at(20)), Some((at(20), 1)));
        assert_eq!(link.waiting_bytes(), 100);
        assert_eq!(link.arrived(at(100)), Some((at(30), 2)), "one after the other");
    }

    #[test]
    fn sound_does_not_wait_for_pictures_and_a_late_picture_is_given_up() {
        let mut link = link(Change::default());
        assert!(link.send(1, Class::Picture, 8_000, at(0)));
        assert!(link.send(2, Class::Sound, 100, at(0)));
        assert!(!link.send(3, Class::Picture, 8_000, at(500)), "the first takes a second");
        assert_eq!(link.arrived(at(20)), Some((at(20), 2)));
        assert!(link.send(4, Class::Picture, 8_000, at(1_000)));
        assert_eq!(link.traffic(), Traffic { sent_bytes: 16_100, lost: 1 });
    }

    #[test]
    fn what_is_lost_follows_from_the_seed() {
        let lost = || {
            let mut link = link(Change { loss: Some(0.3), ..Change::default() });
            (0..1000).filter(|i| !link.send(0, Class::Sound, 1, at(100 * i))).collect::<Vec<_>>()
        };
        assert_eq!(lost(), lost());
        assert!((200..400).contains(&lost().len()), "{}", lost().len());
    }

    #[test]
    fn nothing_comes_over_a_link_that_was_cut() {
        let mut link = link(Change::default());
        link.send(1, Class::Sound, 100, at(0));
        link.set_quality(Quality { connected: false, ..link.quality() });
        assert_eq!(link.arrived(at(1_000)), None);
        assert!(!link.send(2, Class::Sound, 100, at(1_000)));
    }
}
