//! Made sequences: a room, what happens in it, and what a sensor makes of that.

use super::common::random::Random;

/// What is to be seen. Two equal states show the same picture before the sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct State {
    /// How far the wearer has turned, in pixels.
    pub(crate) pan: usize,
    /// How far a hand has come in, of 100.
    pub(crate) hand: usize,
    /// Which side of a package is in front.
    pub(crate) label: u64,
    /// The digit on a small display.
    pub(crate) digit: usize,
    /// Where somebody far away stands, in pixels from the left; nobody at 0.
    pub(crate) person: usize,
    /// Where a button of 32 x 32 pixels (of 1280 x 720) lies, in pixels from the left and top.
    pub(crate) button: Option<(usize, usize)>,
}

impl State {
    /// Whether the other state is this one, but for a turn of the head by a few pixels.
    pub(crate) fn looks_like(&self, other: &Self) -> bool {
        self.pan.abs_diff(other.pan) <= 4 && Self { pan: 0, ..*self } == Self { pan: 0, ..*other }
    }
}

/// What the sensor does to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sensor {
    /// Deviation of the noise of a pixel, in levels.
    pub(crate) noise: f32,
    /// Brightness, as a part of what is right.
    pub(crate) exposure: f32,
    /// Where the head has trembled to, in pixels.
    pub(crate) shake: (usize, usize),
    /// Contrast of the room, as a part of the usual.
    pub(crate) contrast: f32,
}

/// A room larger than the picture, of which the wearer sees a part.
pub(crate) struct Room {
    width: usize,
    height: usize,
    wall: Vec<u8>,
    wall_width: usize,
    /// Noise of deviation 1, from which each row takes a piece.
    noise: Vec<f32>,
    /// The picture before the sensor, and what it shows.
    levels: Vec<f32>,
    shown: Option<(State, (usize, usize))>,
}

/// Room for turning and trembling.
const MARGIN: usize = 420;

impl Room {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        let (wall_width, wall_height) = (width + MARGIN, height + 8);
        let mut random = Random(7);
        let mut wall = vec![0u8; wall_width * wall_height];
        for (at, pixel) in wall.iter_mut().enumerate() {
            // Light falls from the left.
            *pixel = (150 - 60 * (at % wall_width) / wall_width) as u8;
        }
        for _ in 0..60 {
            let (w, h) =
                (20 + random.below(width as u64 / 5) as usize, 20 + random.below(height as u64 / 4) as usize);
            let (x, y) = (
                random.below((wall_width - w) as u64) as usize,
                random.below((wall_height - h) as u64) as usize,
            );
            let (base, stripe) = (30 + random.below(180) as u8, 3 + random.below(20) as usize);
            for row in y..y + h {
                for column in x..x + w {
                    wall[row * wall_width + column] = base + if (column / stripe) % 2 == 0 { 18 } else { 0 };
                }
            }
        }
        let noise = (0..width + (1 << 16)).map(|_| random.normal()).collect();
        Self { width, height, wall, wall_width, noise, levels: Vec::new(), shown: None }
    }

    /// The brightness that the sensor gives: `[height][width]`.
    pub(crate) fn seen(&mut self, state: &State, sensor: &Sensor, random: &mut Random) -> Vec<u8> {
        if self.shown != Some((*state, sensor.shake)) {
            self.levels.clear();
            let pixels = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
            let levels: Vec<_> = pixels.map(|(x, y)| self.level(state, x, y, sensor)).collect();
            (self.levels, self.shown) = (levels, Some((*state, sensor.shake)));
        }
        let mut luma = Vec::with_capacity(self.levels.len());
        for row in self.levels.chunks_exact(self.width) {
            let noise = &self.noise[random.below(1 << 16) as usize..][..self.width];
            let pixels = row.iter().zip(noise);
            // Half a level more and cut off: rounded.
            luma.extend(
                pixels.map(|(level, noise)| (sensor.exposure * level + sensor.noise * noise + 0.5) as u8),
            );
        }
        luma
    }

    fn level(&self, state: &State, x: usize, y: usize, sensor: &Sensor) -> f32 {
        let (px, py) = (x + sensor.shake.0, y + sensor.shake.1);
        if let Some(level) = hand(state.hand, px, py, self.width, self.height) {
            return level;
        }
        let (x, y) = (1280 * (px + state.pan) / self.width, 720 * py / self.height);
        let thing = label(state.label, x, y)
            .or_else(|| digit(state.digit, x, y))
            .or_else(|| person(state.person, x, y));
        let wall = f32::from(self.wall[py * self.wall_width + px + state.pan]);
        let inside = |(left, top)| (left..left + 32).contains(&x) && (top..top + 32).contains(&y);
        if state.button.is_some_and(inside) {
            return if wall < 120.0 { 220.0 } else { 30.0 };
        }
        thing.unwrap_or(110.0 + sensor.contrast * (wall - 110.0))
    }
}

/// Four fingers from below on the right.
fn hand(percent: usize, x: usize, y: usize, width: usize, height: usize) -> Option<f32> {
    let reach = height * percent / 100 * 2 / 3;
    let (left, finger) = (width * 6 / 10, width / 24);
    let at = x.checked_sub(left)?;
    let is_finger = at / finger < 8 && (at / finger).is_multiple_of(2);
    let palm = at < 8 * finger && height - y.min(height) < reach / 3;
    ((is_finger && height - y.min(height) < reach) || palm).then_some(172.0)
}

/// A package of 200 x 110 pixels (of 1280 x 720) with four lines of something like text.
fn label(side: u64, x: usize, y: usize) -> Option<f32> {
    let (x, y) = (x.checked_sub(300)?, y.checked_sub(400)?);
    if x >= 200 || y >= 110 {
        return None;
    }
    let (line, glyph) = (y / 26, x / 12);
    let word = Random(side * 1000 + (line * 100 + glyph) as u64).next();
    let stroke = (word >> ((y % 26) / 5 * 4 + (x % 12) / 4)) & 1 == 1;
    Some(if stroke && y % 26 < 20 { 40.0 } else { 215.0 })
}

/// A display of one digit, 44 x 76 pixels (of 1280 x 720).
fn digit(value: usize, x: usize, y: usize) -> Option<f32> {
    const SEGMENTS: [u8; 10] = [0x77, 0x24, 0x5d, 0x6d, 0x2e, 0x6b, 0x7b, 0x25, 0x7f, 0x6f];
    let (x, y) = (x.checked_sub(900)?, y.checked_sub(100)?);
    if x >= 44 || y >= 76 {
        return None;
    }
    let (left, right) = (x < 10, x >= 34);
    let segment = match (y / 10, y < 38) {
        (0, _) => 0,
        (3, _) => 3,
        (7, _) => 6,
        (_, true) if left => 1,
        (_, true) if right => 2,
        (_, false) if left => 4,
        (_, false) if right => 5,
        _ => return Some(20.0),
    };
    Some(if SEGMENTS[value % 10] >> segment & 1 == 1 { 190.0 } else { 20.0 })
}

/// 36 x 100 pixels (of 1280 x 720).
fn person(left: usize, x: usize, y: usize) -> Option<f32> {
    let inside = left > 0 && (left..left + 36).contains(&x) && (260..360).contains(&y);
    inside.then_some(if y < 285 { 170.0 } else { 60.0 })
}
