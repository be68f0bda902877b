//! What tests and timings found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Error;

/// What is known of the kernels of an adapter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Tests by their names.
    pub tests: BTreeMap<String, Test>,
    /// How long products took.
    pub timings: Vec<Timing>,
    /// How fast it decodes.
    pub decode: Option<Decode>,
    /// What tests and timings took in all.
    pub milliseconds: f64,
    /// Tests and timings that there was no time for; they are not made up for.
    pub left_undone: BTreeSet<String>,
}

/// A kernel beside its twin on the processor, on a few numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// What was tested.
    pub name: String,
    /// The distance of the two results by the length of the right one, where there is one.
    pub error: Option<f64>,
    /// What it must be below.
    pub bound: f64,
    /// Why there is no result.
    pub failure: Option<String>,
}

/// How long a product took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// How the matrix is stored.
    pub format: String,
    /// Elements of a row of it.
    pub columns: usize,
    /// Rows of it.
    pub rows: usize,
    /// Rows that it was multiplied with.
    pub count: usize,
    /// The kernel.
    pub way: String,
    /// What one took.
    pub microseconds: f64,
}

/// How long a few layers of feed-forward take for one token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decode {
    /// On the adapter.
    pub gpu_microseconds: f64,
    /// On the processor.
    pub cpu_microseconds: f64,
    /// On so many threads.
    pub threads: usize,
}

impl Record {
    pub(super) fn took(&mut self, time: Duration) {
        self.milliseconds += time.as_secs_f64() * 1e3;
    }

    /// What is not used, as it is wrong.
    pub fn left_out(&self) -> impl Iterator<Item = &Test> {
        self.tests.values().filter(|test| !test.is_right())
    }
}

impl Test {
    pub(super) fn of(found: &[f32], right: &[f32], bound: f64) -> Self {
        let length = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let distance = length(&mut found.iter().zip(right).map(|(a, b)| a - b));
        let error = distance / length(&mut right.iter().copied());
        // What is not a number is no distance.
        let comparable = found.len() == right.len() && error.is_finite();
        let failure = (!comparable).then(|| "it is not made of numbers".to_owned());
        Self { name: String::new(), error: comparable.then_some(error), bound, failure }
    }

    pub(super) fn failed(error: &Error) -> Self {
        Self { name: String::new(), error: None, bound: 0.0, failure: Some(error.to_string()) }
    }

    /// Whether the kernel may be used.
    pub fn is_right(&self) -> bool {
        self.error.is_some_and(|error| error < self.bound)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, bound, .. } = self;
        match (self.error, &self.failure) {
            (Some(error), _) if self.is_right() => write!(f, "{name}: {error:.1e}"),
            (Some(error), _) => {
                write!(f, "{name}: found an error of {error:.1e}, expected less than {bound:.1e}")
            }
            (None, failure) => write!(f, "{name}: {}", failure.as_deref().unwrap_or("no result")),
        }
    }
}
