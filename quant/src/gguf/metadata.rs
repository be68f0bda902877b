//! The key-value part of a GGUF file, in the file's order, with typed access.

use std::collections::HashMap;

use super::value::{Array, Strings, Value};
use crate::error::{Error, ErrorKind, Result};

/// Keys and values in the order they stand in the file. A key stands once.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    entries: Vec<(String, Value)>,
    index: HashMap<String, usize>,
}

impl Metadata {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The raw value of `key`.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.index.get(key).map(|&i| &self.entries[i].1)
    }

    /// The value of `key` as `T`, or `None` when there is no such key.
    ///
    /// # Errors
    /// [`ErrorKind::WrongType`] when the value has another type or does not fit into `T`.
    pub fn get<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        T::from_value(value).map(Some).ok_or_else(|| {
            Error::new(
                ErrorKind::WrongType,
                key,
                format!("found {}, expected {}", describe(value), T::EXPECTED),
            )
        })
    }

    /// The value of `key` as `T`.
    ///
    /// # Errors
    /// As [`Metadata::get`], and [`ErrorKind::Missing`] when there is no such key.
    pub fn require<'a, T: FromValue<'a>>(&'a self, key: &str) -> Result<T> {
        self.get(key)?.ok_or_else(|| Error::missing(key, T::EXPECTED))
    }

    /// Sets `key`, in its old place if it has one, else at the end. Returns the value it had.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.index.get(&key) {
            Some(&i) => Some(std::mem::replace(&mut self.entries[i].1, value)),
            None => {
                self.index.insert(key.clone(), self.entries.len());
                self.entries.push((key, value));
                None
            }
        }
    }

    /// Removes `key` and returns its value. The order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.index.remove(key)?;
        let (_, value) = self.entries.remove(at);
        self.index.values_mut().filter(|i| **i > at).for_each(|i| *i -= 1);
        Some(value)
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values in the file's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Array(array) => format!("{} {}s", array.len(), array.element_type()),
        Value::String(text) => format!("string {:?}", text.chars().take(40).collect::<String>()),
        Value::Bool(b) => format!("bool {b}"),
        scalar => match (as_i128(scalar), as_f64(scalar)) {
            (Some(int), _) => format!("{} {int}", scalar.value_type()),
            (None, Some(float)) => format!("{} {float}", scalar.value_type()),
            (None, None) => scalar.value_type().to_string(),
        },
    }
}

/// A Rust type that a metadata value can be read as. Integers of any width convert when the number fits, since
/// writers differ in the width they choose; f64 converts to f32; nothing else converts.
pub trait FromValue<'a>: Sized {
    /// What the type is called in an error.
    const EXPECTED: &'static str;
    /// The value as this type, if it is one.
    fn from_value(value: &'a Value) -> Option<Self>;
}

fn as_i128(value: &Value) -> Option<i128> {
    Some(match *value {
        Value::U8(v) => v.into(),
        Value::I8(v) => v.into(),
        Value::U16(v) => v.into(),
        Value::I16(v) => v.into(),
        Value::U32(v) => v.into(),
        Value::I32(v) => v.into(),
        Value::U64(v) => v.into(),
        Value::I64(v) => v.into(),
        _ => return None,
    })
}

fn as_f64(value: &Value) -> Option<f64> {
    match *value {
        Value::F32(v) => Some(v.into()),
        Value::F64(v) => Some(v),
        _ => None,
    }
}

macro_rules! from_integer {
    ($($ty:ty: $expected:literal),*) => { $(
        impl FromValue<'_> for $ty {
            const EXPECTED: &'static str = $expected;
            fn from_value(value: &Value) -> Option<Self> {
                as_i128(value)?.try_into().ok()
            }
        }
    )* };
}

from_integer! {
    u16: "an integer from 0 to 65535",
    u32: "an integer from 0 to 4294967295",
    i32: "an integer of 32 bits",
    u64: "an integer not below 0",
    i64: "an integer of 64 bits",
    usize: "an integer not below 0"
}

impl FromValue<'_> for f32 {
    const EXPECTED: &'static str = "a float";
    fn from_value(value: &Value) -> Option<Self> {
        as_f64(value).map(|v| v as f32)
    }
}

impl FromValue<'_> for bool {
    const EXPECTED: &'static str = "a bool";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }
}

impl<'a> FromValue<'a> for &'a str {
    const EXPECTED: &'static str = "a string";
    fn from_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> FromValue<'a> for &'a Array {
    const EXPECTED: &'static str = "an array";
    fn from_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }
}

impl<'a> FromValue<'a> for &'a Strings {
    const EXPECTED: &'static str = "an array of strings";
    fn from_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Array(Array::String(strings)) => Some(strings),
            _ => None,
        }
    }
}

macro_rules! from_slice {
    ($($ty:ty, $variant:ident, $expected:literal;)*) => { $(
        impl<'a> FromValue<'a> for &'a [$ty] {
            const EXPECTED: &'static str = $expected;
            fn from_value(value: &'a Value) -> Option<Self> {
                match value {
                    Value::Array(Array::$variant(items)) => Some(items),
                    _ => None,
                }
            }
        }
    )* };
}

from_slice! {
    u32, U32, "an array of u32";
    i32, I32, "an array of i32";
    u64, U64, "an array of u64";
    f32, F32, "an array of f32";
    bool, Bool, "an array of bools";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Metadata {
        let mut metadata = Metadata::new();
        metadata.set("a", 7u64);
        metadata.set("b", "text");
        metadata.set("c", vec![1.0f32, 2.0]);
        metadata
    }

    #[test]
    fn integers_convert_when_they_fit() {
        let metadata = sample();
        assert_eq!(metadata.require::<u32>("a").unwrap(), 7);
        let mut wide = metadata.clone();
        wide.set("a", -1i32);
        assert_eq!(wide.require::<u32>("a").unwrap_err().kind(), ErrorKind::WrongType);
        assert_eq!(wide.require::<i64>("a").unwrap(), -1);
    }

    #[test]
    fn a_wrong_type_names_key_found_and_expected() {
        let metadata = sample();
        let error = metadata.require::<f32>("b").unwrap_err();
        assert_eq!(error.to_string(), "b: found string \"text\", expected a float");
        let error = metadata.require::<&str>("c").unwrap_err();
        assert_eq!(error.to_string(), "c: found 2 f32s, expected a string");
        assert_eq!(metadata.require::<u32>("d").unwrap_err().kind(), ErrorKind::Missing);
        assert_eq!(metadata.get::<u32>("d").unwrap(), None);
    }

    #[test]
    fn removing_keeps_order_and_lookup() {
        let mut metadata = sample();
        assert_eq!(metadata.remove("b"), Some("text".into()));
        assert_eq!(metadata.iter().map(|(k, _)| k).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(metadata.require::<&[f32]>("c").unwrap(), [1.0, 2.0]);
        assert_eq!(metadata.set("a", 8u32), Some(7u64.into()));
        assert_eq!(metadata.len(), 2);
    }
}
