//! Attention with grouped keys and values.
//!
//! Some queries that share keys and values go through them together. What a query gets does not depend on which others
//! are beside it.

use std::cell::RefCell;

use super::Rows;
use super::isa::{Isa, Level, MAX_LANES, Work, array, exp};
use super::kv_cache::{LayerCache, TILE};
use super::team::{self, Shared};
use crate::backend::{Heads, Sight};

/// Rows of queries that a thread takes at a time.
const ROWS: usize = 16;

thread_local! {
    static SCORES: RefCell<Vec<f32>> = RefCell::default();
}

/// Each query of row `i`, at position `start + i`, over the keys in `sight`.
pub(super) fn attend(
    heads: &Heads,
    queries: &Rows,
    cache: &LayerCache<'_>,
    start: usize,
    sight: Sight,
) -> Rows {
    let mut out = Rows::zeros(queries.count(), queries.width);
    let shared = Shared::new(&mut out.values);
    let level = Level::best();
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
struct Group<'a> {
    heads: &'a Heads,
    queries: &'a Rows,
    cache: &'a LayerCache<'a>,
    start: usize,
    sight: Sight,
    kv_head: usize,
    out: &'a Shared<'a, f32>,
}

struct GroupRows<'a> {
    group: Group<'a>,
    rows: std::ops::Range<usize>,
    scores: &'a mut Vec<f32>,
}

impl Work for GroupRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let size = self.group.heads.count / self.group.heads.kv_count;
        let (mut at, end) = (self.rows.start * size, self.rows.end * size);
        // As many as there are registers for.
        while I::LANES == MAX_LANES && at + 4 <= end {
            self.group.attend::<I, 4>(at, self.scores);
            at += 4;
        }
        while at + 2 <= end {
            self.group.attend::<I, 2>(at, self.scores);
            at += 2;
        }
        if at < end {
            self.group.attend::<I, 1>(at, self.scores);
        }
    }
}

impl Group<'_> {
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

    /// The `COUNT` queries from `first` on.
    #[inline(always)]
    fn attend<I: Isa, const COUNT: usize>(&self, first: usize, scores: &mut Vec<f32>) {
        let len = self.heads.len;
        let places: [(usize, usize); COUNT] = array(|i| self.place(first + i));
        let seen: [usize; COUNT] = array(|i| self.seen(places[i].0));
        let queries: [&[f32]; COUNT] =
            array(|i| &self.queries.values[places[i].0 * self.queries.width + places[i].1..][..len]);
        let most = seen[COUNT - 1];
        let stride = most.next_multiple_of(TILE);
        scores.resize(scores.len().max(COUNT * stride), 0.0);
        for position in (0..most).step_by(TILE) {
            if I::LANES == MAX_LANES {
                self.score::<I, COUNT, 2>(queries, position, stride, scores);
            } else {
                self.score::<I, COUNT, 2>(queries, position, stride, scores);
                self.score::<I, COUNT, 2>(queries, position + TILE / 2, stride, scores);
            }
        }
        for (seen, scores) in seen.iter().zip(scores.chunks_exact_mut(stride)) {
            softmax::<I>(scores, *seen, 1.0 / (len as f32).sqrt());
        }
        let weights: [&[f32]; COUNT] = array(|i| &scores[i * stride..][..most]);
        let mut element = 0;
        while element + 4 * I::LANES <= len {
            self.weigh::<I, COUNT, 4>(weights, places, element);
            element += 4 * I::LANES;
        }
        while element + I::LANES <= len {
            self.weigh::<I, COUNT, 1>(weights, places, element);
            element += I::LANES;
        }
        self.weigh_rest(weights, places, element);
    }

    /// Dot products of queries with the keys of `REGISTERS` registers of positions.
    #[inline(always)]
    fn score<I: Isa, const COUNT: usize, const REGISTERS: usize>(
        &self,
        queries: [&[f32]; COUNT],
        position: usize,
        stride: usize,
        scores: &mut [f32],
    ) {
        let len = self.heads.len;
        let keys = &self.cache.keys[self.kv_head * len * self.cache.stride..][..len * self.cache.stride];
        let mut sums = [[I::splat(0.0); REGISTERS]; COUNT];
        for (element, keys) in keys.chunks_exact(self.cache.stride).enumerate() {
            let keys = &keys[position..][..REGISTERS * I::LANES];
            for i in 0..COUNT {
                let x = I::splat(queries[i][element]);
                for (register, sum) in sums[i].iter_mut().enumerate() {
                    *sum = I::fma(x, I::load(&keys[register * I::LANES..]), *sum);
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (register, sum) in sums.into_iter().enumerate() {
                I::store(sum, &mut scores[i * stride + position + register * I::LANES..]);
            }
        }
    }

    /// Values summed by their weights, `REGISTERS` registers of elements from `element` on.
    #[inline(always)]
    fn weigh<I: Isa, const COUNT: usize, const REGISTERS: usize>(
        &self,
        weights: [&[f32]; COUNT],
        places: [(usize, usize); COUNT],
        element: usize,
    ) {
        let at = self.kv_head * self.heads.len + element;
        let mut sums = [[I::splat(0.0); REGISTERS]; COUNT];
        for (position, values) in
            self.cache.values.chunks_exact(self.cache.width).take(weights[0].len()).enumerate()
        {
            let values = &values[at..][..REGISTERS * I::LANES];
            for i in 0..COUNT {
                let weight = I::splat(weights[i][position]);
                for (register, sum) in sums[i].iter_mut().enumerate() {
                    *sum = I::fma(weight, I::load(&values[register * I::LANES..]), *sum);
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            let mut values = [0.0; 4 * MAX_LANES];
            for (register, sum) in sums.into_iter().enumerate() {
                I::store(sum, &mut values[register * I::LANES..]);
            }
            self.write(places[i], element, &values[..REGISTERS * I::LANES]);
        }
    }

    /// Values summed by their weights, element by element from `element` on.
    #[inline(always)]
    fn weigh_rest<const COUNT: usize>(
        &self,
        weights: [&[f32]; COUNT],
        places: [(usize, usize); COUNT],
        element: usize,
    ) {
        for element in element..self.heads.len {
            let at = self.kv_head * self.heads.len + element;
            for i in 0..COUNT {
                let mut sum = 0.0;
                for (weight, values) in
                    weights[i].iter().zip(self.cache.values.chunks_exact(self.cache.width))
                {
                    sum += weight * values[at];
                }
                self.write(places[i], element, &[sum]);
            }
        }
    }

    #[inline(always)]
    fn write(&self, (row, offset): (usize, usize), element: usize, values: &[f32]) {
        let start = row * self.queries.width + offset + element;
        // SAFETY: each head of a row is computed by one thread.
        let out = unsafe { self.out.slice(start, values.len()) };
        out.copy_from_slice(values);
    }
}

/// Exponentials of `scale` times the first `seen` scores, that sum to one; the largest is taken off first, so that none
/// overflows. The others become zeros.
#[inline(always)]
fn softmax<I: Isa>(scores: &mut [f32], seen: usize, scale: f32) {
    let mut largest = f32::NEG_INFINITY;
    for score in &scores[..seen] {
        largest = if *score > largest { *score } else { largest };
    }
    scores[seen..].fill(f32::NEG_INFINITY);
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
