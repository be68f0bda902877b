//! Attention with grouped keys and values.
//!
//! Queries that share keys and values go through them together, as many as there are registers for. What a query gets
//! does not depend on which others are beside it.

#[cfg(test)]
mod tests;

use std::cell::RefCell;

use super::Rows;
use super::isa::{Isa, Level, MAX_LANES, Work, array, exp};
use super::kv_cache::{Elements, KvCache, LayerCache, TILE};
use super::outer::{Element, REGISTERS, accumulate, most_rows};
use super::team::{self, Shared};
use crate::backend::{Heads, Place, Sight};

/// Rows of queries that a thread takes at a time. A multiple of [`most_rows`].
const ROWS: usize = 24;

thread_local! {
    static SCORES: RefCell<Vec<f32>> = RefCell::default();
}

/// Each query of row `i`, at position `at.start + i`, over the keys in `sight`.
pub(super) fn attend(heads: &Heads, queries: &Rows, cache: &KvCache, at: Place, sight: Sight) -> Rows {
    let level = Level::best();
    match &cache.0 {
        Elements::F32(layers) => attend_at(level, heads, queries, &layers.layer(at.layer), at.start, sight),
        Elements::F16(layers) => attend_at(level, heads, queries, &layers.layer(at.layer), at.start, sight),
    }
}

fn attend_at<E: Element>(
    level: Level,
    heads: &Heads,
    queries: &Rows,
    cache: &LayerCache<'_, E>,
    start: usize,
    sight: Sight,
) -> Rows {
    let mut out = Rows::zeros(queries.count(), queries.width);
    let shared = Shared::new(&mut out.values);
    team::for_each(queries.count().div_ceil(ROWS) * heads.kv_count, |task| {
        let (first_row, kv_head) = (task / heads.kv_count * ROWS, task % heads.kv_count);
        let end_row = queries.count().min(first_row + ROWS);
        SCORES.with_borrow_mut(|scores| {
            let group = Group { heads, queries, cache, start, sight, kv_head, out: &shared };
            level.run(GroupRows { group, rows: first_row..end_row, scores });
        });
    });
    out
}

/// The query heads that share one head of keys and values.
struct Group<'a, E> {
    heads: &'a Heads,
    queries: &'a Rows,
    cache: &'a LayerCache<'a, E>,
    start: usize,
    sight: Sight,
    kv_head: usize,
    out: &'a Shared<'a, f32>,
}

struct GroupRows<'a, E> {
    group: Group<'a, E>,
    rows: std::ops::Range<usize>,
    scores: &'a mut Vec<f32>,
}

impl<E: Element> Work for GroupRows<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let size = self.group.heads.count / self.group.heads.kv_count;
        let all = self.rows.start * size..self.rows.end * size;
        let rest = if I::LANES == MAX_LANES {
            self.group.attend_all::<I, { most_rows(MAX_LANES) }>(all, self.scores)
        } else {
            self.group.attend_all::<I, { most_rows(0) }>(all, self.scores)
        };
        let rest = self.group.attend_all::<I, 4>(rest, self.scores);
        self.group.attend_all::<I, 1>(rest, self.scores);
    }
}

impl<E: Element> Group<'_, E> {
    /// Row and offset in it of query `index` of the group, counted row by row.
    #[inline(always)]
    fn place(&self, index: usize) -> (usize, usize) {
        let size = self.heads.count / self.heads.kv_count;
        (index / size, (self.kv_head * size + index % size) * self.heads.len)
    }

    /// How many positions a query of row `row` sees.
    #[inline(always)]
    fn seen(&self, row: usize) -> usize {
        match self.sight {
            Sight::Causal => self.start + row + 1,
            Sight::All => self.start + self.queries.count(),
        }
    }

    /// `COUNT` of the queries at a time; returns those that are left.
    #[inline(always)]
    fn attend_all<I: Isa, const COUNT: usize>(
        &self,
        queries: std::ops::Range<usize>,
        scores: &mut Vec<f32>,
    ) -> std::ops::Range<usize> {
        let mut first = queries.start;
        while first + COUNT <= queries.end {
            self.attend::<I, COUNT>(first, scores);
            first += COUNT;
        }
        first..queries.end
    }

    /// The `COUNT` queries from `first` on.
    #[inline(always)]
    fn attend<I: Isa, const COUNT: usize>(&self, first: usize, scores: &mut Vec<f32>) {
        let len = self.heads.len;
        let places: [(usize, usize); COUNT] = array(|i| self.place(first + i));
        let seen: [usize; COUNT] = array(|i| self.seen(places[i].0));
        let most = seen[COUNT - 1];
        // Half a tile more, so that rows do not fall onto each other in the processor's cache.
        let stride = most.next_multiple_of(TILE) + TILE / 2;
        scores.resize(scores.len().max(COUNT * stride), 0.0);
        self.score::<I, COUNT>(places, most, stride, scores);
        for (seen, scores) in seen.iter().zip(scores.chunks_exact_mut(stride)) {
            softmax::<I>(&mut scores[..stride - TILE / 2], *seen, 1.0 / (len as f32).sqrt());
        }
        let weights: [&[f32]; COUNT] = array(|i| &scores[i * stride..][..most]);
        let mut element = 0;
        while element + REGISTERS * I::LANES <= len {
            self.weigh::<I, COUNT, REGISTERS>(weights, places, element);
            element += REGISTERS * I::LANES;
        }
        while element < len {
            self.weigh::<I, COUNT, 1>(weights, places, element);
            element += I::LANES;
        }
    }

    /// Dot products of the queries at `places` with the keys of the first `most` positions.
    #[inline(always)]
    fn score<I: Isa, const COUNT: usize>(
        &self,
        places: [(usize, usize); COUNT],
        most: usize,
        stride: usize,
        scores: &mut [f32],
    ) {
        let queries: [&[f32]; COUNT] = array(|i| {
            let (row, offset) = places[i];
            &self.queries.values[row * self.queries.width + offset..][..self.heads.len]
        });
        let keys = self.cache.keys(self.kv_head);
        for position in (0..most).step_by(REGISTERS * I::LANES) {
            let none = [[I::splat(0.0); REGISTERS]; COUNT];
            let sums =
                accumulate::<I, E, COUNT, REGISTERS>(none, queries, &keys[position..], self.cache.stride);
            for (sums, scores) in sums.into_iter().zip(scores.chunks_exact_mut(stride)) {
                for (register, sum) in sums.into_iter().enumerate() {
                    I::store(sum, &mut scores[position + register * I::LANES..]);
                }
            }
        }
    }

    /// Values summed by their weights, `COLUMNS` registers of elements from `element` on, as far as the head goes.
    #[inline(always)]
    fn weigh<I: Isa, const COUNT: usize, const COLUMNS: usize>(
        &self,
        weights: [&[f32]; COUNT],
        places: [(usize, usize); COUNT],
        element: usize,
    ) {
        let len = self.heads.len;
        let none = [[I::splat(0.0); COLUMNS]; COUNT];
        let values = &self.cache.values(self.kv_head)[element..];
        let sums = accumulate::<I, E, COUNT, COLUMNS>(none, weights, values, len);
        let count = (len - element).min(COLUMNS * I::LANES);
        for i in 0..COUNT {
            let mut values = [0.0; REGISTERS * MAX_LANES];
            for register in 0..COLUMNS {
                I::store(sums[i][register], &mut values[register * I::LANES..]);
            }
            let (row, offset) = places[i];
            // SAFETY: each head of a row is computed by one thread.
            let out = unsafe { self.out.slice(row * self.queries.width + offset + element, count) };
            out.copy_from_slice(&values[..count]);
        }
    }
}

/// Exponentials of `scale` times the first `seen` scores, that sum to one; the largest is taken off first, so that none
/// overflows. The others become zeros. There are whole registers of scores.
#[inline(always)]
fn softmax<I: Isa>(scores: &mut [f32], seen: usize, scale: f32) {
    scores[seen..].fill(f32::NEG_INFINITY);
    let mut lanes = [f32::NEG_INFINITY; MAX_LANES];
    let mut largest = I::load(&lanes);
    for part in scores.chunks_exact(I::LANES) {
        largest = I::max(I::load(part), largest);
    }
    I::store(largest, &mut lanes);
    let mut largest = lanes[0];
    for lane in lanes {
        largest = if lane > largest { lane } else { largest };
    }
    let mut sums = I::splat(0.0);
    for part in scores[..seen.next_multiple_of(I::LANES)].chunks_exact_mut(I::LANES) {
        let weights = exp::<I>(I::mul(I::sub(I::load(part), I::splat(largest)), I::splat(scale)));
        sums = I::add(sums, weights);
        I::store(weights, part);
    }
    scores[seen..].fill(0.0);
    let inverse = I::splat(1.0 / I::sum(sums));
    for part in scores.chunks_exact_mut(I::LANES) {
        I::store(I::mul(I::load(part), inverse), part);
    }
}
