//! Metadata values: twelve scalar types and arrays of them.

use std::fmt;

macro_rules! value_types {
    ($($(#[$doc:meta])* $variant:ident($ty:ty) = $id:literal, $name:literal;)*) => {
        /// The type tag of a metadata value, with GGUF's number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum ValueType {
            $($(#[$doc])* $variant = $id,)*
            /// True or false, one byte.
            Bool = 7,
            /// UTF-8 text.
            String = 8,
            /// Values of one type.
            Array = 9,
        }

        impl ValueType {
            /// The type with GGUF's number `id`.
            pub const fn from_id(id: u32) -> Option<Self> {
                match id {
                    $($id => Some(Self::$variant),)*
                    7 => Some(Self::Bool),
                    8 => Some(Self::String),
                    9 => Some(Self::Array),
                    _ => None,
                }
            }

            /// The name as GGUF's tools print it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Bool => "bool",
                    Self::String => "str",
                    Self::Array => "arr",
                }
            }
        }

        /// One metadata value.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Value {
            $($(#[$doc])* $variant($ty),)*
            /// True or false.
            Bool(bool),
            /// UTF-8 text.
            String(String),
            /// Values of one type.
            Array(Array),
        }

        /// A metadata array. Arrays of arrays are in the specification, but no writer makes them and llama.cpp
        /// refuses them, so does this crate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Array {
            $($(#[$doc])* $variant(Vec<$ty>),)*
            /// True or false.
            Bool(Vec<bool>),
            /// UTF-8 texts.
            String(Strings),
        }

        impl Value {
            /// The type tag of this value.
            pub const fn value_type(&self) -> ValueType {
                match self {
                    $(Self::$variant(_) => ValueType::$variant,)*
                    Self::Bool(_) => ValueType::Bool,
                    Self::String(_) => ValueType::String,
                    Self::Array(_) => ValueType::Array,
                }
            }
        }

        impl Array {
            /// The type tag of the elements.
            pub const fn element_type(&self) -> ValueType {
                match self {
                    $(Self::$variant(_) => ValueType::$variant,)*
                    Self::Bool(_) => ValueType::Bool,
                    Self::String(_) => ValueType::String,
                }
            }

            /// Number of elements.
            pub fn len(&self) -> usize {
                match self {
                    $(Self::$variant(items) => items.len(),)*
                    Self::Bool(items) => items.len(),
                    Self::String(items) => items.len(),
                }
            }

            /// Whether there are no elements.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// The element at `index` as a value of its own.
            pub fn get(&self, index: usize) -> Option<Value> {
                match self {
                    $(Self::$variant(items) => items.get(index).copied().map(Value::$variant),)*
                    Self::Bool(items) => items.get(index).copied().map(Value::Bool),
                    Self::String(items) => items.get(index).map(|s| Value::String(s.to_owned())),
                }
            }
        }

        $(
            impl From<$ty> for Value {
                fn from(value: $ty) -> Self {
                    Self::$variant(value)
                }
            }
            impl From<Vec<$ty>> for Value {
                fn from(items: Vec<$ty>) -> Self {
                    Self::Array(Array::$variant(items))
                }
            }
        )*
    };
}

value_types! {
    /// Unsigned, 8 bits.
    U8(u8) = 0, "u8";
    /// Signed, 8 bits.
    I8(i8) = 1, "i8";
    /// Unsigned, 16 bits.
    U16(u16) = 2, "u16";
    /// Signed, 16 bits.
    I16(i16) = 3, "i16";
    /// Unsigned, 32 bits.
    U32(u32) = 4, "u32";
    /// Signed, 32 bits.
    I32(i32) = 5, "i32";
    /// IEEE 754 binary32.
    F32(f32) = 6, "f32";
    /// Unsigned, 64 bits.
    U64(u64) = 10, "u64";
    /// Signed, 64 bits.
    I64(i64) = 11, "i64";
    /// IEEE 754 binary64.
    F64(f64) = 12, "f64";
}

/// Calls a macro with every number type, as `Variant(type)`.
macro_rules! for_each_number {
    ($macro:ident) => {
        $macro! { U8(u8) I8(i8) U16(u16) I16(i16) U32(u32) I32(i32) F32(f32) U64(u64) I64(i64) F64(f64) }
    };
}
pub(super) use for_each_number;

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Vec<bool>> for Value {
    fn from(items: Vec<bool>) -> Self {
        Self::Array(Array::Bool(items))
    }
}

impl From<Strings> for Value {
    fn from(items: Strings) -> Self {
        Self::Array(Array::String(items))
    }
}

/// Many texts in one allocation: a vocabulary has hundreds of thousands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    /// Room for `count` texts.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { text: String::new(), ends: Vec::with_capacity(count) }
    }

    /// Appends one text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// The text at `index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        Some(&self.text[start..end])
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The texts in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.text[std::mem::replace(&mut start, end)..end])
    }
}

impl<S: AsRef<str>> FromIterator<S> for Strings {
    fn from_iter<I: IntoIterator<Item = S>>(texts: I) -> Self {
        let mut strings = Self::default();
        texts.into_iter().for_each(|text| strings.push(text.as_ref()));
        strings
    }
}
