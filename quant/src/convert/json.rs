//! JSON files read field by field, so that an error names the file, the field, what was found and expected.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// A parsed file that remembers where it came from.
pub(super) struct JsonFile {
    path: PathBuf,
    root: Value,
}

impl JsonFile {
    /// Reads `dir/name`.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] when there is no such file, [`ErrorKind::Malformed`] when it is not JSON.
    pub(super) fn read(dir: &Path, name: &str) -> Result<Self> {
        Self::read_if_there(dir, name)?
            .ok_or_else(|| Error::missing("", "this file").in_file(&dir.join(name)))
    }

    /// As [`JsonFile::read`], with `None` when there is no such file.
    pub(super) fn read_if_there(dir: &Path, name: &str) -> Result<Option<Self>> {
        let path = dir.join(name);
        let Some(text) = read_text_if_there(&path)? else { return Ok(None) };
        let root = serde_json::from_str(&text)
            .map_err(|e| Error::new(ErrorKind::Malformed, "", format!("not JSON: {e}")).in_file(&path))?;
        Ok(Some(Self { path, root }))
    }

    /// The outermost value.
    pub(super) fn root(&self) -> Node<'_> {
        Node { path: &self.path, field: String::new(), value: &self.root }
    }
}

/// The text of `path`, or `None` when there is no such file.
pub(super) fn read_text_if_there(path: &Path) -> Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes);
            text.map(Some)
                .map_err(|e| Error::new(ErrorKind::Malformed, "", format!("not UTF-8: {e}")).in_file(path))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", e).in_file(path)),
    }
}

/// A value in a [`JsonFile`] with its place, written `text_config.rope_scaling.factor`.
#[derive(Clone)]
pub(super) struct Node<'a> {
    path: &'a Path,
    field: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    /// The member `key` of this object; `None` when it is absent or null.
    pub(super) fn get(&self, key: &str) -> Result<Option<Self>> {
        let object = self.value.as_object().ok_or_else(|| self.error("an object"))?;
        Ok(object.get(key).filter(|value| !value.is_null()).map(|value| self.child(key, value)))
    }

    /// The member `key` of this object, which must be there.
    pub(super) fn require(&self, key: &str) -> Result<Self> {
        self.get(key)?.ok_or_else(|| Error::missing(self.name_of(key), "a value").in_file(self.path))
    }

    /// The member `key` as a `T`; `None` when it is absent or null.
    pub(super) fn opt<T: FromJson<'a>>(&self, key: &str) -> Result<Option<T>> {
        self.get(key)?.map(|node| node.to()).transpose()
    }

    /// The member `key` as a `T`, which must be there.
    pub(super) fn need<T: FromJson<'a>>(&self, key: &str) -> Result<T> {
        let missing = || Error::missing(self.name_of(key), T::EXPECTED).in_file(self.path);
        self.opt(key)?.ok_or_else(missing)
    }

    /// This value as a `T`.
    pub(super) fn to<T: FromJson<'a>>(&self) -> Result<T> {
        T::from_json(self.value).ok_or_else(|| self.error(T::EXPECTED))
    }

    /// This value as a `T`, or `None` when it is of another type.
    pub(super) fn try_to<T: FromJson<'a>>(&self) -> Option<T> {
        T::from_json(self.value)
    }

    /// The elements of this array.
    pub(super) fn items(&self) -> Result<impl Iterator<Item = Self>> {
        let items = self.value.as_array().ok_or_else(|| self.error("an array"))?;
        Ok(items.iter().enumerate().map(|(i, value)| self.child(&i.to_string(), value)))
    }

    /// The members of this object in the file's order.
    pub(super) fn entries(&self) -> Result<impl Iterator<Item = (&'a str, Self)>> {
        let object = self.value.as_object().ok_or_else(|| self.error("an object"))?;
        Ok(object.iter().map(|(key, value)| (key.as_str(), self.child(key, value))))
    }

    /// An error saying that this value is not what was expected.
    pub(super) fn error(&self, expected: &str) -> Error {
        Error::malformed(&self.field, describe(self.value), expected).in_file(self.path)
    }

    /// An error saying that this value is right but nothing here can handle it.
    pub(super) fn unsupported(&self, expected: &str) -> Error {
        let detail = format!("found {}, supported: {expected}", describe(self.value));
        Error::new(ErrorKind::Unsupported, &self.field, detail).in_file(self.path)
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        Self { path: self.path, field: self.name_of(key), value }
    }

    fn name_of(&self, key: &str) -> String {
        if self.field.is_empty() { key.to_owned() } else { format!("{}.{key}", self.field) }
    }
}

fn describe(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A Rust type that a JSON value can be read as.
pub(super) trait FromJson<'a>: Sized {
    /// What the type is called in an error.
    const EXPECTED: &'static str;
    /// The value as this type, if it is one.
    fn from_json(value: &'a Value) -> Option<Self>;
}

macro_rules! from_json {
    ($($ty:ty: $expected:literal, $convert:expr;)*) => { $(
        impl<'a> FromJson<'a> for $ty {
            const EXPECTED: &'static str = $expected;
            fn from_json(value: &'a Value) -> Option<Self> {
                let convert: fn(&'a Value) -> Option<Self> = $convert;
                convert(value)
            }
        }
    )* };
}

from_json! {
    u32: "an integer from 0 to 4294967295", |v| v.as_u64()?.try_into().ok();
    i32: "an integer of 32 bits", |v| v.as_i64()?.try_into().ok();
    usize: "an integer not below 0", |v| v.as_u64()?.try_into().ok();
    f32: "a number", |v| Some(v.as_f64()? as f32);
    bool: "true or false", Value::as_bool;
    &'a str: "a string", Value::as_str;
}
