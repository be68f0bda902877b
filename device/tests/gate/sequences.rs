//! What is tried: each sequence has frames in which nothing happens, and events of which none may be missed.

use super::scene::{Sensor, State};

pub(crate) struct Sequence {
    pub(crate) name: &'static str,
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Whether frames go through a JPEG on their way, as those of a webcam do.
    pub(crate) jpeg: bool,
    /// What is to be seen in frame `index`.
    pub(crate) state: fn(usize) -> State,
    pub(crate) sensor: fn(usize) -> Sensor,
}

pub(crate) const FRAMES: usize = 60;

const QUIET: Sensor = Sensor { noise: 4.0, exposure: 1.0, shake: (4, 4), contrast: 1.0 };

const fn sequence(name: &'static str, state: fn(usize) -> State, sensor: fn(usize) -> Sensor) -> Sequence {
    Sequence { name, width: 1280, height: 720, jpeg: false, state, sensor }
}

impl Sequence {
    const fn small(self) -> Self {
        Self { width: 640, height: 480, ..self }
    }

    const fn through_jpeg(self) -> Self {
        Self { jpeg: true, ..self }
    }
}

pub(crate) const SEQUENCES: &[Sequence] = &[
    sequence("nothing happens", nothing, quiet),
    sequence("nothing happens, 640x480", nothing, quiet).small(),
    sequence("nothing happens, through JPEG", nothing, quiet).through_jpeg(),
    sequence("nothing happens in a dark room", nothing, dark),
    sequence("nothing happens in a dark room, 640x480", nothing, dark).small(),
    sequence("exposure drifts by 40 %", nothing, drifting),
    sequence("a lamp flickers by 10 %", nothing, flickering),
    sequence("the head trembles", nothing, trembling),
    sequence("the head trembles, 640x480", nothing, trembling).small(),
    sequence("a hand enters", hand, quiet),
    sequence("a hand enters while exposure drifts", hand, drifting),
    sequence("a hand enters in a dark room, 640x480", hand, dark).small(),
    sequence("a label turns", label, quiet),
    sequence("a label turns, 640x480", label, quiet).small(),
    sequence("a label turns, through JPEG", label, quiet).through_jpeg(),
    sequence("a label turns while the head trembles", label, trembling),
    sequence("a display counts", digit, quiet),
    sequence("a display counts while exposure drifts", digit, drifting),
    sequence("somebody far away steps in, moves, leaves", person, quiet),
    sequence("something small lies here and there", button, quiet),
    sequence("something small lies here and there, 640x480", button, quiet).small(),
    sequence("the wearer turns", turn, quiet),
    sequence("the wearer turns before a pale wall", turn, pale),
    sequence("the wearer turns slowly, then stops", creep, quiet),
];

fn nothing(_: usize) -> State {
    State::default()
}

/// In from frame 20 to 24, out from 45 to 49.
fn hand(index: usize) -> State {
    let steps = index.saturating_sub(19).min(5).min(50usize.saturating_sub(index));
    State { hand: 20 * steps, ..State::default() }
}

fn label(index: usize) -> State {
    State { label: index as u64 / 15, ..State::default() }
}

fn digit(index: usize) -> State {
    State { digit: index / 12, ..State::default() }
}

fn person(index: usize) -> State {
    let person = match index {
        10..25 => 600,
        25..40 => 640,
        _ => 0,
    };
    State { person, ..State::default() }
}

/// In two frames of four, each time by four pixels further to the right and down in a tile of 64 x 64.
fn button(index: usize) -> State {
    let (place, there) = (index / 4, index % 4 >= 2);
    let button = there.then_some((64 + 68 * place, 128 + 64 * (place % 7) + 4 * place));
    State { button, ..State::default() }
}

fn turn(index: usize) -> State {
    State { pan: if index < 30 { 0 } else { 150 }, ..State::default() }
}

fn creep(index: usize) -> State {
    State { pan: index.clamp(10, 30) - 10, ..State::default() }
}

fn quiet(_: usize) -> Sensor {
    QUIET
}

fn dark(_: usize) -> Sensor {
    Sensor { noise: 10.0, exposure: 0.4, ..QUIET }
}

/// From 0.8 to 1.2 and back, in steps of a triangle.
fn drifting(index: usize) -> Sensor {
    let phase = (index % 40).min(40 - index % 40) as f32 / 20.0;
    Sensor { exposure: 0.8 + 0.4 * phase, ..QUIET }
}

fn flickering(index: usize) -> Sensor {
    Sensor { exposure: [0.95, 1.0, 1.05, 1.0][index % 4], ..QUIET }
}

fn trembling(index: usize) -> Sensor {
    Sensor { shake: (4 + [0, 1, 1, 0, 0][index % 5], 4 + [0, 0, 1, 1][index % 4]), ..QUIET }
}

fn pale(_: usize) -> Sensor {
    Sensor { contrast: 0.25, ..QUIET }
}
