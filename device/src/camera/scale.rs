//! Resizing by a triangle filter that widens when it shrinks, so that thin strokes fade instead of vanishing.

use super::picture::Picture;

impl Picture {
    /// The picture at `width` x `height` pixels, each side brought within 1 and [`Picture::MAX_SIDE`], and the height
    /// within what [`Picture::MAX_PIXELS`] leaves.
    #[must_use]
    pub fn resize(&self, width: usize, height: usize) -> Self {
        let width = width.clamp(1, Self::MAX_SIDE);
        let height = height.clamp(1, Self::MAX_SIDE.min(Self::MAX_PIXELS / width));
        if self.rgb().is_empty() {
            return Self::filled(width, height, [0; 3]);
        }
        let columns: Vec<_> = (0..width).map(|x| Taps::new(x, width, self.width())).collect();
        let rows: Vec<_> = (0..height).map(|y| Taps::new(y, height, self.height())).collect();
        let mut narrow = vec![0.0f32; 3 * width * self.height()];
        let source = self.rgb().chunks_exact(3 * self.width());
        for (row, out) in source.zip(narrow.chunks_exact_mut(3 * width)) {
            for (taps, out) in columns.iter().zip(out.chunks_exact_mut(3)) {
                taps.sum(|x| &row[3 * x..3 * x + 3], |value| f32::from(*value), out);
            }
        }
        let mut picture = Self::default();
        let rgb = picture.resized(width, height);
        let mut sums = vec![0.0f32; 3 * width];
        for (taps, out) in rows.iter().zip(rgb.chunks_exact_mut(3 * width)) {
            taps.sum(|y| &narrow[3 * width * y..][..3 * width], |value| *value, &mut sums);
            out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = sum.round() as u8);
        }
        picture
    }

    /// The picture with its longest side at `side`, larger or smaller than it was.
    #[must_use]
    pub fn fit(&self, side: usize) -> Self {
        let longest = self.width().max(self.height()).max(1);
        let scaled = |length: usize| (length * side.min(Self::MAX_SIDE) + longest / 2) / longest;
        self.resize(scaled(self.width()), scaled(self.height()))
    }
}

/// The source pixels that one pixel is made of, and their shares, which add to 1.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Taps {
    fn new(at: usize, to: usize, from: usize) -> Self {
        let scale = from as f32 / to as f32;
        let reach = scale.max(1.0);
        let centre = (at as f32 + 0.5) * scale - 0.5;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor().max(0.0) as usize).min(from.saturating_sub(1));
        let mut weights: Vec<_> =
            (first..=last).map(|x| (1.0 - (x as f32 - centre).abs() / reach).max(0.0)).collect();
        let sum: f32 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Self { first, weights }
    }

    fn sum<'a, T: 'a>(&self, source: impl Fn(usize) -> &'a [T], value: impl Fn(&T) -> f32, out: &mut [f32]) {
        out.fill(0.0);
        for (x, weight) in (self.first..).zip(&self.weights) {
            out.iter_mut().zip(source(x)).for_each(|(out, v)| *out += weight * value(v));
        }
    }
}
