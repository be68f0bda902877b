//! How long products take on the matrices of the model that is loaded.

use std::time::{Duration, Instant};

use super::{Record, Timing, product_name};
use crate::Result;
use crate::backend::gpu::Gpu;
use crate::backend::gpu::device::lock;
use crate::backend::gpu::matmul::{Input, products};
use crate::backend::gpu::product::Variant;
use crate::backend::gpu::rows::{self, Rows};
use crate::backend::gpu::weights::Weights;
use crate::backend::{Backend, Linear};

/// Rows that are multiplied: a step of decoding, and a piece of a prompt.
const COUNTS: [usize; 2] = [1, 32];

/// Smaller matrices take no time.
const FEWEST_ELEMENTS: usize = 1 << 16;

/// Products larger than this are not tried: other matrices say which kernel is best.
const MOST_PRODUCTS: usize = 1 << 27;

/// What one kernel is repeated for.
const WHILE: Duration = Duration::from_millis(3);

/// How often each kernel has its turn.
const TURNS: usize = 3;

/// What the kernel that is likely to be fastest may take beside another that was faster: differences below that are not
/// of the kernels.
const MARGIN: f64 = 1.2;

/// A kernel that takes so many times what another took has no further turn.
const HOPELESS: u32 = 2;

impl Gpu {
    /// `weights` with the kernels that are right for them, the fastest first.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) when there is none, or when the device was lost.
    pub(crate) fn tuned(&self, mut weights: Weights) -> Result<Weights> {
        if !self.0.tuning.on || weights.rows == 1 {
            return Ok(weights);
        }
        self.require(&[self.test_embedding(weights.format)?])?;
        weights.ways = [self.right(&weights, 1)?, self.right(&weights, 9)?];
        for (number, count) in COUNTS.into_iter().enumerate() {
            weights = self.timed(weights, count)?;
            let timings = &lock(&self.0.tuning.record).timings;
            let mut ways = weights.ways[number].clone();
            let likely = ways[0];
            let took = |way: &Variant| {
                let took = microseconds(timings, &weights, count, *way);
                if *way == likely { took / MARGIN } else { took }
            };
            ways.sort_by(|a, b| took(a).total_cmp(&took(b)));
            weights.ways[number] = ways;
        }
        Ok(weights)
    }

    /// Those of its kernels that pass the test, in the same order; while there is time, or until one does.
    fn right(&self, weights: &Weights, count: usize) -> Result<Vec<Variant>> {
        let format = weights.format;
        let (mut right, mut tests) = (Vec::new(), Vec::new());
        for &way in weights.ways(count) {
            let name = product_name(format, way);
            if right.is_empty() || self.has_time_for(&name, |record| record.tests.contains_key(&name)) {
                let test = self.test_product(format, way, count)?;
                right.extend(test.is_right().then_some(way));
                tests.push(test);
            }
        }
        self.require(&tests)?;
        Ok(right)
    }

    /// Measures what is not known yet of `weights`, which come back.
    fn timed(&self, weights: Weights, count: usize) -> Result<Weights> {
        let (columns, rows) = (weights.columns, weights.rows);
        let ways = weights.ways.clone();
        let ways_of = &ways[usize::from(count > 1)];
        let are_known = |record: &Record| {
            let is_known = |way| record.timings.iter().any(|timing| is_of(timing, &weights, count, way));
            ways_of.iter().copied().all(is_known)
        };
        let worth_it = (FEWEST_ELEMENTS..=MOST_PRODUCTS / count).contains(&(columns * rows));
        let name = format!("{} {columns}x{rows} by {count}", weights.format.name());
        if !worth_it || ways_of.len() < 2 || are_known(&self.record()) || !self.has_time_for(&name, |_| false)
        {
            return Ok(weights);
        }
        let start = Instant::now();
        let input = rows::upload(&self.0, columns, &vec![0.5; count * columns])?;
        let (format, mut linear) = (weights.format, Linear { weight: weights, bias: None });
        let mut shortest = vec![Duration::MAX; ways_of.len()];
        // In turns, so that what else the machine does falls on all. The first turn compiles, and is not counted.
        for turn in 0..=TURNS {
            let best = shortest.iter().min().copied().unwrap_or(Duration::MAX);
            for (way, shortest) in ways_of.iter().zip(&mut shortest) {
                if turn > 1 && *shortest / HOPELESS > best {
                    continue;
                }
                linear.weight.ways = [vec![*way], vec![*way]];
                let took = self.repeat(&linear, &input, *shortest)?;
                *shortest = if turn == 0 { Duration::MAX } else { took.min(*shortest) };
            }
        }
        let timing = |(way, took): (&Variant, &Duration)| {
            let (format, way) = (format.name().to_owned(), format!("{way:?}"));
            Timing { format, columns, rows, count, way, microseconds: took.as_secs_f64() * 1e6 }
        };
        let mut timings: Vec<_> = ways_of.iter().zip(&shortest).map(timing).collect();
        linear.weight.ways = ways;
        self.0.tuning.change(|record| {
            record.took(start.elapsed());
            record.timings.retain(|old| !timings.iter().any(|new| is_same(old, new)));
            record.timings.append(&mut timings);
        });
        Ok(linear.weight)
    }

    /// What one product takes, of as many as fit in [`WHILE`] if one takes `about` so long.
    fn repeat(&self, linear: &Linear<Weights>, rows: &Rows, about: Duration) -> Result<Duration> {
        let times = (WHILE.as_secs_f64() / about.as_secs_f64().max(1e-6)).clamp(1.0, 50.0) as u32;
        let start = Instant::now();
        for _ in 0..times {
            products(&self.0, Input { rows, first: 0, norm: None }, [linear], None)?;
        }
        self.finish()?;
        Ok(start.elapsed() / times)
    }
}

fn is_same(a: &Timing, b: &Timing) -> bool {
    (&a.format, a.columns, a.rows, a.count, &a.way) == (&b.format, b.columns, b.rows, b.count, &b.way)
}

fn is_of(timing: &Timing, weights: &Weights, count: usize, way: Variant) -> bool {
    let shape = (timing.columns, timing.rows, timing.count) == (weights.columns, weights.rows, count);
    shape && timing.format == weights.format.name() && timing.way == format!("{way:?}")
}

/// What the product took, or by element what the like of it took, or nothing that is known.
fn microseconds(timings: &[Timing], weights: &Weights, count: usize, way: Variant) -> f64 {
    if let Some(timing) = timings.iter().find(|timing| is_of(timing, weights, count, way)) {
        return timing.microseconds;
    }
    let alike = |timing: &&Timing| {
        (timing.count, &timing.format[..]) == (count, weights.format.name())
            && timing.way == format!("{way:?}")
    };
    let largest = timings.iter().filter(alike).max_by_key(|timing| timing.columns * timing.rows);
    largest.map_or(f64::INFINITY, |timing| {
        timing.microseconds / (timing.columns * timing.rows) as f64 * (weights.columns * weights.rows) as f64
    })
}
