//! Byte pair encoding: neighbours are joined, best merge first, until none is left that can be.
//!
//! The order is that of both references, Hugging Face's `Word::merge_all` and llama.cpp's work queues: the lowest rank
//! first, the leftmost of equals. With a heap, n symbols take n log n steps, however long a word is.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use crate::TokenId;

/// A part of the text, in bytes, and the token it is; `None` for one that no token stands for.
#[derive(Clone, Debug)]
pub(super) struct Symbol {
    pub(super) span: Range<usize>,
    pub(super) id: Option<TokenId>,
}

/// What two neighbours become; the lower rank goes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merge {
    pub(super) rank: u32,
    pub(super) id: TokenId,
}

/// Joins `symbols`, which lie one behind the other, with the merges that `join` knows.
pub(super) fn merge_all(
    symbols: Vec<Symbol>,
    join: impl Fn(&Symbol, &Symbol) -> Option<Merge>,
) -> Vec<Symbol> {
    let mut chain = Chain::new(symbols, join);
    while let Some(Reverse(entry)) = chain.queue.pop() {
        chain.apply(entry);
    }
    let alive = chain.links.into_iter().filter(|link| link.alive);
    alive.map(|link| link.symbol).collect()
}

/// A symbol in a list that shrinks.
struct Link {
    symbol: Symbol,
    previous: Option<usize>,
    next: Option<usize>,
    alive: bool,
}

/// A possible merge, in the order of the queue. It is stale when the two no longer end where they did.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    rank: u32,
    left: usize,
    right: usize,
    ends: (usize, usize),
    id: TokenId,
}

struct Chain<J> {
    links: Vec<Link>,
    queue: BinaryHeap<Reverse<Entry>>,
    join: J,
}

impl<J: Fn(&Symbol, &Symbol) -> Option<Merge>> Chain<J> {
    fn new(symbols: Vec<Symbol>, join: J) -> Self {
        let last = symbols.len().saturating_sub(1);
        let link = |(i, symbol): (usize, Symbol)| Link {
            symbol,
            previous: i.checked_sub(1),
            next: (i < last).then_some(i + 1),
            alive: true,
        };
        let links: Vec<Link> = symbols.into_iter().enumerate().map(link).collect();
        let mut chain = Self { links, queue: BinaryHeap::new(), join };
        (1..chain.links.len()).for_each(|right| chain.offer(right - 1, right));
        chain
    }

    fn offer(&mut self, left: usize, right: usize) {
        let (a, b) = (&self.links[left].symbol, &self.links[right].symbol);
        if let Some(Merge { rank, id }) = (self.join)(a, b) {
            let ends = (a.span.end, b.span.end);
            self.queue.push(Reverse(Entry { rank, left, right, ends, id }));
        }
    }

    fn apply(&mut self, entry: Entry) {
        let Entry { left, right, ends, id, .. } = entry;
        let (a, b) = (&self.links[left], &self.links[right]);
        if !a.alive || !b.alive || (a.symbol.span.end, b.symbol.span.end) != ends {
            return;
        }
        let next = b.next;
        self.links[right].alive = false;
        let joined = &mut self.links[left];
        joined.symbol.span.end = ends.1;
        joined.symbol.id = Some(id);
        joined.next = next;
        let previous = joined.previous;
        if let Some(next) = next {
            self.links[next].previous = Some(left);
            self.offer(left, next);
        }
        if let Some(previous) = previous {
            self.offer(previous, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters of `text`, joined by `pairs` in the order of the list.
    fn merged(text: &str, pairs: &[&str]) -> Vec<String> {
        let symbols = (0..text.len()).map(|i| Symbol { span: i..i + 1, id: None }).collect();
        let join = |a: &Symbol, b: &Symbol| {
            let joined = format!("{} {}", &text[a.span.clone()], &text[b.span.clone()]);
            let rank = pairs.iter().position(|pair| *pair == joined)?;
            Some(Merge { rank: rank as u32, id: rank as u32 })
        };
        let merged = merge_all(symbols, join);
        merged.into_iter().map(|symbol| text[symbol.span].to_owned()).collect()
    }

    #[test]
    fn the_lowest_rank_goes_first_then_the_leftmost() {
        assert_eq!(merged("abc", &["b c", "a b"]), ["a", "bc"]);
        assert_eq!(merged("aaa", &["a a"]), ["aa", "a"]);
        assert_eq!(merged("aaaa", &["a a", "aa aa"]), ["aaaa"]);
    }

    #[test]
    fn a_merge_of_symbols_that_have_grown_is_stale() {
        assert_eq!(merged("abcd", &["b c", "a b", "bc d", "c d"]), ["a", "bcd"]);
        assert!(merged("", &["a a"]).is_empty());
    }
}
