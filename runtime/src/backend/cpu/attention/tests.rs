//! Attention is what its formula says in f64, and no query knows of the others.

use half::f16;

use super::super::kv_cache::Layers;
use super::*;
use crate::backend::{KvElement, KvShape};

/// How far an output may be from that in f64; values are up to 1.
const TOLERANCE: f64 = 2e-6;

/// Numbers from -1 to 1.
fn random(count: usize, width: usize, mut seed: u32) -> Rows {
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    Rows { width, values: (0..count * width).map(|_| next()).collect() }
}

struct Case {
    heads: Heads,
    sight: Sight,
    /// Positions before the queries.
    start: usize,
    queries: Rows,
    keys: Rows,
    values: Rows,
}

impl Case {
    fn new(heads: Heads, sight: Sight, start: usize, count: usize) -> Self {
        let (width, kv_width) = (heads.count * heads.len, heads.kv_count * heads.len);
        let mut queries = random(count, width, 1);
        queries.values.iter_mut().for_each(|x| *x *= 3.0);
        let (keys, values) = (random(start + count, kv_width, 2), random(start + count, kv_width, 3));
        Self { heads, sight, start, queries, keys, values }
    }

    /// The second of two layers, written in two pieces.
    fn layers<E: Element>(&self, level: Level) -> Layers<E> {
        let Heads { kv_count: heads, len: head_len, .. } = self.heads;
        let shape = KvShape { layers: 2, heads, head_len, element: KvElement::F32 };
        let mut layers = Layers::new(shape, self.keys.count()).expect("room");
        let piece = |rows: &Rows, range: std::ops::Range<usize>| Rows {
            width: rows.width,
            values: rows.values[range.start * rows.width..range.end * rows.width].to_vec(),
        };
        for range in [0..self.start, self.start..self.keys.count()] {
            let at = Place { layer: 1, start: range.start };
            layers.write(level, at, &piece(&self.keys, range.clone()), &piece(&self.values, range));
        }
        layers
    }

    fn attend<E: Element>(&self, level: Level, layers: &Layers<E>) -> Rows {
        attend_at(level, &self.heads, &self.queries, &layers.layer(1), self.start, self.sight)
    }

    /// Query `index` without the others.
    fn alone<E: Element>(&self, level: Level, layers: &Layers<E>, index: usize) -> Rows {
        let query = Rows { width: self.queries.width, values: self.queries.row(index).to_vec() };
        let position = match self.sight {
            Sight::Causal => self.start + index,
            Sight::All => self.keys.count() - 1,
        };
        attend_at(level, &self.heads, &query, &layers.layer(1), position, self.sight)
    }

    /// What `f64` gives where keys and values are stored by `stored`.
    fn expected(&self, stored: impl Fn(f32) -> f32) -> Vec<f64> {
        let Heads { count, kv_count, len } = self.heads;
        let part = |rows: &Rows, row: usize, head: usize| -> Vec<f64> {
            rows.row(row)[head * len..][..len].iter().map(|&x| f64::from(stored(x))).collect()
        };
        let mut out = Vec::new();
        for (row, head) in (0..self.queries.count()).flat_map(|row| (0..count).map(move |head| (row, head))) {
            let seen = if self.sight == Sight::All { self.keys.count() } else { self.start + row + 1 };
            let query: Vec<f64> =
                self.queries.row(row)[head * len..][..len].iter().map(|&x| f64::from(x)).collect();
            let score = |position| {
                let key = part(&self.keys, position, head / (count / kv_count));
                let dot: f64 = query.iter().zip(&key).map(|(q, k)| q * k).sum();
                (dot / (len as f64).sqrt()).exp()
            };
            let weights: Vec<f64> = (0..seen).map(score).collect();
            let sum: f64 = weights.iter().sum();
            let mut mean = vec![0.0; len];
            for (position, weight) in weights.iter().enumerate() {
                let value = part(&self.values, position, head / (count / kv_count));
                mean.iter_mut().zip(&value).for_each(|(mean, v)| *mean += weight / sum * v);
            }
            out.extend(mean);
        }
        out
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let heads = [(4, 4, 16), (3, 1, 64), (6, 2, 32), (2, 2, 80), (2, 1, 128), (7, 1, 20), (1, 1, 2)];
    let sizes = [(0, 1), (0, 13), (37, 1), (31, 3), (5, 27), (0, 70)];
    heads.into_iter().flat_map(move |(count, kv_count, len)| {
        sizes.into_iter().flat_map(move |(start, rows)| {
            [Sight::Causal, Sight::All]
                .map(|sight| Case::new(Heads { count, kv_count, len }, sight, start, rows))
        })
    })
}

fn furthest(found: &Rows, expected: &[f64]) -> f64 {
    assert_eq!(found.values.len(), expected.len());
    found.values.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

#[test]
fn attention_is_that_of_f64() {
    for case in cases() {
        let exact = case.expected(|x| x);
        let halved = case.expected(|x| f16::from_f32(x).to_f32());
        for &level in Level::all() {
            let exact = furthest(&case.attend(level, &case.layers::<f32>(level)), &exact);
            let halved = furthest(&case.attend(level, &case.layers::<u16>(level)), &halved);
            let Case { heads, sight, start, queries, .. } = &case;
            let shown = format!("{heads:?}, {sight:?}, {start} + {}, {level:?}", queries.count());
            assert!(exact < TOLERANCE, "{shown}: {exact}");
            assert!(halved < TOLERANCE, "{shown}, f16: {halved}");
        }
    }
}

#[test]
fn a_query_is_the_same_among_others_and_alone() {
    for case in cases() {
        for &level in Level::all() {
            let layers = case.layers::<u16>(level);
            let together = case.attend(level, &layers);
            for index in 0..case.queries.count() {
                let alone = case.alone(level, &layers, index);
                assert_eq!(alone.values, together.row(index), "{index} of {:?}, {level:?}", case.heads);
            }
        }
    }
}
