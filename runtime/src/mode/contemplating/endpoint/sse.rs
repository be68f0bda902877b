//! Server-sent events: the part of the format that carries data.

/// Bytes of an event at most.
const MOST_BYTES: usize = 256 << 10;

/// An event is longer than any that means well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Finds events in bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    data: String,
    /// Whether the last byte was a carriage return, whose line feed ends no other line.
    returned: bool,
}

impl Parser {
    /// Takes the next bytes, and adds the data of each event that ends in them to `events`.
    pub(super) fn push(&mut self, bytes: &[u8], events: &mut Vec<String>) -> Result<(), TooLong> {
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.returned, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => self.end_line(events),
                _ if self.line.len() + self.data.len() == MOST_BYTES => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<String>) {
        let line = String::from_utf8_lossy(&self.line);
        if line.is_empty() {
            if !self.data.is_empty() {
                events.push(std::mem::take(&mut self.data));
            }
        } else if let Some(data) = line.trim_start_matches('\u{feff}').strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}data: one\n\n: a comment\nevent: x\ndata:two\r\ndata:  three\r\n\r\ndata: \u{e4}\r\rid: 7\n\ndata: cut";

    fn parsed(pieces: &[&[u8]]) -> Vec<String> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        pieces.iter().for_each(|piece| parser.push(piece, &mut events).unwrap());
        events
    }

    #[test]
    fn events_are_found_wherever_the_network_cuts() {
        let whole = ["one", "two\n three", "\u{e4}"];
        assert_eq!(parsed(&[STREAM.as_bytes()]), whole);
        for at in 0..=STREAM.len() {
            let (left, right) = STREAM.as_bytes().split_at(at);
            assert_eq!(parsed(&[left, right]), whole, "cut at {at}");
        }
        let bytes: Vec<_> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(parsed(&bytes), whole);
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        let mut pushed = 0;
        while parser.push(&[b'x'; 1000], &mut events).is_ok() {
            pushed += 1000;
            assert!(pushed <= MOST_BYTES);
        }
        let (mut parser, mut pushed) = (Parser::default(), 0);
        while parser.push(b"data: many lines\n", &mut events).is_ok() {
            pushed += 17;
            assert!(pushed <= 2 * MOST_BYTES);
        }
        assert!(events.is_empty());
    }
}
