//! The sizes that the idefics3 processor resizes to, in the arithmetic of Hugging Face's `Idefics3ImageProcessor`:
//! its divisions in double precision decide what is rounded which way.

/// Width and height, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Size {
    fn is_wide(self) -> bool {
        self.width >= self.height
    }

    fn aspect(self) -> f64 {
        self.width as f64 / self.height as f64
    }

    /// The same shape with its longest edge at `edge`: the first of the two resizes.
    pub(super) fn with_longest_edge(self, edge: usize) -> Self {
        let even = |side: usize| side + side % 2;
        let scaled = if self.is_wide() {
            Self { width: edge, height: even(divided(edge, self.aspect())) }
        } else {
            Self { width: even(multiplied(edge, self.aspect())), height: edge }
        };
        Self { width: scaled.width.max(1), height: scaled.height.max(1) }
    }

    /// Both sides at multiples of `tile`, rounded up, the longer one first: the second of the two resizes.
    pub(super) fn in_tiles(self, tile: usize) -> Self {
        let round_up = |side: usize| side.div_ceil(tile) * tile;
        if self.is_wide() {
            let width = round_up(self.width);
            Self { width, height: round_up(divided(width, self.aspect())).max(tile) }
        } else {
            let height = round_up(self.height);
            Self { width: round_up(multiplied(height, self.aspect())).max(tile), height }
        }
    }
}

/// Python's `int(side / ratio)`.
fn divided(side: usize, ratio: f64) -> usize {
    (side as f64 / ratio) as usize
}

/// Python's `int(side * ratio)`.
fn multiplied(side: usize, ratio: f64) -> usize {
    (side as f64 * ratio) as usize
}
