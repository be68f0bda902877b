//! An hour of talk in simulated time, with faults that a seed draws.

use std::time::Duration;

use lorgnette_runtime::ErrorKind;
use lorgnette_runtime::live::{Button, Event, Job, Presence, Report, Session, Worker, replay};
use lorgnette_runtime::mode::Mode;

use crate::faults::Fragile;
use crate::script::{Script, engine, session};

const HOUR: u64 = 3_600_000;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
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

/// The next seconds of a talk, with at most one fault.
fn scene(dice: &mut Dice, now: u64) -> Script {
    let script = Script { now, ..Script::default() };
    let shade = dice.below(250) as u8;
    let speech = dice.milliseconds(4_000);
    let pause = dice.milliseconds(600);
    let script = if dice.below(4) > 0 { script.view(shade) } else { script };
    match dice.below(16) {
        0 => script
            .speech(speech)
            .then(Event::Microphone(Presence::Lost))
            .silence(pause)
            .then(Event::Microphone(Presence::Back)),
        1 => script
            .then(Event::Camera(Presence::Lost))
            .speech(speech)
            .silence(pause)
            .then(Event::Camera(Presence::Back)),
        2 => script.speech(speech).then(Event::Mute(true)).speech(pause).then(Event::Mute(false)),
        3 => script.speech(speech).silence(300).then(Event::Cancel),
        4 => script.then(Event::Text("what is it?".to_owned())).silence(pause),
        5 => script
            .then(Event::Button(Button::Down))
            .speech(speech)
            .then(Event::Button(Button::Up))
            .silence(pause),
        6 => script.speech(40).silence(pause).speech(20).silence(500),
        7 => stuttering(script.speech(speech).silence(500), dice),
        8 => jumping(script.speech(speech).silence(500), dice),
        9 => script.then(Event::Button(Button::Up)).then(Event::Mute(false)).silence(pause),
        10 => script.speech(speech).silence(260).speech(pause).silence(500),
        _ => script.speech(speech).silence(pause).speech(dice.milliseconds(1_000)).silence(600),
    }
}

fn stuttering(mut script: Script, dice: &mut Dice) -> Script {
    script.events.retain(|(_, event)| !matches!(event, Event::Sound(_)) || dice.below(4) > 0);
    script
}

fn jumping(mut script: Script, dice: &mut Dice) -> Script {
    let (from, by) =
        (dice.below(script.events.len() as u64) as usize, Duration::from_secs(dice.below(7_200)));
    let back = dice.below(2) == 0;
    for (time, _) in script.events.iter_mut().skip(from) {
        *time = if back { *time - by } else { *time + by };
    }
    script
}

/// Whether the reports tell a story: a turn that begins has an end, and only one.
#[derive(Default)]
struct Story {
    turns: usize,
    answered: usize,
    broke: usize,
    dropped: usize,
    last: u64,
}

impl Story {
    fn hear(&mut self, report: &Report) {
        match report {
            Report::Turn(trace) => {
                assert!(trace.turn > self.last, "turn {} again", trace.turn);
                self.last = trace.turn;
                self.turns += 1;
            }
            Report::Answered(_) => self.answered += 1,
            Report::Dropped => self.dropped += 1,
            Report::Failed(error) => {
                assert_eq!(error.kind(), ErrorKind::Broken, "{error}");
                self.broke += 1;
            }
            _ => {}
        }
    }
}

fn soak(seed: u64, length: u64) -> Story {
    let mut dice = Dice(seed);
    let whole = engine();
    let mut talk: Session = session(whole.cancel());
    let breaks = |job: &Job| matches!(job, Job::Answer(id, _) if id % 29 == 0);
    let mut engine: Box<dyn Worker> = Box::new(Fragile::new(whole, breaks, usize::MAX));
    let (mut story, mut now) = (Story::default(), 0);
    while now < length {
        talk.set_mode(match dice.below(8) {
            0 => Some(Mode::Thinking { budget: 6 }),
            1 => None,
            _ => Some(Mode::Instant),
        });
        let scene = scene(&mut dice, now);
        now = scene.now;
        replay(&mut talk, &mut *engine, scene.events, &mut |_, report| story.hear(&report));
    }
    let mut ended = 0;
    let last = [(crate::script::at(now), Event::Finish)];
    replay(&mut talk, &mut *engine, last, &mut |_, report| {
        story.hear(&report);
        ended += usize::from(matches!(report, Report::Ended));
    });
    assert_eq!(ended, 1, "the talk ends");
    story
}

#[test]
fn some_minutes_with_faults_leave_a_talk_whole() {
    let story = soak(1, HOUR / 120);
    assert!(story.answered > 3, "{} answers, {} dropped", story.answered, story.dropped);
}

#[test]
#[ignore = "takes minutes: make soak"]
fn an_hour_with_faults_leaves_a_talk_whole() {
    for seed in [2, 3] {
        let story = soak(seed, HOUR);
        assert!(story.turns > 600, "{} turns", story.turns);
        assert!(story.answered * 10 > story.turns * 6, "{} answers in {} turns", story.answered, story.turns);
        assert!(story.dropped > 20 && story.broke > 0);
    }
}
