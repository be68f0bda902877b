//! The metadata of one part of a model, whose keys begin alike.

use lorgnette_quant::gguf::{FromValue, Metadata};

use crate::{Error, Result};

/// The keys that begin with `prefix` and a dot.
pub(super) struct Keys<'a> {
    metadata: &'a Metadata,
    prefix: &'a str,
}

impl<'a> Keys<'a> {
    pub(super) fn new(metadata: &'a Metadata, prefix: &'a str) -> Self {
        Self { metadata, prefix }
    }

    pub(super) fn metadata(&self) -> &'a Metadata {
        self.metadata
    }

    /// The full name of a key.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    pub(super) fn get<T: FromValue<'a>>(&self, key: &str) -> Result<Option<T>> {
        self.metadata.get(&self.name(key))
    }

    pub(super) fn require<T: FromValue<'a>>(&self, key: &str) -> Result<T> {
        self.metadata.require(&self.name(key))
    }

    /// A number above 0.
    pub(super) fn positive(&self, key: &str) -> Result<usize> {
        self.checked_positive(key, self.require(key)?)
    }

    /// As [`positive`](Self::positive), where the key may be absent.
    pub(super) fn optional_positive(&self, key: &str) -> Result<Option<usize>> {
        self.get(key)?.map(|number| self.checked_positive(key, number)).transpose()
    }

    fn checked_positive(&self, key: &str, number: usize) -> Result<usize> {
        if number == 0 { Err(Error::malformed(self.name(key), 0, "a number above 0")) } else { Ok(number) }
    }
}
