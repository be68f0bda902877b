//! Memory does not grow with the weights: counted, by an allocator that counts, on files that are mostly holes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::tensor;
use lorgnette_quant::TensorType;
use lorgnette_quant::gguf::{Gguf, Header, Metadata};
use lorgnette_quant::quantize::{Mix, Options, quantize};

/// Counts what all threads hold together, and the most they held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting touches atomics only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The counters are everyone's, so one test counts at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The most bytes that `work` held beyond what was held before.
fn peak_of(work: impl FnOnce()) -> usize {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    work();
    PEAK.load(Relaxed) - before
}

/// A model of one F16 matrix of `rows` rows of 1024, all zeros, which take no space on disk.
fn write_holes(path: &Path, rows: usize) {
    let info = tensor("blk.0.attn_q.weight", &[1024, rows], TensorType::F16);
    let header = Header::new(Metadata::new(), vec![info]).unwrap();
    fs::write(path, header.to_bytes()).unwrap();
    OpenOptions::new().write(true).open(path).unwrap().set_len(header.file_len() as u64).unwrap();
}

#[test]
fn opening_costs_the_header() {
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("4GiB.gguf");
    write_holes(&path, 2 << 20);
    let peak = peak_of(|| assert_eq!(Gguf::open(&path).unwrap().file_bytes() >> 30, 4));
    assert!(peak < 64 << 10, "{peak} bytes");
}

#[test]
fn quantizing_costs_a_few_slabs_a_thread() {
    let _alone = ONE_AT_A_TIME.lock().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (input, output) = (dir.path().join("in.gguf"), dir.path().join("out.gguf"));
    write_holes(&input, 64 << 10);
    let options = Options { mix: Mix::Q4_0, threads: 2, ..Options::default() };
    let peak = peak_of(|| drop(quantize(&input, &output, &options, &()).unwrap()));
    // A slab of 65536 values: twice as floats, once as blocks.
    let slab = 65536 * 9;
    assert!(peak < 2 * 2 * slab, "{peak} bytes for a tensor of 128 MiB");
}
