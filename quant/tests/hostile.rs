//! Files that nobody vouches for: always a typed error that names the field, never a panic, a read outside the
//! file, or an allocation that the file does not pay for.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;

use common::{Random, Raw, flipped, sample};
use lorgnette_quant::block;
use lorgnette_quant::gguf::Gguf;
use lorgnette_quant::{Error, ErrorKind, TensorType};

/// Counts what the current thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches thread-local cells only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get().wrapping_add(layout.size()));
        PEAK.set(PEAK.get().max(HELD.get()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Opens `bytes` and, when that works, reads all there is. The result and the bytes allocated at most meanwhile.
fn open(bytes: Vec<u8>) -> (Result<(), Error>, usize) {
    HELD.set(0);
    PEAK.set(0);
    let result = Gguf::from_bytes(bytes).map(|model| {
        for tensor in model.tensors() {
            let mut values = vec![0.0; tensor.info.shape().elements()];
            block::decode(tensor.info.ty(), tensor.data, &mut values).ok();
        }
    });
    (result, PEAK.get())
}

fn error(bytes: Vec<u8>) -> Error {
    let len = bytes.len();
    let (result, peak) = open(bytes);
    assert!(peak < 64 * len + 4096, "{peak} bytes allocated for a file of {len}");
    result.expect_err("a broken file was accepted")
}

#[test]
fn truncation_at_every_byte_names_a_field() {
    let whole = sample(3);
    let needed = whole.len();
    assert!(open(whole.clone()).0.is_ok());
    for len in 0..needed {
        let error = error(whole[..len].to_vec());
        assert_eq!(error.kind(), ErrorKind::Truncated, "at {len}: {error}");
        assert!(!error.field().is_empty(), "at {len}: {error}");
    }
}

#[test]
fn a_million_bit_flips() {
    let whole = sample(3);
    let threads: u64 = 4;
    let flips = |seed: u64| {
        let mut random = Random(seed);
        for round in 0..1_000_000 / threads {
            let (result, peak) = open(flipped(&whole, &mut random));
            assert!(peak < 64 * whole.len(), "seed {seed}, round {round}: {peak} bytes allocated");
            if let Err(error) = result {
                assert!(!error.field().is_empty(), "seed {seed}, round {round}: {error}");
            }
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|seed| drop(scope.spawn(move || flips(seed)))));
}

/// One tensor `t` of these raw fields, after `keys`.
fn with_tensor(keys: Raw, name: &str, dims: &[u64], type_id: u32, offset: u64) -> Vec<u8> {
    keys.tensor(name, dims, type_id, offset).data(32, 256)
}

fn one(dims: &[u64], type_id: u32, offset: u64) -> Vec<u8> {
    with_tensor(Raw::header(3, 1, 0), "t", dims, type_id, offset)
}

fn key(type_id: u32, value: &[u8]) -> Vec<u8> {
    Raw::header(3, 0, 1).key("k", type_id, value).data(32, 64)
}

/// A file that is wrong in one way, with the kind and field of the error it has to give.
type Lie = (&'static str, Vec<u8>, ErrorKind, &'static str);

fn lies() -> Vec<Lie> {
    use ErrorKind::{Malformed, Truncated, Unsupported};
    let f32_id = TensorType::F32.id();
    let array = |type_id: u32, count: u64| Raw::default().u32(type_id).u64(count).0;
    let twice = Raw::header(3, 2, 0).tensor("t", &[8], f32_id, 0).tensor("t", &[8], f32_id, 32);
    let overlap = Raw::header(3, 2, 0).tensor("a", &[16], f32_id, 32).tensor("b", &[16], f32_id, 0);
    let key_twice = Raw::header(3, 0, 2).key("k", 0, &[1]).key("k", 0, &[2]);
    let alignment = |value: u32| {
        let keys = Raw::header(3, 1, 1).key("general.alignment", 4, &value.to_le_bytes());
        with_tensor(keys, "t", &[8], f32_id, 0)
    };
    let mut not_utf8 = key(8, &Raw::default().string("abcd").0);
    not_utf8[24 + 9 + 4 + 8 + 2] = 0xff;

    vec![
        ("other magic", b"GGML\0\0\0\0".to_vec(), Malformed, "magic"),
        ("version 1", Raw::header(1, 0, 0).0, Unsupported, "version"),
        ("version 4", Raw::header(4, 0, 0).0, Unsupported, "version"),
        ("big-endian", Raw::header(3u32.swap_bytes(), 0, 0).0, Unsupported, "version"),
        ("2^60 tensors", Raw::header(3, 1 << 60, 0).data(32, 64), Truncated, "tensor count"),
        ("2^64 - 1 keys", Raw::header(3, 0, u64::MAX).data(32, 64), Truncated, "metadata count"),
        ("a key of 2^63 bytes", Raw::header(3, 0, 1).u64(1 << 63).data(32, 64), Truncated, "metadata key 0"),
        ("an empty key", Raw::header(3, 0, 1).key("", 0, &[1]).data(32, 64), Malformed, "metadata key 0"),
        (
            "a key of 65536 bytes",
            Raw::header(3, 0, 1).key(&"k".repeat(65536), 0, &[1]).0,
            Malformed,
            "metadata key 0",
        ),
        ("a key twice", key_twice.data(32, 64), Malformed, "k"),
        ("value type 13", key(13, &[0; 8]), Malformed, "k"),
        ("bool 2", key(7, &[2]), Malformed, "k"),
        ("not UTF-8", not_utf8, Malformed, "k"),
        ("an array of 2^60 strings", key(9, &array(8, 1 << 60)), Truncated, "k"),
        ("an array of 2^61 u64", key(9, &array(10, 1 << 61)), Truncated, "k"),
        ("an array of arrays", key(9, &array(9, 1)), Unsupported, "k"),
        ("array type 99", key(9, &array(99, 1)), Malformed, "k"),
        ("alignment 0", alignment(0), Malformed, "general.alignment"),
        ("alignment 24", alignment(24), Malformed, "general.alignment"),
        ("alignment 2^31", alignment(1 << 31), Malformed, "general.alignment"),
        ("no dimensions", one(&[], f32_id, 0), Malformed, "tensor \"t\" dimensions"),
        ("5 dimensions", one(&[1; 5], f32_id, 0), Malformed, "tensor \"t\" dimensions"),
        ("a zero dimension", one(&[4, 0], f32_id, 0), Malformed, "tensor \"t\" shape"),
        ("2^64 elements", one(&[1 << 32, 1 << 32], f32_id, 0), Malformed, "tensor \"t\" shape"),
        ("2^64 bytes", one(&[1 << 62], f32_id, 0), Malformed, "tensor \"t\" shape"),
        ("a negative dimension", one(&[u64::MAX], f32_id, 0), Malformed, "tensor \"t\" shape"),
        ("half a block", one(&[16], TensorType::Q4_0.id(), 0), Malformed, "tensor \"t\" row"),
        ("type 4, removed", one(&[32], 4, 0), Unsupported, "tensor \"t\" type"),
        ("type 2^32 - 1", one(&[32], u32::MAX, 0), Unsupported, "tensor \"t\" type"),
        ("offset 7", one(&[8], f32_id, 7), Malformed, "tensor \"t\" offset"),
        ("offset past the end", one(&[8], f32_id, 1 << 20), Truncated, "tensor \"t\" data"),
        ("offset that overflows", one(&[8], f32_id, u64::MAX - 31), Malformed, "tensor \"t\" offset"),
        ("a tensor past the end", one(&[65], f32_id, 0), Truncated, "tensor \"t\" data"),
        ("a tensor twice", twice.data(32, 64), Malformed, "tensor \"t\""),
        ("overlapping tensors", overlap.data(32, 128), Malformed, "tensor \"a\" offset"),
        ("no name", with_tensor(Raw::header(3, 1, 0), "", &[8], f32_id, 0), Malformed, "tensor name"),
        (
            "a long name",
            with_tensor(Raw::header(3, 1, 0), &"n".repeat(64), &[8], f32_id, 0),
            Malformed,
            "tensor name",
        ),
    ]
}

#[test]
fn each_lie_is_named() {
    for (what, bytes, kind, field) in lies() {
        let error = error(bytes);
        assert_eq!((error.kind(), error.field()), (kind, field), "{what}: {error}");
    }
}

/// What the fuzzer starts from, and what it once found. `UPDATE_CORPUS=1` adds the files of this suite to it.
#[test]
fn the_corpus_is_read_to_the_end() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/gguf");
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        let lies = lies().into_iter().map(|(what, bytes, ..)| (what.replace(' ', "-"), bytes));
        let whole = [("sample-2".to_owned(), sample(2)), ("sample-3".to_owned(), sample(3))];
        for (name, bytes) in lies.chain(whole).filter(|(_, bytes)| bytes.len() < 4096) {
            fs::write(corpus.join(name), bytes).unwrap();
        }
    }
    let files: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 30);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let len = bytes.len();
        let (result, peak) = open(bytes);
        assert!(peak < 64 * len + 4096, "{}: {peak} bytes allocated", file.display());
        if let Err(error) = result {
            assert!(!error.field().is_empty(), "{}: {error}", file.display());
        }
    }
}

#[test]
fn big_endian_is_called_so() {
    let error = error(Raw::header(3u32.swap_bytes(), 0, 0).0);
    assert_eq!(
        error.to_string(),
        "version: found 3 in big-endian order; only little-endian files can be read"
    );
}

#[test]
fn errors_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken.gguf");
    fs::write(&path, b"GGUF").unwrap();
    let error = Gguf::open(&path).err().unwrap();
    assert_eq!(error.path(), Some(&*path));
    assert!(
        error.to_string().ends_with("broken.gguf: version: at byte 4: 4 bytes needed, 0 left"),
        "{error}"
    );
    fs::write(&path, b"").unwrap();
    assert_eq!(Gguf::open(&path).err().unwrap().field(), "magic");
}
