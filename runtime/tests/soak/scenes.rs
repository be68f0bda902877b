//! What happens in a talk: the next seconds of it, with at most one fault of the senses.

use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::power::{ChargeState, PowerReading};
use lorgnette_runtime::live::{Button, Event, Presence};

use crate::script::Script;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    /// From 20 ms to `most` ms.
    fn milliseconds(&mut self, most: u64) -> u64 {
        20 * (1 + self.below(most / 20))
    }
}

/// Events, each with when it comes, in milliseconds, and the time that the clock shows then.
pub(crate) struct Scene {
    pub(crate) events: Vec<(u64, Timestamp, Event)>,
    pub(crate) end: u64,
    /// How many times as long as usual the engine takes.
    pub(crate) slowness: u64,
}

impl Scene {
    /// A scene in which nothing goes wrong.
    pub(crate) fn quiet(script: Script) -> Self {
        let stamped =
            |(time, event): (Timestamp, Event)| (time.since_start().as_millis() as u64, time, event);
        Self { events: script.events.into_iter().map(stamped).collect(), end: script.now, slowness: 1 }
    }

    /// Some of the sound never came, and the microphone says so.
    fn stuttering(mut self, dice: &mut Dice) -> Self {
        let mut overruns = 0;
        self.events.retain_mut(|(.., event)| {
            let Event::Sound(chunk) = event else { return true };
            let is_lost = dice.below(4) == 0;
            overruns += u64::from(is_lost);
            chunk.overruns = overruns;
            !is_lost
        });
        self
    }

    /// The clock is set, by up to two hours.
    fn jumping(mut self, dice: &mut Dice) -> Self {
        let from = dice.below(self.events.len() as u64) as usize;
        let by = Duration::from_secs(dice.below(7_200));
        let back = dice.below(2) == 0;
        for (_, stamp, _) in self.events.iter_mut().skip(from) {
            *stamp = if back { *stamp - by } else { *stamp + by };
        }
        self
    }
}

/// What comes next, from `now` on.
pub(crate) fn scene(dice: &mut Dice, now: u64) -> Scene {
    let script = Script { now, ..Script::default() };
    let shade = dice.below(250) as u8;
    let speech = dice.milliseconds(4_000);
    let pause = dice.milliseconds(600);
    let script = if dice.below(4) > 0 { script.view(shade) } else { script };
    let slowness = if dice.below(12) == 0 { 8 } else { 1 };
    let scene = match dice.below(18) {
        0 => Scene::quiet(
            script
                .speech(speech)
                .then(Event::Microphone(Presence::Lost))
                .silence(pause)
                .then(Event::Microphone(Presence::Back)),
        ),
        1 => Scene::quiet(
            script
                .then(Event::Camera(Presence::Lost))
                .speech(speech)
                .silence(pause)
                .then(Event::Camera(Presence::Back)),
        ),
        2 => {
            Scene::quiet(script.speech(speech).then(Event::Mute(true)).speech(pause).then(Event::Mute(false)))
        }
        3 => Scene::quiet(script.speech(speech).silence(300).then(Event::Cancel)),
        4 => Scene::quiet(script.then(Event::Text("what is it?".to_owned())).silence(pause)),
        5 => Scene::quiet(
            script
                .then(Event::Button(Button::Down))
                .speech(speech)
                .then(Event::Button(Button::Up))
                .silence(pause),
        ),
        6 => Scene::quiet(script.speech(40).silence(pause).speech(20).silence(500)),
        7 => Scene::quiet(script.speech(speech).silence(500)).stuttering(dice),
        8 => Scene::quiet(script.speech(speech).silence(500)).jumping(dice),
        9 => Scene::quiet(script.then(Event::Button(Button::Up)).then(Event::Mute(false)).silence(pause)),
        10 => Scene::quiet(script.speech(speech).silence(260).speech(pause).silence(500)),
        11 => Scene::quiet(script.then(Event::Power(power(dice))).speech(speech).silence(500)),
        12 => Scene::quiet(damaged(script.speech(speech).silence(500), dice)),
        _ => {
            let goes_on = dice.milliseconds(1_000);
            Scene::quiet(script.speech(speech).silence(pause).speech(goes_on).silence(600))
        }
    };
    Scene { slowness, ..scene }
}

fn power(dice: &mut Dice) -> PowerReading {
    let charge = Some(dice.below(101) as f64 / 100.0);
    PowerReading { charge, state: Some(ChargeState::Discharging), ..PowerReading::default() }
}

/// A chunk of sound has numbers in it that are none.
fn damaged(mut script: Script, dice: &mut Dice) -> Script {
    let at = dice.below(script.events.len() as u64) as usize;
    for (_, event) in script.events.iter_mut().skip(at).take(1) {
        if let Event::Sound(chunk) = event {
            chunk.samples[7] = f32::NAN;
        }
    }
    script
}
