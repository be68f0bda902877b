//! Small files made by hand, byte by byte, so that they do not depend on the writer under test.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod blocks;
pub(crate) mod folder;

use lorgnette_quant::TensorType;
use lorgnette_quant::gguf::{TensorInfo, TensorShape};

/// Bytes of a GGUF file in the making.
#[derive(Clone, Default)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

impl Raw {
    /// Magic, version and the two counts.
    pub(crate) fn header(version: u32, tensors: u64, keys: u64) -> Self {
        Self(b"GGUF".to_vec()).u32(version).u64(tensors).u64(keys)
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn string(self, text: &str) -> Self {
        self.u64(text.len() as u64).bytes(text.as_bytes())
    }

    /// A key with the raw bytes of its value.
    pub(crate) fn key(self, key: &str, type_id: u32, value: &[u8]) -> Self {
        self.string(key).u32(type_id).bytes(value)
    }

    pub(crate) fn tensor(self, name: &str, dims: &[u64], type_id: u32, offset: u64) -> Self {
        let start = self.string(name).u32(dims.len() as u32);
        dims.iter().fold(start, |raw, &d| raw.u64(d)).u32(type_id).u64(offset)
    }

    pub(crate) fn pad(mut self, alignment: usize) -> Self {
        self.0.resize(self.0.len().next_multiple_of(alignment), 0);
        self
    }

    /// Pads, then `len` bytes of data counting up.
    pub(crate) fn data(self, alignment: usize, len: usize) -> Vec<u8> {
        let mut bytes = self.pad(alignment).0;
        bytes.extend((0..len).map(|i| i as u8));
        bytes
    }
}

/// A file with every kind of value and three tensors.
pub(crate) fn sample(version: u32) -> Vec<u8> {
    let array = |type_id: u32, count: u64| Raw::default().u32(type_id).u64(count);
    Raw::header(version, 3, 15)
        .key("general.architecture", 8, &Raw::default().string("llama").0)
        .key("k.u8", 0, &[200])
        .key("k.i8", 1, &[0x80])
        .key("k.u16", 2, &[0x34, 0x12])
        .key("k.i16", 3, &[0xff, 0xff])
        .key("k.u32", 4, &7u32.to_le_bytes())
        .key("k.i32", 5, &(-7i32).to_le_bytes())
        .key("k.f32", 6, &1.5f32.to_le_bytes())
        .key("k.bool", 7, &[1])
        .key("k.u64", 10, &u64::MAX.to_le_bytes())
        .key("k.i64", 11, &i64::MIN.to_le_bytes())
        .key("k.f64", 12, &(-2.25f64).to_le_bytes())
        .key("k.strings", 9, &array(8, 3).string("a").string("").string("\u{120}b").0)
        .key("k.floats", 9, &array(6, 2).bytes(&0.5f32.to_le_bytes()).bytes(&2f32.to_le_bytes()).0)
        .key("k.bools", 9, &array(7, 2).bytes(&[0, 1]).0)
        .tensor("norm", &[3], TensorType::F32.id(), 0)
        .tensor("up", &[32, 2], TensorType::Q4_0.id(), 32)
        .tensor("down", &[4, 2, 2], TensorType::F16.id(), 96)
        .data(32, 96 + 32)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Nearly normal: the sum of 12 uniforms less 6.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| (self.next() >> 40) as f32 / (1u64 << 24) as f32).sum::<f32>() - 6.0
    }
}

pub(crate) fn tensor(name: &str, dims: &[usize], ty: TensorType) -> TensorInfo {
    TensorInfo::new(name, TensorShape::new(dims).unwrap(), ty).unwrap()
}

/// 64-bit FNV-1a (Fowler, Noll, Vo), in hexadecimal: what the golden files hold.
pub(crate) fn fnv1a(bytes: &[u8]) -> String {
    fnv1a_of(bytes.iter().map(|&byte| byte.into()))
}

/// The same over 64-bit words, the last filled with zeros: for what Python has to hash.
pub(crate) fn fnv1a_words(bytes: &[u8]) -> String {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(8), 0);
    fnv1a_of(padded.as_chunks().0.iter().copied().map(u64::from_le_bytes))
}

fn fnv1a_of(items: impl Iterator<Item = u64>) -> String {
    format!(
        "{:016x}",
        items.fold(0xCBF2_9CE4_8422_2325u64, |hash, item| (hash ^ item).wrapping_mul(0x100_0000_01B3))
    )
}

/// The file with up to four bits turned.
pub(crate) fn flipped(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(4) {
        let bit = random.below(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    bytes
}
