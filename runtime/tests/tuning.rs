//! Kernels are tested before they are used; what was found is kept.

#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/adapter.rs"]
mod adapter;

use std::fs;
use std::path::Path;
use std::time::Duration;

use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::backend::gpu::{Alteration, Gpu, Options, Record, Without};
use lorgnette_runtime::backend::{Backend, Dense, KvElement, KvShape, Linear, Matrix};
use lorgnette_runtime::{ErrorKind, Result};

const COLUMNS: usize = 256;
const ROWS: usize = 300;

const PRODUCTS: [&str; 4] =
    ["matmul/cooperative.wgsl", "matmul/lane.wgsl", "matmul/tile.wgsl", "matmul/wide.wgsl"];

/// Whether there is a GPU to test with.
fn is_there() -> bool {
    adapter::gpu(Without::default()).is_some()
}

/// What is computed when the sums of these kernels are a hundredth too large, or more where input is rounded.
fn altered(files: &[&'static str]) -> Options {
    let texts =
        [(" fma(", " 1.01 * fma("), ("+= scaled_", "+= 1.05 * scaled_"), (", sums_", ", 1.05 * sums_")];
    let alterations = |file: &&'static str| {
        let file = *file;
        texts.map(|(from, to)| Alteration { file, from, to })
    };
    Options { tuned: true, altered: files.iter().flat_map(alterations).collect(), ..Options::default() }
}

fn cached(folder: &Path) -> Options {
    Options { tuned: true, cache: Some(folder.to_owned()), ..Options::default() }
}

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect()
}

/// Products with one row and with several.
fn products<B: Backend>(backend: &B) -> Result<Vec<f32>> {
    let matrix = Matrix::from_values("t", COLUMNS, &values(COLUMNS * ROWS))?;
    let stage =
        Dense { norm: None, linear: Linear { weight: backend.load(matrix)?, bias: None }, activation: None };
    let mut all = Vec::new();
    for count in [1, 9] {
        let rows = backend.upload(COLUMNS, values(count * COLUMNS))?;
        all.extend(backend.download(backend.dense(&stage, &rows)?)?);
    }
    Ok(all)
}

#[track_caller]
fn assert_right(gpu: &Gpu) {
    let (found, expected) = (products(gpu).unwrap(), products(&Cpu).unwrap());
    let furthest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(found.len() == expected.len() && furthest < 1e-2, "{furthest}");
}

/// What was tested and what was timed: the numbers are rounded where they are kept.
fn known(record: &Record) -> (Vec<&str>, Vec<&str>) {
    let tests = record.tests.keys().map(String::as_str).collect();
    (tests, record.timings.iter().map(|timing| timing.way.as_str()).collect())
}

#[test]
fn a_kernel_that_is_wrong_is_left_out_and_told() {
    if !is_there() {
        return;
    }
    for file in PRODUCTS {
        let gpu = match Gpu::open_with(altered(&[file])) {
            Ok(gpu) => gpu,
            // Where there is but one way to multiply.
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Device, "{error}");
                continue;
            }
        };
        if let Err(error) = products(&gpu) {
            assert_eq!(error.kind(), ErrorKind::Device, "{error}");
            continue;
        }
        assert_right(&gpu);
        let way = &file["matmul/l".len()..file.len() - ".wgsl".len()];
        let record = gpu.record();
        let tested = record.tests.values().filter(|test| test.name.contains(way));
        let traits = gpu.traits();
        let known = match file {
            "matmul/cooperative.wgsl" => traits.cooperative_matrices.is_some(),
            _ => traits.subgroups.is_some(),
        };
        assert!(tested.clone().count() > 0 || !known, "{file}");
        assert!(tested.clone().all(|test| !test.is_right()), "{file}: {record:?}");
        assert_eq!(record.left_out().count(), tested.count(), "{file}");
    }
}

#[test]
fn a_kernel_that_does_not_compile_is_left_out() {
    if !is_there() {
        return;
    }
    let alteration = Alteration { file: "matmul/lane.wgsl", from: "fma(", to: "no_such_function(" };
    let gpu =
        Gpu::open_with(Options { altered: vec![alteration], tuned: true, ..Options::default() }).unwrap();
    assert_right(&gpu);
    let known = gpu.traits().subgroups.is_some_and(|(least, _)| least >= 8);
    assert_eq!(gpu.record().left_out().count(), if known { 2 } else { 0 });
}

#[test]
fn where_nothing_is_right_the_gpu_is_refused() {
    if !is_there() {
        return;
    }
    let options = altered(&PRODUCTS);
    let gpu = Gpu::open_with(options).unwrap();
    let error = products(&gpu).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Device);
    assert!(error.to_string().contains("f32 "), "{error}");
    let alteration = Alteration { file: "rows/norm.wgsl", from: "p.epsilon", to: "0.5" };
    let options = Options { altered: vec![alteration], tuned: true, ..Options::default() };
    let error = Gpu::open_with(options).err().unwrap();
    assert!(
        error.kind() == ErrorKind::Device && error.to_string().contains("norms: found an error of"),
        "{error}"
    );
    let alteration = Alteration { file: "attention/combine.wgsl", from: "sum / total", to: "sum" };
    let gpu =
        Gpu::open_with(Options { altered: vec![alteration], tuned: true, ..Options::default() }).unwrap();
    let shape = KvShape { layers: 2, heads: 3, head_len: 16, element: KvElement::F16 };
    let error = gpu.kv_cache(shape, 10).err().unwrap();
    assert!(error.to_string().contains("attention, heads of 16 in F16"), "{error}");
}

#[test]
fn what_was_found_is_found_once() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let gpu = Gpu::open_with(cached(folder.path())).unwrap();
    assert_right(&gpu);
    let record = gpu.record();
    assert!(record.timings.len() >= 2 && record.left_out().next().is_none(), "{record:?}");
    drop(gpu);
    let gpu = Gpu::open_with(cached(folder.path())).unwrap();
    assert_eq!((known(&gpu.record()), gpu.counters().dispatches), (known(&record), 0));
    assert_right(&gpu);
    // A product of one row, and one of several.
    assert_eq!((known(&gpu.record()), gpu.counters().dispatches), (known(&record), 2));
}

#[test]
fn matrices_that_are_alike_are_timed_once() {
    if !is_there() {
        return;
    }
    let gpu = Gpu::open_with(Options { tuned: true, ..Options::default() }).unwrap();
    assert_right(&gpu);
    let (timings, tests, before) =
        (gpu.record().timings, gpu.record().tests.len(), gpu.counters().dispatches);
    // One turn to compile, three that count, of 50 products at most.
    assert!(timings.len() <= 8 && before <= timings.len() as u64 * 151 + tests as u64 * 10, "{before}");
    assert_right(&gpu);
    assert_eq!((gpu.record().timings, gpu.counters().dispatches - before), (timings, 2));
}

#[test]
fn where_there_is_no_time_only_what_is_needed_is_tested() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let hurried = || Options { limit: Some(Duration::ZERO), ..cached(folder.path()) };
    let gpu = Gpu::open_with(hurried()).unwrap();
    assert_right(&gpu);
    let record = gpu.record();
    let of_format = record.tests.keys().filter(|name| name.starts_with("f32 ")).count();
    // Embedding, and a kernel for one row and for several.
    assert!(of_format == 3 && record.timings.is_empty() && !record.left_undone.is_empty(), "{record:?}");
    drop(gpu);
    let gpu = Gpu::open_with(cached(folder.path())).unwrap();
    assert_right(&gpu);
    assert_eq!(known(&gpu.record()), known(&record), "what was left undone is not made up for");
}

#[test]
fn every_kernel_that_the_adapter_may_know_is_right() {
    let Some(_) = adapter::gpu(Without::default()) else { return };
    let gpu = Gpu::open_with(Options { tuned: true, ..Options::default() }).unwrap();
    gpu.test_formats().unwrap();
    let record = gpu.record();
    assert!(record.left_out().next().is_none(), "{:?}", record.left_out().collect::<Vec<_>>());
    let tested = |numbers: &str| record.tests.keys().filter(|name| name.contains(numbers)).count();
    // Eight formats have levels; all can be decoded to halves.
    assert_eq!((tested("Levels"), tested("Halves")), (8, if gpu.traits().f16 { 11 } else { 0 }));
}

#[test]
fn damaged_files_and_those_of_others_are_ignored() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    assert_right(&Gpu::open_with(cached(folder.path())).unwrap());
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let is_record = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
    assert!(files.iter().any(|path| is_record(path)), "{files:?}");
    for path in &files {
        let bytes = fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes).replace("\"driver\": \"", "\"driver\": \"another ");
        let cut = bytes[..bytes.len() / 2].to_vec();
        for damaged in [Vec::new(), cut, b"{}".to_vec(), text.into_bytes()] {
            fs::write(path, damaged).unwrap();
            let gpu = Gpu::open_with(cached(folder.path())).unwrap();
            assert_eq!(gpu.counters().dispatches > 0, is_record(path), "{path:?}");
            assert_right(&gpu);
        }
        fs::write(path, bytes).unwrap();
    }
    let none = folder.path().join("nowhere");
    fs::write(&none, "a file").unwrap();
    assert_right(&Gpu::open_with(cached(&none)).unwrap());
}

#[test]
fn what_is_asked_of_a_lost_device_is_an_error() {
    let Some(gpu) = adapter::gpu(Without::default()) else { return };
    let rows = gpu.upload(4, vec![1.0; 8]).unwrap();
    gpu.destroy();
    assert_eq!(gpu.download(rows).unwrap_err().kind(), ErrorKind::Device);
    assert_eq!(products(&gpu).unwrap_err().kind(), ErrorKind::Device);
}
