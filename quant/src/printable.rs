//! Text from files, safe to show on a terminal.

use std::fmt::{self, Write};

/// Shows text with its control characters escaped, so that a name in a file cannot steer the reader's terminal.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.contains(char::is_control) {
            return f.pad(self.0);
        }
        self.0.chars().try_for_each(|c| {
            if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else() {
        assert_eq!(Printable("\x1b]0;x\x07\u{9b}").to_string(), "\\u{1b}]0;x\\u{7}\\u{9b}");
        assert_eq!(format!("{:6}|", Printable("Ġ\"é")), "Ġ\"é   |");
    }
}
