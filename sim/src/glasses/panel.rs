//! What answers are shown on: displays of known kinds, and how text is laid out on them.

use serde::{Deserialize, Serialize};

/// A kind of display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Panel {
    /// Even Realities G1: wide and low.
    #[default]
    EvenG1,
    /// Brilliant Labs Halo: small and square.
    Halo,
    /// Vuzix Z100: a page.
    VuzixZ100,
}

/// The measures of a display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Measures {
    /// As in inputs.
    pub name: Panel,
    /// What people call it.
    pub title: &'static str,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Characters in a line.
    pub columns: usize,
    /// Lines on the display.
    pub lines: usize,
}

/// The pixels that a character takes, with the space around it.
pub(super) const CELL: (u32, u32) = (10, 25);

impl Panel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EvenG1, Self::Halo, Self::VuzixZ100];

    /// How large it is.
    pub fn measures(self) -> Measures {
        let (title, width, height) = match self {
            Self::EvenG1 => ("Even G1", 576, 136),
            Self::Halo => ("Halo", 256, 256),
            Self::VuzixZ100 => ("Vuzix Z100", 640, 480),
        };
        let (columns, lines) = ((width / CELL.0) as usize, (height / CELL.1) as usize);
        Measures { name: self, title, width, height, columns, lines }
    }
}

/// `text` in lines of at most `columns` characters, broken between words where there is room for a word at all.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    text.trim().lines().flat_map(|paragraph| wrap_paragraph(paragraph, columns)).collect()
}

fn wrap_paragraph(paragraph: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut length) = (String::new(), 0);
    for word in paragraph.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        let space = usize::from(length > 0);
        if length + space + rest.len() > columns && length > 0 {
            lines.push(std::mem::take(&mut line));
            length = 0;
        } else if length > 0 {
            line.push(' ');
            length += 1;
        }
        // A word that is longer than a line is cut.
        while rest.len() > columns {
            let tail = rest.split_off(columns);
            lines.push(rest.into_iter().collect());
            rest = tail;
        }
        length += rest.len();
        line.extend(rest);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(wrap("the yoghurt has ten grams", 11), ["the yoghurt", "has ten", "grams"]);
        assert_eq!(wrap("  one\n\ntwo  ", 10), ["one", "", "two"]);
        assert_eq!(wrap("", 10), [""; 0]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut() {
        assert_eq!(wrap("so incomprehensible", 7), ["so", "incompr", "ehensib", "le"]);
        assert_eq!(wrap("äöüß", 2), ["äö", "üß"], "characters are counted, not bytes");
    }

    #[test]
    fn no_line_is_longer_than_the_panel_and_no_letter_is_lost() {
        let text = "A shelf with three drinks: yoghurt 1.29, oat milk 2.49 and an extraordinarilylongname.";
        for panel in Panel::ALL {
            let columns = panel.measures().columns;
            let lines = wrap(text, columns);
            assert!(lines.iter().all(|line| line.chars().count() <= columns), "{lines:?}");
            assert_eq!(lines.join(" ").replace(' ', ""), text.replace(' ', ""));
        }
    }
}
