//! What of an answer was shown, when it is made a second time.

/// The text of an answer that somebody has seen. An answer that was broken off by a device is made again elsewhere; what
/// repeats the text is not shown twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    text: String,
    /// How much of it the answer repeated; `None` once it says something else.
    repeated: Option<usize>,
}

impl Shown {
    /// The answer begins anew.
    pub fn again(&mut self) {
        self.repeated = Some(0);
    }

    /// What is new of the next piece.
    pub fn news<'a>(&mut self, piece: &'a str) -> &'a str {
        let rest = self.repeated.map_or("", |repeated| &self.text[repeated..]);
        let same =
            piece.chars().zip(rest.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
        let news = &piece[same..];
        self.repeated = self.repeated.map(|repeated| repeated + same).filter(|_| news.is_empty());
        self.text.push_str(news);
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_is_not_shown_again() {
        let mut shown = Shown::default();
        shown.again();
        assert_eq!(["A ré", "d dog"].map(|piece| shown.news(piece)), ["A ré", "d dog"]);
        shown.again();
        assert_eq!(["A", " réd ", "dog runs", "A"].map(|piece| shown.news(piece)), ["", "", " runs", "A"]);
        shown.again();
        assert_eq!(["A cat", " réd"].map(|piece| shown.news(piece)), ["cat", " réd"]);
    }
}
