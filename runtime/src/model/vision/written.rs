//! How Idefics3 and SmolVLM write a picture into a prompt (`Idefics3Processor` in Hugging Face's code).

use super::pixels::Place;
use crate::model::media::Placeholder;

/// What stands for a picture in the text of a template.
pub(super) const PLACEHOLDER: Placeholder = Placeholder { token: "<image>", framed: "<image>" };

const FRAME: &str = "<fake_token_around_image>";

/// A piece of a prompt that shows a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Text, with control tokens.
    Text(String),
    /// The rows of a tile.
    Tile(Place),
}

/// A picture that was cut into `rows` x `columns` tiles, or into none.
pub(super) fn written(rows: usize, columns: usize) -> Vec<Written> {
    let mut pieces = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let line_end = if row > 0 && column == 0 { "\n" } else { "" };
            let name = format!("{line_end}{FRAME}<row_{}_col_{}>", row + 1, column + 1);
            pieces.extend([Written::Text(name), Written::Tile(Place::Part { row, column })]);
        }
    }
    let line_ends = if rows > 0 { "\n\n" } else { "" };
    pieces.push(Written::Text(format!("{line_ends}{FRAME}<global-img>")));
    pieces.extend([Written::Tile(Place::Overview), Written::Text(FRAME.to_owned())]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rows: usize, columns: usize) -> String {
        let text = |piece| match piece {
            Written::Text(text) => text,
            Written::Tile(_) => PLACEHOLDER.token.to_owned(),
        };
        written(rows, columns).into_iter().map(text).collect()
    }

    #[test]
    fn pictures_are_written_as_the_processor_does() {
        let overview = "<fake_token_around_image><global-img><image><fake_token_around_image>";
        assert_eq!(text(0, 0), overview);
        let tile = |name: &str| format!("<fake_token_around_image><row_{name}><image>");
        let rows = [["1_col_1", "1_col_2"], ["2_col_1", "2_col_2"]].map(|row| row.map(tile).concat());
        assert_eq!(text(2, 2), format!("{}\n{}\n\n{overview}", rows[0], rows[1]));
    }
}
