//! Reads little-endian fields from bytes that nobody vouches for.

use crate::error::{Error, ErrorKind, Result};

/// A position in a header. Every read is bounded by the bytes that are there, and its error names the field.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: usize, field: &str) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        if len > rest.len() {
            let detail = format!("at byte {}: {} bytes needed, {} left", self.at, len, rest.len());
            return Err(Error::new(ErrorKind::Truncated, field, detail));
        }
        self.at += len;
        Ok(&rest[..len])
    }

    /// The next `N` bytes as an array.
    pub(crate) fn array<const N: usize>(&mut self, field: &str) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N, field)?);
        Ok(out)
    }

    pub(crate) fn u32(&mut self, field: &str) -> Result<u32> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, field: &str) -> Result<u64> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// A u64 count of things that take at least `min_bytes` each. More than the remaining bytes could hold is an
    /// error here, before anyone allocates for them.
    pub(crate) fn count(&mut self, min_bytes: usize, field: &str) -> Result<usize> {
        let count = self.u64(field)?;
        self.plausible(count, min_bytes, field)
    }

    /// As [`Cursor::count`], of a u32.
    pub(crate) fn count_u32(&mut self, min_bytes: usize, field: &str) -> Result<usize> {
        let count = self.u32(field)?;
        self.plausible(count.into(), min_bytes, field)
    }

    fn plausible(&self, count: u64, min_bytes: usize, field: &str) -> Result<usize> {
        let most = (self.bytes.len() - self.at) / min_bytes;
        usize::try_from(count).ok().filter(|&n| n <= most).ok_or_else(|| {
            let detail = format!("found a count of {count}, but the rest of the file has room for {most}");
            Error::new(ErrorKind::Truncated, field, detail)
        })
    }

    /// A string: u64 length, then UTF-8.
    pub(crate) fn string(&mut self, field: &str) -> Result<&'a str> {
        let len = self.count(1, field)?;
        let at = self.at;
        std::str::from_utf8(self.take(len, field)?).map_err(|e| {
            Error::malformed(field, format!("byte {} is not UTF-8", at + e.valid_up_to()), "UTF-8 text")
        })
    }
}
