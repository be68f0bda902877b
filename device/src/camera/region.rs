//! A part of a picture.

use crate::{Error, ErrorKind, Result};

/// A rectangle of pixels, counted from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    /// Pixels left of it.
    pub x: usize,
    /// Pixels above it.
    pub y: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
}

impl Region {
    /// All of a picture.
    pub const fn whole(width: usize, height: usize) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    /// The same place in a picture of another size: a box found on a thumbnail of `from` (width, height), in the
    /// frame of `to`. It grows to whole pixels, so that nothing is cut off.
    #[must_use]
    pub fn scaled(self, from: (usize, usize), to: (usize, usize)) -> Self {
        let (x, width) = scaled_span(self.x, self.width, from.0, to.0);
        let (y, height) = scaled_span(self.y, self.height, from.1, to.1);
        Self { x, y, width, height }
    }

    /// The same box with `margin` pixels more on each side, as far as there are any on the left and above.
    #[must_use]
    pub fn grown(self, margin: usize) -> Self {
        let (left, top) = (margin.min(self.x), margin.min(self.y));
        Self {
            x: self.x - left,
            y: self.y - top,
            width: self.width.saturating_add(left).saturating_add(margin),
            height: self.height.saturating_add(top).saturating_add(margin),
        }
    }

    /// What of it lies within a picture of this size.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when nothing does.
    pub fn within(self, width: usize, height: usize) -> Result<Self> {
        let clipped = Self {
            width: self.width.min(width.saturating_sub(self.x)),
            height: self.height.min(height.saturating_sub(self.y)),
            ..self
        };
        if clipped.width == 0 || clipped.height == 0 {
            let detail = format!("found {self:?}, expected a part of {width} x {height} pixels");
            return Err(Error::new(ErrorKind::Argument, detail));
        }
        Ok(clipped)
    }
}

fn scaled_span(start: usize, length: usize, from: usize, to: usize) -> (usize, usize) {
    let scale = |at: usize, round_up: u128| {
        let scaled = (at as u128 * to as u128 + round_up) / from.max(1) as u128;
        usize::try_from(scaled).unwrap_or(usize::MAX)
    };
    let first = scale(start, 0);
    let last = scale(start.saturating_add(length), from.max(1) as u128 - 1);
    (first, last - first)
}
