//! Adapters, and what is known of the kernels on the one that computes.

use std::fmt;
use std::path::PathBuf;

use lorgnette_runtime::Result;
use lorgnette_runtime::backend::gpu::{Gpu, Record, Speeds, Test, Timing, Traits, adapters};
use serde::Serialize;

/// All adapters; the first one computes.
#[derive(Serialize)]
pub(super) struct Adapters {
    adapters: Vec<Adapter>,
    #[serde(flatten)]
    kernels: Option<Kernels>,
}

#[derive(Serialize)]
struct Adapter {
    name: String,
    driver: String,
    software: bool,
    subgroups: Option<(u32, u32)>,
    f16: bool,
    cooperative_matrices: Option<u32>,
    max_binding_bytes: u64,
}

/// What tests and timings found, or why there are none.
#[derive(Serialize)]
#[serde(untagged)]
enum Kernels {
    Found { record: Record, left_out: Vec<String>, cache: Option<PathBuf>, speeds: Option<Speeds> },
    Error { error: String },
}

impl Adapters {
    /// Opens the first adapter, which tests what it was not tested for yet.
    pub(super) fn find(all_kernels: bool) -> Self {
        let adapters: Vec<_> = adapters().into_iter().map(Adapter::from).collect();
        let kernels = (!adapters.is_empty()).then(|| match kernels(all_kernels) {
            Ok(kernels) => kernels,
            Err(error) => Kernels::Error { error: error.to_string() },
        });
        Self { adapters, kernels }
    }
}

fn kernels(all: bool) -> Result<Kernels> {
    let gpu = Gpu::open()?;
    if all {
        gpu.test_formats()?;
    }
    let speeds = all.then(|| gpu.speeds()).transpose()?;
    let record = gpu.record();
    let left_out = record.left_out().map(Test::to_string).collect();
    Ok(Kernels::Found { record, left_out, cache: gpu.cache(), speeds })
}

impl From<Traits> for Adapter {
    fn from(traits: Traits) -> Self {
        Self {
            name: traits.name,
            driver: traits.driver,
            software: traits.software,
            subgroups: traits.subgroups,
            f16: traits.f16,
            cooperative_matrices: traits.cooperative_matrices,
            max_binding_bytes: traits.max_binding,
        }
    }
}

impl fmt::Display for Adapters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.adapters.is_empty() {
            return writeln!(f, "  no adapter");
        }
        self.adapters.iter().try_for_each(|adapter| adapter.fmt(f))?;
        self.kernels.iter().try_for_each(|kernels| kernels.fmt(f))
    }
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let software = if self.software { ", a program on the processor" } else { "" };
        writeln!(f, "  {} ({}{software})", self.name, self.driver.trim())?;
        let subgroups = match self.subgroups {
            None => "no subgroups".to_owned(),
            Some((least, most)) if least == most => format!("subgroups of {least}"),
            Some((least, most)) => format!("subgroups of {least} to {most}"),
        };
        let f16 = if self.f16 { "f16" } else { "no f16" };
        let matrices = match self.cooperative_matrices {
            None => "no cooperative matrices".to_owned(),
            Some(side) => format!("cooperative matrices of {side}"),
        };
        let mebibytes = self.max_binding_bytes >> 20;
        writeln!(f, "    {subgroups}, {f16}, {matrices}, {mebibytes} MiB bound at once")
    }
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (record, left_out, cache, speeds) = match self {
            Self::Error { error } => return writeln!(f, "    {error}"),
            Self::Found { record, left_out, cache, speeds } => (record, left_out, cache, speeds),
        };
        if let Some(Speeds { copied_bytes_a_second, kernel_microseconds }) = speeds {
            let copied = copied_bytes_a_second / 1e9;
            writeln!(f, "    copies {copied:.1} GB/s, {kernel_microseconds:.1} µs for a small kernel")?;
        }
        let (right, took) = (record.tests.len() - left_out.len(), record.milliseconds / 1e3);
        writeln!(f, "    {right} tests passed, {} kernels left out, in {took:.1} s", left_out.len())?;
        left_out.iter().try_for_each(|test| writeln!(f, "      left out  {test}"))?;
        record
            .tests
            .values()
            .filter(|test| test.is_right())
            .try_for_each(|test| writeln!(f, "      {test}"))?;
        for Timing { format, columns, rows, count, way, microseconds } in &record.timings {
            writeln!(f, "      {format} {columns}x{rows} by {count}  {way}  {microseconds:.0} µs")?;
        }
        match cache {
            Some(path) => writeln!(f, "    kept in {}", path.display()),
            None => writeln!(f, "    not kept: there is no folder for it"),
        }
    }
}
