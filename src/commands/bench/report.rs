//! What was measured: a table for people, a document for programs.

use std::fmt;

use lorgnette_quant::gguf::Gguf;
use lorgnette_quant::inspect::{Inspection, Summary};
use lorgnette_runtime::Result;
use lorgnette_runtime::measure::Samples;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Report {
    pub(super) model: Model,
    pub(super) backend: &'static str,
    /// Why it is computed there, where nobody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chosen: Option<String>,
    pub(super) threads: usize,
    pub(super) tests: Vec<Row>,
    /// Absent where the system does not say.
    pub(super) peak_memory_bytes: Option<u64>,
    /// What the GPU's memory holds at the end, absent on the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device_memory_bytes: Option<u64>,
}

/// What is said of the model in each row.
#[derive(Serialize)]
pub(super) struct Model {
    architecture: Option<String>,
    name: Option<String>,
    mix: Option<&'static str>,
    bytes: usize,
    weights: usize,
}

#[derive(Serialize)]
pub(super) struct Row {
    pub(super) test: String,
    pub(super) unit: Unit,
    #[serde(flatten)]
    pub(super) result: Samples,
}

#[derive(Clone, Copy, Serialize)]
pub(super) enum Unit {
    #[serde(rename = "tok/s")]
    TokensPerSecond,
    #[serde(rename = "ms")]
    Milliseconds,
}

impl Model {
    pub(super) fn of(file: &Gguf) -> Result<Self> {
        let Summary { architecture, name, mix, weights, memory, .. } = Inspection::of(file)?.summary;
        Ok(Self { architecture, name, mix, bytes: memory.weights, weights })
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let architecture = self.architecture.as_deref().unwrap_or("unknown");
        f.pad(&format!("{} {}", architecture.escape_debug(), self.mix.unwrap_or("mixed")))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TokensPerSecond => "tok/s",
            Self::Milliseconds => "ms",
        })
    }
}

const MIB: f64 = 1_048_576.0;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Model { bytes, weights, .. } = &self.model;
        let (size, weights) = (format!("{:.2} MiB", *bytes as f64 / MIB), *weights as f64 / 1e6);
        writeln!(
            f,
            "| {:<16} | {:>12} | {:>10} | {:<7} | {:>7} | {:<24} | {:>26} |",
            "model", "size", "params", "backend", "threads", "test", "result"
        )?;
        writeln!(f, "|{:-<18}|{0:->13}:|{0:->11}:|{0:-<9}|{0:->8}:|{0:-<26}|{0:->27}:|", "")?;
        for Row { test, unit, result } in &self.tests {
            let result = format!("{:.2} ± {:.2} {unit:<5}", result.median, result.deviation);
            writeln!(
                f,
                "| {:<16} | {size:>12} | {weights:>8.2} M | {:<7} | {:>7} | {test:<24} | {result:>26} |",
                self.model, self.backend, self.threads
            )?;
        }
        match self.peak_memory_bytes {
            Some(bytes) => writeln!(f, "\npeak memory {:.1} MiB", bytes as f64 / MIB)?,
            None => writeln!(f, "\npeak memory unknown")?,
        }
        let bytes = self.device_memory_bytes.map(|bytes| bytes as f64 / MIB);
        bytes.map_or(Ok(()), |mebibytes| writeln!(f, "memory of the GPU {mebibytes:.1} MiB"))
    }
}
