//! Writes metadata values as a header holds them.

use super::value::{Array, Value, for_each_number};

/// A string: u64 length, then UTF-8.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

macro_rules! define_value {
    ($($variant:ident($ty:ty))*) => {
        /// A value with its type tag.
        pub(super) fn value(out: &mut Vec<u8>, value: &Value) {
            out.extend((value.value_type() as u32).to_le_bytes());
            match value {
                $(Value::$variant(number) => out.extend(number.to_le_bytes()),)*
                Value::Bool(bool) => out.push(u8::from(*bool)),
                Value::String(text) => string(out, text),
                Value::Array(items) => array(out, items),
            }
        }

        fn array(out: &mut Vec<u8>, array: &Array) {
            out.extend((array.element_type() as u32).to_le_bytes());
            out.extend((array.len() as u64).to_le_bytes());
            match array {
                $(Array::$variant(numbers) => numbers.iter().for_each(|n| out.extend(n.to_le_bytes())),)*
                Array::Bool(bools) => out.extend(bools.iter().map(|&b| u8::from(b))),
                Array::String(texts) => texts.iter().for_each(|text| string(out, text)),
            }
        }
    };
}

for_each_number!(define_value);
