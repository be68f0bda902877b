//! What is written can be read, and edited in place where it can be.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{Raw, sample, tensor};
use lorgnette_quant::gguf::{Gguf, Metadata, TensorInfo, Value, Writer, set_metadata, shard_path};
use lorgnette_quant::{ErrorKind, Result, TensorType};

fn write(metadata: &Metadata, tensors: &[(TensorInfo, Vec<u8>)]) -> Vec<u8> {
    let infos: Vec<_> = tensors.iter().map(|(info, _)| info.clone()).collect();
    let mut writer = Writer::new(Vec::new(), metadata, &infos).unwrap();
    for (_, data) in tensors {
        let (first, second) = data.split_at(data.len() / 3);
        writer.write(first).unwrap();
        writer.write(second).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn every_value_type_and_tensor_is_read() {
    for version in [2, 3] {
        let model = Gguf::from_bytes(sample(version)).unwrap();
        let metadata = model.metadata();
        assert_eq!(model.version(), version);
        assert_eq!(metadata.len(), 15);
        assert_eq!(metadata.require::<&str>("general.architecture").unwrap(), "llama");
        assert_eq!(metadata.value("k.u8"), Some(&Value::U8(200)));
        assert_eq!(metadata.value("k.i8"), Some(&Value::I8(-128)));
        assert_eq!(metadata.value("k.u16"), Some(&Value::U16(0x1234)));
        assert_eq!(metadata.value("k.i16"), Some(&Value::I16(-1)));
        assert_eq!(metadata.value("k.i32"), Some(&Value::I32(-7)));
        assert_eq!(metadata.value("k.u64"), Some(&Value::U64(u64::MAX)));
        assert_eq!(metadata.value("k.i64"), Some(&Value::I64(i64::MIN)));
        assert_eq!(metadata.value("k.f64"), Some(&Value::F64(-2.25)));
        assert!(metadata.require::<bool>("k.bool").unwrap());
        assert_eq!(metadata.require::<&[f32]>("k.floats").unwrap(), [0.5, 2.0]);
        assert_eq!(metadata.require::<&[bool]>("k.bools").unwrap(), [false, true]);
        let strings: &lorgnette_quant::gguf::Strings = metadata.require("k.strings").unwrap();
        assert_eq!(strings.iter().collect::<Vec<_>>(), ["a", "", "Ġb"]);

        let up = model.tensor("up").unwrap();
        assert_eq!((up.info.shape().dims(), up.info.ty()), (&[32, 2][..], TensorType::Q4_0));
        assert_eq!(up.data, (32..32 + 36).collect::<Vec<u8>>());
        assert_eq!(model.tensor("sideways").err().unwrap().kind(), ErrorKind::Missing);
    }
}

#[test]
fn the_writer_reproduces_a_version_3_file() {
    let bytes = sample(3);
    let model = Gguf::from_bytes(bytes.clone()).unwrap();
    let tensors: Vec<_> = model.tensors().map(|t| (t.info.clone(), t.data.to_vec())).collect();
    let written = write(model.metadata(), &tensors);
    let again = Gguf::from_bytes(written.clone()).unwrap();
    assert_eq!(again.metadata(), model.metadata());
    assert!(again.tensors().zip(model.tensors()).all(|(a, b)| a.info == b.info && a.data == b.data));
    let header = written.len() - 128;
    assert_eq!(written[..header], bytes[..header]);
}

#[test]
fn alignment_is_obeyed() {
    let mut metadata = Metadata::new();
    metadata.set("general.alignment", 256u32);
    let tensors = [tensor("a", &[1], TensorType::F32), tensor("b", &[5], TensorType::I8)];
    let written = write(&metadata, &[(tensors[0].clone(), vec![1; 4]), (tensors[1].clone(), vec![2; 5])]);
    assert_eq!(written.len() % 256, 0);
    assert_eq!(&written[written.len() - 512..][..4], [1; 4]);
    assert_eq!(Gguf::from_bytes(written).unwrap().tensor("b").unwrap().data, [2; 5]);
}

#[test]
fn the_writer_takes_neither_more_nor_less_than_announced() {
    let announced = [tensor("a", &[2], TensorType::F32)];
    let mut writer = Writer::new(Vec::new(), &Metadata::new(), &announced).unwrap();
    assert_eq!(writer.write(&[0; 9]).unwrap_err().kind(), ErrorKind::Argument);
    writer.write(&[0; 4]).unwrap();
    let error = writer.finish().unwrap_err();
    assert_eq!(error.to_string(), "a: 4 of 8 bytes never came");
}

#[test]
fn a_full_disk_is_an_error() {
    #[cfg(target_os = "linux")]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = Writer::new(full, &Metadata::new(), &[]).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().starts_with("cannot write"), "{error}");
    }
}

fn shard(no: u16, count: u16, total: i32, name: &str) -> Vec<u8> {
    let mut metadata = Metadata::new();
    if no == 0 {
        metadata.set("general.architecture", "llama");
    }
    metadata.set("split.no", no);
    metadata.set("split.count", count);
    metadata.set("split.tensors.count", total);
    write(&metadata, &[(tensor(name, &[2], TensorType::I8), vec![no as u8; 2])])
}

fn open_split(dir: &Path, shards: &[Vec<u8>]) -> Result<Gguf> {
    for (no, bytes) in shards.iter().enumerate() {
        std::fs::write(shard_path(&dir.join("m"), no as u16, 3), bytes).unwrap();
    }
    Gguf::open(shard_path(&dir.join("m"), 0, 3))
}

#[test]
fn shards_look_like_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let shards = ["a", "b", "c"].map(|name| shard(name.as_bytes()[0] as u16 - 97, 3, 3, name));
    let model = open_split(dir.path(), &shards).unwrap();
    assert_eq!(model.tensors().map(|t| t.data[0]).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(model.metadata().len(), 1, "the split keys describe files, not the model");
    assert_eq!(model.paths().count(), 3);
}

#[test]
fn a_wrong_shard_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let good = ["a", "b", "c"].map(|name| shard(name.as_bytes()[0] as u16 - 97, 3, 3, name));
    let case = |at: usize, bytes: Vec<u8>| {
        let mut shards = good.clone();
        shards[at] = bytes;
        open_split(dir.path(), &shards).err().unwrap().to_string()
    };
    assert!(case(1, shard(2, 3, 3, "b")).ends_with("m-00002-of-00003.gguf: split.no: found 2, expected 1"));
    assert!(case(1, shard(1, 3, 3, "a")).contains("tensor \"a\": found the name in two shards"));
    assert!(case(0, shard(0, 3, 9, "a")).contains("split.tensors.count: found 9, expected 3 tensors"));
    assert!(case(0, shard(1, 3, 3, "a")).contains("(open the first shard)"));
    std::fs::remove_file(shard_path(&dir.path().join("m"), 2, 3)).unwrap();
    std::fs::write(shard_path(&dir.path().join("m"), 0, 3), &good[0]).unwrap();
    let error = Gguf::open(shard_path(&dir.path().join("m"), 0, 3)).err().unwrap();
    assert_eq!(
        (error.kind(), error.path()),
        (ErrorKind::Io, Some(&*shard_path(&dir.path().join("m"), 2, 3)))
    );
}

#[test]
fn an_edit_that_fits_leaves_the_data_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    std::fs::write(&path, sample(3)).unwrap();

    let in_place = set_metadata(&path, |m| {
        m.set("k.u32", 8u32);
        Ok(())
    });
    assert!(in_place.unwrap());
    let changed = std::fs::read(&path).unwrap().iter().zip(sample(3)).filter(|(a, b)| *a != b).count();
    assert_eq!(changed, 1, "one byte of one number");

    let in_place = set_metadata(&path, |m| {
        m.set("general.description", "x".repeat(100));
        m.remove("k.bools");
        Ok(())
    });
    assert!(!in_place.unwrap());
    let model = Gguf::open(&path).unwrap();
    assert_eq!(model.metadata().require::<u32>("k.u32").unwrap(), 8);
    assert_eq!(model.metadata().value("k.bools"), None);
    assert_eq!(model.tensor("up").unwrap().data, (32..32 + 36).collect::<Vec<u8>>());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_edit_cannot_move_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    std::fs::write(&path, sample(3)).unwrap();
    let error = set_metadata(&path, |m| {
        m.set("general.alignment", 64u32);
        Ok(())
    });
    assert_eq!(error.unwrap_err().field(), "general.alignment");
    assert_eq!(std::fs::read(&path).unwrap(), sample(3));
}

#[test]
fn an_empty_file_of_tensors_is_a_file() {
    let model = Gguf::from_bytes(Raw::header(3, 0, 0).0).unwrap();
    assert_eq!(model.tensors().len(), 0);
}
