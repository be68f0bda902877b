//! What of an answer is text, and shown as it comes.

use super::format::Format;
use crate::conversation::StopStrings;

/// Passes text on, and keeps calls back.
pub(super) enum Shown<'a> {
    /// Until the mark of a call comes.
    UntilMark(StopStrings<'a>),
    /// After the mark.
    Nothing,
    /// Nothing has come yet: an object is a call.
    Undecided,
    /// All.
    All,
}

impl<'a> Shown<'a> {
    /// `marks` is that of a call alone.
    pub(super) fn new(format: Format, marks: &'a [String]) -> Self {
        match format {
            Format::Tagged | Format::Prompted => Self::UntilMark(StopStrings::new(marks)),
            Format::Object => Self::Undecided,
        }
    }

    /// What may be shown after `piece` came.
    pub(super) fn push(&mut self, piece: &str) -> String {
        match self {
            Self::UntilMark(stop) => {
                let (text, marked) = stop.push(piece);
                if marked {
                    *self = Self::Nothing;
                }
                text
            }
            Self::Nothing => String::new(),
            Self::Undecided => {
                *self = match piece.trim_start().chars().next() {
                    Some('{') => Self::Nothing,
                    Some(_) => Self::All,
                    None => Self::Undecided,
                };
                if matches!(self, Self::All) { piece.to_owned() } else { String::new() }
            }
            Self::All => piece.to_owned(),
        }
    }

    /// What was kept back when no more comes.
    pub(super) fn finish(self) -> String {
        match self {
            Self::UntilMark(stop) => stop.finish(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::OPEN;
    use super::*;

    fn shown(format: Format, pieces: &[&str]) -> Vec<String> {
        let marks = [OPEN.to_owned()];
        let mut shown = Shown::new(format, &marks);
        let mut texts: Vec<_> = pieces.iter().map(|piece| shown.push(piece)).collect();
        texts.push(shown.finish());
        texts
    }

    #[test]
    fn text_is_shown_as_it_comes_and_a_call_is_not() {
        let pieces = ["So <", "tool", "_call>\n{\"na", "me\""];
        assert_eq!(shown(Format::Tagged, &pieces), ["So ", "", "", "", ""]);
        assert_eq!(shown(Format::Tagged, &["a <", "b", "<tool"]), ["a ", "<b", "", "<tool"]);
        assert_eq!(shown(Format::Object, &[" ", "{\"na", "me\""]), ["", "", "", ""]);
        assert_eq!(shown(Format::Object, &["So {", "}"]), ["So {", "}", ""]);
    }
}
