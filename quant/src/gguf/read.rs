//! Reads the parts of a header from bytes that nobody vouches for.

use super::cursor::Cursor;
use super::tensor::MAX_DIMS;
use super::value::{Array, Strings, Value, ValueType, for_each_number};
use super::{MAGIC, Metadata, TensorInfo, TensorShape};
use crate::TensorType;
use crate::error::{Error, ErrorKind, Result};

/// Longest metadata key in bytes, by the specification.
const MAX_KEY: usize = 65535;

/// Magic and version.
pub(super) fn version(cursor: &mut Cursor) -> Result<u32> {
    let magic = cursor.array::<4>("magic")?;
    if magic != MAGIC {
        return Err(Error::malformed("magic", format!("{:?}", magic.escape_ascii().to_string()), "\"GGUF\""));
    }
    match cursor.u32("version")? {
        version @ 2..=3 => Ok(version),
        version if (2..=3).contains(&version.swap_bytes()) => Err(Error::new(
            ErrorKind::Unsupported,
            "version",
            format!(
                "found {} in big-endian order; only little-endian files can be read",
                version.swap_bytes()
            ),
        )),
        version => {
            let detail = format!("found {version}, expected 2 or 3");
            Err(Error::new(ErrorKind::Unsupported, "version", detail))
        }
    }
}

/// `count` keys with their values.
pub(super) fn metadata(cursor: &mut Cursor, count: usize) -> Result<Metadata> {
    let mut metadata = Metadata::new();
    for i in 0..count {
        let key = cursor.string(&format!("metadata key {i}"))?;
        if key.is_empty() || key.len() > MAX_KEY {
            let field = format!("metadata key {i}");
            return Err(Error::malformed(field, format!("{} bytes", key.len()), "1 to 65535"));
        }
        if metadata.set(key, value(cursor, key)?).is_some() {
            return Err(Error::malformed(key, "the key twice", "each key once"));
        }
    }
    Ok(metadata)
}

fn value_type(cursor: &mut Cursor, key: &str) -> Result<ValueType> {
    let id = cursor.u32(key)?;
    ValueType::from_id(id).ok_or_else(|| Error::malformed(key, format!("value type {id}"), "0 to 12"))
}

macro_rules! define_reads {
    ($($variant:ident($ty:ty))*) => {
        fn value(cursor: &mut Cursor, key: &str) -> Result<Value> {
            Ok(match value_type(cursor, key)? {
                $(ValueType::$variant => Value::$variant(<$ty>::from_le_bytes(cursor.array(key)?)),)*
                ValueType::Bool => Value::Bool(to_bool(cursor.array::<1>(key)?[0], key)?),
                ValueType::String => Value::String(cursor.string(key)?.to_owned()),
                ValueType::Array => Value::Array(array(cursor, key)?),
            })
        }

        fn array(cursor: &mut Cursor, key: &str) -> Result<Array> {
            Ok(match value_type(cursor, key)? {
                $(ValueType::$variant => Array::$variant(numbers(cursor, key, <$ty>::from_le_bytes)?),)*
                ValueType::Bool => {
                    let bytes = numbers(cursor, key, u8::from_le_bytes)?;
                    Array::Bool(bytes.into_iter().map(|byte| to_bool(byte, key)).collect::<Result<_>>()?)
                }
                ValueType::String => Array::String(strings(cursor, key)?),
                ValueType::Array => {
                    let detail = "found an array of arrays; no reader takes those";
                    return Err(Error::new(ErrorKind::Unsupported, key, detail));
                }
            })
        }
    };
}

for_each_number!(define_reads);

fn to_bool(byte: u8, key: &str) -> Result<bool> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::malformed(key, format!("bool {byte}"), "0 or 1")),
    }
}

fn numbers<const N: usize, T>(cursor: &mut Cursor, key: &str, number: fn([u8; N]) -> T) -> Result<Vec<T>> {
    let count = cursor.count(N, key)?;
    let (chunks, _) = cursor.take(count * N, key)?.as_chunks::<N>();
    Ok(chunks.iter().copied().map(number).collect())
}

fn strings(cursor: &mut Cursor, key: &str) -> Result<Strings> {
    let count = cursor.count(8, key)?;
    let mut strings = Strings::with_capacity(count);
    for _ in 0..count {
        strings.push(cursor.string(key)?);
    }
    Ok(strings)
}

/// The table of `count` tensors: what they are, and where from the start of the data they stand.
pub(super) fn tensors(
    cursor: &mut Cursor,
    count: usize,
    alignment: usize,
) -> Result<(Vec<TensorInfo>, Vec<usize>)> {
    let (mut tensors, mut offsets) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for i in 0..count {
        let name = cursor.string(&format!("tensor {i} name"))?;
        let info = tensor(cursor, name)?;
        let field = || format!("tensor {name:?} offset");
        let offset = cursor.u64(&field())?;
        let aligned = usize::try_from(offset).ok().filter(|o| o.is_multiple_of(alignment));
        offsets.push(
            aligned.ok_or_else(|| Error::malformed(field(), offset, format!("a multiple of {alignment}")))?,
        );
        tensors.push(info);
    }
    Ok((tensors, offsets))
}

fn tensor(cursor: &mut Cursor, name: &str) -> Result<TensorInfo> {
    let field = |part: &str| format!("tensor {name:?} {part}");
    let rank = cursor.u32(&field("dimensions"))? as usize;
    if rank == 0 || rank > MAX_DIMS {
        return Err(Error::malformed(field("dimensions"), rank, "1 to 4"));
    }
    let mut dims = [0usize; MAX_DIMS];
    for dim in &mut dims[..rank] {
        let len = cursor.u64(&field("shape"))?;
        *dim =
            usize::try_from(len).map_err(|_| Error::malformed(field("shape"), len, "a length that fits"))?;
    }
    let shape = TensorShape::new(&dims[..rank]).map_err(|e| e.inside(&format!("tensor {name:?}")))?;
    let id = cursor.u32(&field("type"))?;
    let ty = TensorType::from_id(id).ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, field("type"), format!("found type {id}, which is not known here"))
    })?;
    TensorInfo::new(name, shape, ty)
}
