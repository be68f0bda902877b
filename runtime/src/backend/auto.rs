//! Which backend is faster on this machine, and right.
//!
//! An adapter that is a program on the processor is not taken: it has nothing that the processor has not. Another is, if
//! it passes its tests and decodes faster; that is measured once, on a few layers of feed-forward.

use std::time::{Duration, Instant};

use lorgnette_quant::TensorType;

use super::cpu::{self, Cpu};
use super::gpu::{Decode, Gpu, adapters};
use super::{Backend, FeedForwardInput, Linear, Matrix, RmsNorm};
use crate::Result;

/// What was chosen, and why.
pub struct Choice {
    /// The GPU; `None` is the processor.
    pub gpu: Option<Gpu>,
    /// For people; none where there was nothing to choose from.
    pub reason: Option<String>,
}

/// Chooses between the processor and the adapter that [`Gpu::open`] opens.
pub fn choose() -> Choice {
    if !may_have_gpu() {
        return Choice { gpu: None, reason: None };
    }
    let cpu = |reason: String| Choice { gpu: None, reason: Some(reason) };
    match adapters().first() {
        None => return cpu("there is no adapter".to_owned()),
        Some(traits) if traits.software => {
            return cpu(format!("{} is a program on the processor", traits.name));
        }
        Some(_) => {}
    }
    let measured = Gpu::open().and_then(|gpu| {
        let decode = decode(&gpu)?;
        Ok((gpu, decode))
    });
    let (gpu, decode) = match measured {
        Ok(measured) => measured,
        Err(error) => return cpu(error.to_string()),
    };
    let Decode { gpu_microseconds, cpu_microseconds, .. } = decode;
    let name = &gpu.traits().name;
    let reason = format!(
        "{LAYERS} layers took {gpu_microseconds:.0} µs on {name}, {cpu_microseconds:.0} on the processor"
    );
    Choice { gpu: (gpu_microseconds < cpu_microseconds).then_some(gpu), reason: Some(reason) }
}

/// Whether a driver of the system knows of a GPU. To ask Vulkan takes tenths of a second, and some of its drivers write to
/// the terminal.
#[cfg(target_os = "linux")]
fn may_have_gpu() -> bool {
    let nodes = ["/dev/dri", "/dev/nvidiactl", "/dev/kgsl-3d0", "/dev/mali0", "/dev/dxg"];
    nodes.iter().any(|node| std::path::Path::new(node).exists())
}

#[cfg(not(target_os = "linux"))]
fn may_have_gpu() -> bool {
    true
}

/// How fast both decode, now or as it was found before with as many threads.
fn decode(gpu: &Gpu) -> Result<Decode> {
    let threads = cpu::threads();
    if let Some(known) = gpu.record().decode.filter(|known| known.threads == threads) {
        return Ok(known);
    }
    let micros = |took: Duration| took.as_secs_f64() * 1e6;
    let (on_gpu, on_cpu) = (step(gpu)?, step(&Cpu)?);
    let decode = Decode { gpu_microseconds: micros(on_gpu), cpu_microseconds: micros(on_cpu), threads };
    gpu.keep_decode(decode);
    Ok(decode)
}

/// Layers of a step.
const LAYERS: usize = 8;

/// What a token takes in the feed-forward layers of a small model: the shortest of a few times.
///
/// # Errors
/// What the backend says.
pub fn step<B: Backend>(backend: &B) -> Result<Duration> {
    const WIDTH: usize = 1024;
    const FEED_FORWARD: usize = 2816;
    let linear = |columns: usize, rows: usize| -> Result<Linear<B::Weights>> {
        let values: Vec<f32> = (0..columns * rows).map(|i| (i * 7 % 13) as f32 / 400.0 - 0.015).collect();
        Ok(Linear { weight: backend.load(Matrix::encoded(TensorType::Q8_0, columns, &values)?)?, bias: None })
    };
    let norm =
        RmsNorm { weight: backend.load(Matrix::from_values("norm", WIDTH, &[1.0; WIDTH])?)?, epsilon: 1e-5 };
    let stage =
        FeedForwardInput { norm, gate: linear(WIDTH, FEED_FORWARD)?, up: linear(WIDTH, FEED_FORWARD)? };
    let down = linear(FEED_FORWARD, WIDTH)?;
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let mut rows = backend.upload(WIDTH, vec![0.5; WIDTH])?;
        let start = Instant::now();
        for _ in 0..LAYERS {
            let inner = backend.feed_forward_input(&stage, &rows)?;
            backend.project_onto(&down, &inner, &mut rows)?;
        }
        backend.download(rows)?;
        shortest = shortest.min(start.elapsed());
    }
    Ok(shortest)
}
