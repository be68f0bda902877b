//! How fast a model answers on this machine.

mod cold_start;
mod report;

use std::num::NonZeroU32;
use std::time::Duration;

use lorgnette_quant::Progress;
use lorgnette_runtime::Result;
use lorgnette_runtime::backend::{Backend, cpu};
use lorgnette_runtime::conversation::LanguageModel;
use lorgnette_runtime::measure::{
    Samples, decode, encode_sound, encode_tile, first_token, peak_memory, prefill,
};

use self::report::{Model, Report, Row, Unit};
use super::backend::{self, Command, Place};
use super::model;
use super::threads::Threads;
use crate::console::{self, Outcome, Watch};

/// Measure how fast a model answers: prefill, decode, towers, time to first token, cold start, peak memory
///
/// Each row is measured once to warm up and then as often as told; shown are the median and the standard deviation.
/// Cold start is the time from starting a process of its own to its first token, with the file in the page cache. Peak
/// memory is that of this process at the end, mapped weights among it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: model::Arguments,
    /// Tokens that are read
    #[arg(long, value_name = "N", default_value = "512")]
    prompt: NonZeroU32,
    /// Tokens that are made
    #[arg(long, value_name = "N", default_value = "64")]
    generate: NonZeroU32,
    /// How often each row is measured
    #[arg(long, value_name = "N", default_value = "5")]
    repetitions: NonZeroU32,
    #[command(flatten)]
    backend: backend::Arguments,
    #[command(flatten)]
    threads: Threads,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Only load the model, read the prompt and print the first token
    #[arg(long, hide = true)]
    first_token: bool,
}

/// How long sounds are: what they take should grow as they do.
const SECONDS: [usize; 2] = [2, 8];

/// One row of the table in the making.
struct Measurement<'a> {
    name: String,
    unit: Unit,
    /// Measures once.
    measure: Box<dyn Fn() -> Result<f64> + 'a>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    arguments.threads.set()?;
    arguments.backend.run(arguments)
}

impl Command for Arguments {
    fn run_on<B: Backend + 'static>(&self, backend: B, place: &Place) -> Outcome {
        measure_all(self, backend, place)
    }
}

fn measure_all<B: Backend>(arguments: &Arguments, backend: B, place: &Place) -> Outcome {
    let file = arguments.model.language().open()?;
    let model = arguments.model.load_from(backend, &file)?;
    if arguments.first_token {
        return cold_start::answer(&model, arguments.prompt.get() as usize);
    }
    if let Some(reason) = &place.reason {
        console::warn(&format!("it is computed on {}: {reason}", place.name));
    }
    let watch = Watch::start_steps()?;
    let measurements = measurements(&model, arguments, place.name);
    let mut rows = Vec::new();
    for (number, measurement) in measurements.iter().enumerate() {
        watch.advance(&measurement.name, number as u64, measurements.len() as u64);
        rows.push(row(measurement, arguments.repetitions.get(), &watch)?);
    }
    watch.advance("", measurements.len() as u64, measurements.len() as u64);
    let decoder = model.decoder();
    let report = Report {
        model: Model::of(&file).map_err(|e| arguments.model.language().blame(e))?,
        backend: place.name,
        chosen: place.reason.clone(),
        threads: cpu::threads(),
        tests: rows,
        peak_memory_bytes: peak_memory(),
        device_memory_bytes: decoder.backend().device_memory(),
    };
    console::print(&report, arguments.json)
}

/// What is measured, in the order of the table. A row more is an element more.
fn measurements<'a, B: Backend>(
    model: &'a LanguageModel<B>,
    arguments: &'a Arguments,
    backend: &'static str,
) -> Vec<Measurement<'a>> {
    let (prompt, generate) = (arguments.prompt.get() as usize, arguments.generate.get() as usize);
    let decoder = model.decoder();
    let mut measurements = vec![
        Measurement::new(format!("pp{prompt}"), Unit::TokensPerSecond, move || {
            Ok(speed(prompt, prefill(decoder, prompt)?))
        }),
        Measurement::new(format!("tg{generate}"), Unit::TokensPerSecond, move || {
            Ok(speed(generate, decode(decoder, generate)?))
        }),
        Measurement::new(format!("time to first token, {prompt}"), Unit::Milliseconds, move || {
            first_token(decoder, prompt).map(|(took, _)| milliseconds(took))
        }),
        Measurement::new(format!("cold start, {}", cold_start::PROMPT), Unit::Milliseconds, move || {
            cold_start::measure(arguments.model.language().path(), backend, cpu::threads()).map(milliseconds)
        }),
    ];
    if let Some(tower) = model.vision() {
        let name = format!("image encode, {} tokens", tower.tokens());
        measurements
            .push(Measurement::new(name, Unit::Milliseconds, || encode_tile(tower).map(milliseconds)));
    }
    if let Some(tower) = model.audio() {
        for seconds in SECONDS {
            let name = format!("audio encode, {seconds} s");
            let measure = move || encode_sound(tower, seconds).map(milliseconds);
            measurements.push(Measurement::new(name, Unit::Milliseconds, measure));
        }
    }
    measurements
}

impl<'a> Measurement<'a> {
    fn new(name: String, unit: Unit, measure: impl Fn() -> Result<f64> + 'a) -> Self {
        Self { name, unit, measure: Box::new(measure) }
    }
}

fn row(measurement: &Measurement<'_>, repetitions: u32, watch: &Watch) -> Result<Row> {
    let measure = |_| {
        watch.check()?;
        (measurement.measure)()
    };
    measure(0)?;
    let samples = (0..repetitions).map(measure).collect::<Result<Vec<_>>>()?;
    Ok(Row { test: measurement.name.clone(), unit: measurement.unit, result: Samples::from(samples) })
}

fn speed(tokens: usize, took: Duration) -> f64 {
    tokens as f64 / took.as_secs_f64()
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
