//! Ends an answer at given texts, which may come in pieces.

/// Passes text on, except what could be the beginning of a stop string.
pub(crate) struct StopStrings<'a> {
    stops: &'a [String],
    held: String,
}

impl<'a> StopStrings<'a> {
    pub(crate) fn new(stops: &'a [String]) -> Self {
        Self { stops, held: String::new() }
    }

    /// The text that may be shown after `piece` came, and whether a stop string did.
    pub(crate) fn push(&mut self, piece: &str) -> (String, bool) {
        self.held.push_str(piece);
        let stop =
            self.stops.iter().filter(|s| !s.is_empty()).filter_map(|s| self.held.find(s.as_str())).min();
        if let Some(at) = stop {
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let safe = self.held.len() - self.longest_beginning();
        let rest = self.held.split_off(safe);
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// What was held back when no more comes.
    pub(crate) fn finish(self) -> String {
        self.held
    }

    /// Bytes at the end of what is held that a stop string begins with.
    fn longest_beginning(&self) -> usize {
        let begins = |stop: &String| {
            let ends = stop.char_indices().map(|(at, _)| at).filter(|&at| at > 0);
            ends.filter(|&len| self.held.ends_with(&stop[..len])).max().unwrap_or(0)
        };
        self.stops.iter().map(begins).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let stops: Vec<_> = stops.iter().map(|&s| s.to_owned()).collect();
        let mut filter = StopStrings::new(&stops);
        let mut out = String::new();
        for piece in pieces {
            let (text, stopped) = filter.push(piece);
            out.push_str(&text);
            if stopped {
                return (out, true);
            }
        }
        (out + &filter.finish(), false)
    }

    #[test]
    fn a_stop_string_in_pieces_ends_the_text_before_it() {
        assert_eq!(shown(&["END"], &["so E", "N", "D it"]), ("so ".into(), true));
        assert_eq!(shown(&["END", "o E"], &["so EN", "D"]), ("s".into(), true));
    }

    #[test]
    fn a_beginning_that_goes_on_otherwise_is_shown() {
        assert_eq!(shown(&["END"], &["E", "EN", "Gä"]), ("EENGä".into(), false));
        assert_eq!(shown(&["äöü"], &["xä", "ö"]), ("xäö".into(), false));
        assert_eq!(shown(&[""], &["a"]), ("a".into(), false));
    }

    #[test]
    fn what_cannot_be_a_beginning_is_shown_at_once() {
        let stops = ["END".to_owned()];
        assert_eq!(StopStrings::new(&stops).push("so E").0, "so ");
    }
}
