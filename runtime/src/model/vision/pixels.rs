//! What the vision tower takes.

/// The tiles that stand for one picture, in Hugging Face's order: row by row from the top left, then the overview.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Rows of tiles; 0 when there is only the overview.
    pub rows: usize,
    /// Columns of tiles; 0 when there is only the overview.
    pub columns: usize,
    /// `rows * columns` tiles and the overview.
    pub tiles: Vec<Tile>,
}

/// The input of one pass of the tower.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// What part of the picture it shows.
    pub place: Place,
    /// Its width and its height, in pixels.
    pub side: usize,
    /// Red, green and blue, each normalised by its mean and deviation: `[3][side][side]`, rows from the top.
    pub values: Vec<f32>,
}

/// What part of a picture a tile shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The whole picture, squeezed into a square.
    Overview,
    /// One part of it, counted from 0 at the top left.
    Part {
        /// From the top.
        row: usize,
        /// From the left.
        column: usize,
    },
}
