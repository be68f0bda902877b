//! Broken checkpoints: each error says in which file and at which field, and nothing is left in the output directory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test by panicking")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use lorgnette_quant::convert::{ConvertOptions, OutType, convert};
use lorgnette_quant::{ErrorKind, Progress};
use serde_json::{Value, json};

const QWEN3: &str = "qwen3-0.6b";
const LLAMA3: &str = "Llama-3.2-tiny-Instruct";
const SMOLVLM: &str = "SmolVLM2-tiny-Video-Instruct";
const ULTRAVOX: &str = "ultravox-v0_5-tiny";

/// A copy of a committed checkpoint, to be broken.
struct Checkpoint {
    dir: tempfile::TempDir,
    name: &'static str,
}

impl Checkpoint {
    fn of(name: &'static str) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data/convert")
            .join(name)
            .join("model")
            .join(name);
        let copy = Self { dir: tempfile::tempdir().unwrap(), name };
        std::fs::create_dir_all(copy.path()).unwrap();
        for entry in std::fs::read_dir(source).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        copy
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(self.name)
    }

    fn without(self, file: &str) -> Self {
        std::fs::remove_file(self.path().join(file)).unwrap();
        self
    }

    /// With the JSON value at `pointer` (RFC 6901) replaced.
    fn with_json(self, file: &str, pointer: &str, value: Value) -> Self {
        let path = self.path().join(file);
        let mut root: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        *root.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer} in {file}")) = value;
        self.with_file(file, root.to_string().as_bytes())
    }

    fn with_file(self, file: &str, bytes: &[u8]) -> Self {
        std::fs::write(self.path().join(file), bytes).unwrap();
        self
    }

    /// With the header of `model.safetensors` changed.
    fn with_header(self, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Self {
        let bytes = std::fs::read(self.path().join("model.safetensors")).unwrap();
        let data = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut header = serde_json::from_slice(&bytes[8..data]).unwrap();
        change(&mut header);
        let header = serde_json::to_vec(&header).unwrap();
        let file = [&(header.len() as u64).to_le_bytes()[..], &header, &bytes[data..]].concat();
        self.with_file("model.safetensors", &file)
    }

    /// Expects an error of `kind` in `file` at `field`, and no output.
    #[track_caller]
    fn fails(self, kind: ErrorKind, file: &str, field: &str) {
        let out = tempfile::tempdir().unwrap();
        let error = convert(&self.path(), out.path(), &ConvertOptions::default(), &()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.path(), Some(&*self.path().join(file)), "{error}");
        assert_eq!(error.field(), field, "{error}");
        assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "{error}");
    }
}

use ErrorKind::{Malformed, Missing, Truncated, Unsupported};

#[test]
fn missing_files_are_named() {
    let rows = [
        (QWEN3, "config.json"),
        (QWEN3, "tokenizer.json"),
        (QWEN3, "model.safetensors"),
        (LLAMA3, "model-00001-of-00002.safetensors"),
    ];
    for (name, file) in rows {
        Checkpoint::of(name).without(file).fails(Missing, file, "");
    }
    // The settings of images may stand in either file.
    let images = Checkpoint::of(SMOLVLM).without("preprocessor_config.json");
    images.fails(Missing, "processor_config.json", "image_mean");
}

#[test]
fn broken_json_is_named() {
    Checkpoint::of(QWEN3).with_file("config.json", b"{\"architectures\": [").fails(
        Malformed,
        "config.json",
        "",
    );
    Checkpoint::of(QWEN3).with_file("tokenizer.json", b"\xff").fails(Malformed, "tokenizer.json", "");
}

#[test]
fn wrong_values_are_named() {
    let rows = [
        (QWEN3, "config.json", "/hidden_size", json!("32"), Malformed, "hidden_size"),
        (QWEN3, "config.json", "/num_attention_heads", json!(0), Malformed, "num_attention_heads"),
        (QWEN3, "config.json", "/architectures", json!([]), Malformed, "architectures"),
        (QWEN3, "config.json", "/architectures", json!(["MambaForCausalLM"]), Unsupported, "architectures.0"),
        (QWEN3, "config.json", "/rms_norm_eps", json!([1e-6]), Malformed, "rms_norm_eps"),
        (LLAMA3, "config.json", "/rope_scaling/factor", json!("32"), Malformed, "rope_scaling.factor"),
        (
            LLAMA3,
            "config.json",
            "/rope_scaling/rope_type",
            json!("su"),
            Unsupported,
            "rope_scaling.rope_type",
        ),
        (SMOLVLM, "config.json", "/text_config", json!(null), Missing, "text_config"),
        (
            SMOLVLM,
            "config.json",
            "/text_config/architectures/0",
            json!("BertModel"),
            Unsupported,
            "text_config.architectures.0",
        ),
        (
            SMOLVLM,
            "config.json",
            "/vision_config/patch_size",
            json!(-4),
            Malformed,
            "vision_config.patch_size",
        ),
        (SMOLVLM, "preprocessor_config.json", "/image_std", json!([0.5]), Malformed, "image_std"),
        (ULTRAVOX, "config.json", "/audio_config/d_model", json!(null), Missing, "audio_config.d_model"),
        (ULTRAVOX, "config.json", "/stack_factor", json!(2.5), Malformed, "stack_factor"),
        (QWEN3, "tokenizer.json", "/model/type", json!("Unigram"), Unsupported, "model.type"),
        (QWEN3, "tokenizer.json", "/model/merges/3", json!(["a"]), Malformed, "model.merges.3"),
        (QWEN3, "tokenizer.json", "/model/vocab/!", json!(304), Malformed, "model.vocab.!"),
        (QWEN3, "tokenizer.json", "/added_tokens/0/id", json!("x"), Malformed, "added_tokens.0.id"),
        (
            QWEN3,
            "tokenizer.json",
            "/pre_tokenizer",
            json!({"type": "Whitespace"}),
            Unsupported,
            "pre_tokenizer",
        ),
        (
            QWEN3,
            "tokenizer.json",
            "/pre_tokenizer/pretokenizers/0/pattern/Regex",
            json!("\\w+"),
            Unsupported,
            "pre_tokenizer",
        ),
        ("llama-2-json-v1.0-chat", "tokenizer.json", "/model/vocab/<s>", json!(2), Malformed, "model.vocab"),
        (LLAMA3, "model.safetensors.index.json", "/weight_map", json!([]), Malformed, "weight_map"),
    ];
    for (name, file, pointer, value, kind, field) in rows {
        Checkpoint::of(name).with_json(file, pointer, value).fails(kind, file, field);
    }
}

#[test]
fn an_index_must_fit_its_shards_and_stay_in_its_directory() {
    const INDEX: &str = "model.safetensors.index.json";
    let at = "/weight_map/model.norm.weight";
    let escape = Checkpoint::of(LLAMA3).with_json(INDEX, at, json!("../other.safetensors"));
    escape.fails(Malformed, INDEX, "weight_map.model.norm.weight");
    let moved = Checkpoint::of(LLAMA3).with_json(INDEX, at, json!("model-00001-of-00002.safetensors"));
    moved.fails(Missing, "model-00001-of-00002.safetensors", "tensor \"model.norm.weight\"");
    let partial = json!({"model.norm.weight": "model-00002-of-00002.safetensors"});
    Checkpoint::of(LLAMA3).with_json(INDEX, "/weight_map", partial).fails(Malformed, INDEX, "weight_map");
}

#[test]
fn tensors_of_another_shape_or_name_are_named() {
    let norm = "model.norm.weight";
    let shorter = Checkpoint::of(QWEN3).with_json("config.json", "/intermediate_size", json!(64));
    let field = "tensor \"model.layers.0.mlp.down_proj.weight\" shape";
    shorter.fails(Malformed, "model.safetensors", field);

    let unknown = Checkpoint::of(QWEN3).with_header(|header| {
        let tensor = header.remove(norm).unwrap();
        header.insert("model.layers.7.norm.weight".to_owned(), tensor);
    });
    unknown.fails(Unsupported, "model.safetensors", "tensor \"model.layers.7.norm.weight\"");

    let integers = Checkpoint::of(QWEN3).with_header(|header| header[norm]["dtype"] = json!("I16"));
    integers.fails(Unsupported, "model.safetensors", "tensor \"model.norm.weight\" dtype");
}

#[test]
fn a_missing_tensor_is_named() {
    let checkpoint = Checkpoint::of(QWEN3).with_json("config.json", "/num_hidden_layers", json!(2));
    let out = tempfile::tempdir().unwrap();
    let error = convert(&checkpoint.path(), out.path(), &ConvertOptions::default(), &()).unwrap_err();
    assert_eq!(error.kind(), Missing);
    assert_eq!(error.field(), "tensor \"model.layers.1.self_attn.q_proj.weight\"");
    assert_eq!(error.path(), Some(&*checkpoint.path()));
}

#[test]
fn headers_of_safetensors_are_checked() {
    let file = "model.safetensors";
    let norm = "model.norm.weight";
    let header = |field: &'static str, value: Value| {
        Checkpoint::of(QWEN3).with_header(move |header| header[norm][field] = value)
    };
    let offsets = "tensor \"model.norm.weight\" data_offsets";
    // The first of the two in the file is found to lie on the other.
    let embedding = "tensor \"model.embed_tokens.weight\" data_offsets";
    header("data_offsets", json!([0, 64])).fails(Malformed, file, embedding);
    header("data_offsets", json!([64, 0])).fails(Malformed, file, offsets);
    header("data_offsets", json!([0])).fails(Malformed, file, offsets);
    header("data_offsets", json!([u64::MAX - 63, u64::MAX])).fails(Malformed, file, offsets);
    header("shape", json!([u64::MAX, u64::MAX])).fails(Malformed, file, "tensor \"model.norm.weight\" shape");
    header("shape", json!("32")).fails(Malformed, file, "tensor \"model.norm.weight\" shape");
    header("shape", json!([31])).fails(Malformed, file, offsets);
    header("dtype", json!("Q4")).fails(Unsupported, file, "tensor \"model.norm.weight\" dtype");

    Checkpoint::of(QWEN3).with_file(file, b"").fails(Truncated, file, "header");
    Checkpoint::of(QWEN3).with_file(file, b"abc").fails(Truncated, file, "header");
    Checkpoint::of(QWEN3).with_file(file, b"\x10\0\0\0\0\0\0\0{}").fails(Truncated, file, "header");
    Checkpoint::of(QWEN3).with_file(file, &[0xff; 64]).fails(Malformed, file, "header length");
    Checkpoint::of(QWEN3).with_file(file, b"\x02\0\0\0\0\0\0\0[]").fails(Malformed, file, "header");
    Checkpoint::of(QWEN3).with_file(file, b"\x02\0\0\0\0\0\0\0{}!").fails(Malformed, file, "data");

    let checkpoint = Checkpoint::of(QWEN3);
    let bytes = std::fs::read(checkpoint.path().join(file)).unwrap();
    let cut = checkpoint.with_file(file, &bytes[..bytes.len() - 1]);
    let out = tempfile::tempdir().unwrap();
    let error = convert(&cut.path(), out.path(), &ConvertOptions::default(), &()).unwrap_err();
    assert_eq!(error.kind(), Truncated, "{error}");
}

#[test]
fn a_broken_sentencepiece_model_is_named() {
    for (bytes, kind) in
        [(&b"\x0a\xff"[..], Truncated), (b"\x0b", Malformed), (b"\x0a\x03\x0a\x01\xff", Malformed)]
    {
        let checkpoint = Checkpoint::of("llama-2-json-v1.0-chat").with_file("tokenizer.model", bytes);
        let out = tempfile::tempdir().unwrap();
        let error = convert(&checkpoint.path(), out.path(), &ConvertOptions::default(), &()).unwrap_err();
        assert_eq!(
            (error.kind(), error.path()),
            (kind, Some(&*checkpoint.path().join("tokenizer.model"))),
            "{error}"
        );
    }
}

/// Stops once `limit` bytes are through.
struct StopAt {
    limit: u64,
    done: AtomicU64,
}

impl Progress for StopAt {
    fn advance(&self, _item: &str, done: u64, total: u64) {
        assert!(done <= total);
        self.done.store(done, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.limit
    }
}

#[test]
fn a_cancelled_conversion_leaves_no_file() {
    let checkpoint = Checkpoint::of(SMOLVLM);
    // The text model alone takes more than the first of these, both files more than the second.
    for limit in [0, 1_000, 38_000] {
        let out = tempfile::tempdir().unwrap();
        let stop = StopAt { limit, done: AtomicU64::new(0) };
        let error = convert(&checkpoint.path(), out.path(), &ConvertOptions::default(), &stop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
    }
}

#[test]
fn progress_ends_at_the_total() {
    let checkpoint = Checkpoint::of(SMOLVLM);
    let out = tempfile::tempdir().unwrap();
    let all = StopAt { limit: u64::MAX, done: AtomicU64::new(0) };
    let paths = convert(&checkpoint.path(), out.path(), &ConvertOptions::default(), &all).unwrap();
    assert_eq!(paths.len(), 2);
    assert!(paths[1].file_name().unwrap().to_str().unwrap().starts_with("mmproj-"));
    let bytes: u64 = paths.iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(all.done.into_inner() < bytes);
}

#[test]
fn a_failure_in_the_second_file_leaves_not_even_the_first() {
    let name = "model.connector.modality_projection.proj.weight";
    let mut range = 0..0;
    let checkpoint = Checkpoint::of(SMOLVLM).with_header(|header| {
        let offset = |i: usize| header[name]["data_offsets"][i].as_u64().unwrap() as usize;
        range = offset(0)..offset(1);
    });
    let path = checkpoint.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let data = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[data + range.start..data + range.end].fill(0xff);
    std::fs::write(&path, bytes).unwrap();

    let out = tempfile::tempdir().unwrap();
    let mut options = ConvertOptions::default();
    options.outtype = OutType::Q8_0;
    let error = convert(&checkpoint.path(), out.path(), &options, &()).unwrap_err();
    assert_eq!((error.kind(), error.path()), (Malformed, Some(&*path)), "{error}");
    assert_eq!(error.field(), format!("tensor {name:?}"));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}
