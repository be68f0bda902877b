//! Silero's voice detector, a graph in ONNX, computed by ONNX Runtime.
//!
//! The library is loaded when a detector is made, from where `ORT_DYLIB_PATH` says, else by the name the system knows it
//! by. It computes on its own processor provider and on no other: what cannot be is an error.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;
use ort::ep;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::{FRAME, VoiceDetector};
use crate::{Error, ErrorKind, Result};

/// Samples that the graph judges together: 32 ms.
const WINDOW: usize = 2 * FRAME;
/// Samples before a window that it sees too.
const BEFORE: usize = 64;
/// Numbers that it remembers.
const STATE: usize = 2 * 128;
const RATE: [i64; 1] = [16_000];

const LIBRARY: &str = "ORT_DYLIB_PATH";
#[cfg(target_os = "windows")]
const USUAL: &str = "onnxruntime.dll";
#[cfg(target_os = "macos")]
const USUAL: &str = "libonnxruntime.dylib";
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const USUAL: &str = "libonnxruntime.so";

/// The detector of Silero (versions 5 and 6). It judges two frames together: the first of each pair has the probability
/// of the pair before it.
pub struct Silero {
    session: Session,
    state: Vec<f32>,
    /// The end of the last window, and the window so far.
    samples: Vec<f32>,
    probability: f32,
    failure: Option<Error>,
}

impl Silero {
    /// Loads the graph in `path`.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] when there is no library or it is older than the one this was built for, and when there is
    /// no such file; [`ErrorKind::Unsupported`] when the library refuses the file, or it is another graph.
    pub fn load(path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Err(Error::missing("voice model", "Silero's graph in ONNX").in_file(path));
        }
        let environment = environment()?;
        let session = session(&environment, path).map_err(|error| {
            Error::new(ErrorKind::Unsupported, "voice model", error.to_string()).in_file(path)
        })?;
        let mut silero = Self {
            session,
            state: vec![0.0; STATE],
            samples: vec![0.0; BEFORE],
            probability: 0.0,
            failure: None,
        };
        // Another graph is told by its first window.
        let judged = silero.judge(&[0.0; BEFORE + WINDOW]);
        judged.map_err(|error| {
            Error::new(ErrorKind::Unsupported, "voice model", error.to_string()).in_file(path)
        })?;
        silero.reset();
        Ok(silero)
    }

    fn judge(&mut self, samples: &[f32]) -> ort::Result<f32> {
        let outputs = self.session.run(ort::inputs![
            "input" => TensorRef::from_array_view(([1, samples.len()], samples))?,
            "state" => TensorRef::from_array_view(([2, 1, STATE / 2], self.state.as_slice()))?,
            "sr" => TensorRef::from_array_view(([1_usize; 0], RATE.as_slice()))?,
        ])?;
        let of =
            |name: &str| outputs.get(name).ok_or_else(|| ort::Error::new(format!("there is no {name:?}")));
        let (_, state) = of("stateN")?.try_extract_tensor::<f32>()?;
        let (_, probability) = of("output")?.try_extract_tensor::<f32>()?;
        match (probability, state.len()) {
            (&[probability], STATE) => {
                self.state.copy_from_slice(state);
                Ok(probability)
            }
            _ => Err(ort::Error::new("what comes out has another shape")),
        }
    }
}

impl VoiceDetector for Silero {
    fn probability(&mut self, frame: &[f32; FRAME]) -> f32 {
        self.samples.extend(frame);
        if self.samples.len() == BEFORE + WINDOW {
            let samples = std::mem::take(&mut self.samples);
            match self.judge(&samples) {
                Ok(probability) => self.probability = probability,
                Err(error) => {
                    self.probability = 0.0;
                    self.failure = Some(Error::new(ErrorKind::Device, "voice detector", error.to_string()));
                }
            }
            self.samples.extend(&samples[WINDOW..]);
        }
        self.probability
    }

    fn reset(&mut self) {
        self.state.fill(0.0);
        self.samples.clear();
        self.samples.resize(BEFORE, 0.0);
        self.probability = 0.0;
    }

    fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }
}

/// What sessions live in, one for the process. It sends nothing anywhere.
fn environment() -> Result<Environment> {
    static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);
    let mut environment = ENVIRONMENT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(environment) = &*environment {
        return Ok(environment.clone());
    }
    let path = std::env::var_os(LIBRARY).map_or_else(|| PathBuf::from(USUAL), PathBuf::from);
    let refused = |detail: String| Error::new(ErrorKind::Missing, LIBRARY, detail);
    let builder = ort::init_from(&path).map_err(|error| refused(error.to_string()))?;
    let made = builder.with_telemetry(false).build().map_err(|error| refused(error.to_string()))?;
    Ok(environment.insert(made).clone())
}

/// One thread: a window takes less than waking another one.
fn session(environment: &Environment, path: &Path) -> Result<Session, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    Session::builder(environment)
        .map_err(|e| words(&e))?
        .with_no_environment_execution_providers()
        .map_err(|e| words(&e))?
        .with_execution_providers([ep::CPU::default().build().error_on_failure()])
        .map_err(|e| words(&e))?
        .with_optimization_level(GraphOptimizationLevel::Level3)
        .map_err(|e| words(&e))?
        .with_intra_threads(1)
        .map_err(|e| words(&e))?
        .commit_from_file(path)
        .map_err(|e| words(&e))
}
