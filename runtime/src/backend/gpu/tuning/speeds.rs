//! What an adapter does in a second, whatever the model: for saying what share of that a model takes.

use std::time::Instant;

use serde::Serialize;

use crate::Result;
use crate::backend::Backend;
use crate::backend::gpu::Gpu;

/// Bytes that are copied at once.
const BYTES: u64 = 256 << 20;

/// Copies and kernels that are timed together.
const COPIES: usize = 8;
const KERNELS: usize = 1000;

/// How fast an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Speeds {
    /// Bytes read and written in a second while one buffer is copied into another.
    pub copied_bytes_a_second: f64,
    /// What each of many small kernels takes, one after the other.
    pub kernel_microseconds: f64,
}

impl Gpu {
    /// Measures it, which takes some tenths of a second.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device).
    pub fn speeds(&self) -> Result<Speeds> {
        Ok(Speeds {
            copied_bytes_a_second: self.copied_bytes_a_second()?,
            kernel_microseconds: self.kernel_microseconds()?,
        })
    }

    fn copied_bytes_a_second(&self) -> Result<f64> {
        let bytes = BYTES.min(self.0.traits.max_binding);
        let (from, to) = (self.0.zeros("copies", bytes)?, self.0.zeros("copies", bytes)?);
        let copies = |count: usize| {
            let start = Instant::now();
            (0..count).for_each(|_| self.0.copy(&from, 0, &to, 0, bytes));
            self.finish().map(|()| start.elapsed().as_secs_f64())
        };
        copies(1)?;
        Ok((2 * COPIES) as f64 * bytes as f64 / copies(COPIES)?)
    }

    fn kernel_microseconds(&self) -> Result<f64> {
        let rows = self.upload(64, vec![1.0; 64])?;
        let kernels = |count: usize| {
            let start = Instant::now();
            (0..count).try_for_each(|_| self.mean_pool(&rows, 1).map(drop))?;
            self.finish().map(|()| start.elapsed().as_secs_f64())
        };
        kernels(1)?;
        Ok(kernels(KERNELS)? / KERNELS as f64 * 1e6)
    }
}
