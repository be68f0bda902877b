//! An opened model: one GGUF file or all its shards, memory-mapped.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;

use super::{Header, Metadata, TensorInfo, keys, split};
use crate::error::{Error, ErrorKind, Result};

/// The bytes of one file.
enum Bytes {
    Mapped(Mmap),
    InMemory(Cow<'static, [u8]>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::InMemory(bytes) => bytes,
        }
    }
}

struct Shard {
    path: Option<PathBuf>,
    bytes: Bytes,
    header: Header,
}

/// A model file whose header has been read and checked, and whose tensors are views into the mapped file: opening
/// costs the header, whatever the size of the weights.
///
/// A split model (`-00001-of-00003.gguf`) is opened by its first shard and looks like one file.
pub struct Gguf {
    shards: Vec<Shard>,
    /// Metadata of the first shard, without the split keys.
    metadata: Metadata,
    /// Shard and index in it, in the order of the files.
    places: Vec<(usize, usize)>,
    by_name: HashMap<String, usize>,
}

/// A tensor and its bytes in the mapped file.
#[derive(Clone, Copy)]
pub struct TensorView<'a> {
    /// Name, shape and type.
    pub info: &'a TensorInfo,
    /// The blocks as they stand in the file, `info.bytes()` long.
    pub data: &'a [u8],
}

/// A tensor that keeps its file open, for those who outlive the opener.
#[derive(Clone)]
pub struct Tensor {
    model: Arc<Gguf>,
    place: (usize, usize),
}

impl Tensor {
    /// Name, shape and type.
    pub fn info(&self) -> &TensorInfo {
        self.view().info
    }

    /// The blocks as they stand in the file.
    pub fn data(&self) -> &[u8] {
        self.view().data
    }

    /// [`Gguf::release`] for some of the bytes.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn release(&self, bytes: Range<usize>) {
        self.model.release_bytes(&self.data()[bytes]);
    }

    fn view(&self) -> TensorView<'_> {
        self.model.view(self.place)
    }
}

impl Gguf {
    /// Opens the model at `path`, with all its shards.
    ///
    /// # Errors
    /// Everything that is wrong with a header; a shard that is missing, of another model, or not the first.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let first = Shard::open(path)?;
        let count: u16 = first.in_file(first.header.metadata().get(keys::SPLIT_COUNT))?.unwrap_or(1);
        let mut shards = vec![first];
        if count > 1 {
            shards[0].check_split(0, count)?;
            for no in 1..count {
                let shard = Shard::open(&split::sibling(path, no, count)?)?;
                shard.check_split(no, count)?;
                shards.push(shard);
            }
        }
        Self::from_shards(shards)
    }

    /// A model that is in memory already.
    ///
    /// # Errors
    /// As [`Gguf::open`]; a shard of a split model is an error, since the others cannot be found.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self> {
        let shard = Shard::new(None, Bytes::InMemory(bytes.into()))?;
        match shard.header.metadata().get::<u16>(keys::SPLIT_COUNT)? {
            Some(count) if count > 1 => {
                Err(Error::malformed(keys::SPLIT_COUNT, count, "a model in one piece, or opened by its path"))
            }
            _ => Self::from_shards(vec![shard]),
        }
    }

    fn from_shards(shards: Vec<Shard>) -> Result<Self> {
        let mut metadata = shards[0].header.metadata().clone();
        let announced: Option<u64> = shards[0].in_file(metadata.get(keys::SPLIT_TENSORS_COUNT))?;
        let mut model =
            Self { shards, metadata: Metadata::new(), places: Vec::new(), by_name: HashMap::new() };
        for (s, shard) in model.shards.iter().enumerate() {
            for (t, info) in shard.header.tensors().iter().enumerate() {
                if model.by_name.insert(info.name().to_owned(), model.places.len()).is_some() {
                    let field = format!("tensor {:?}", info.name());
                    return shard.in_file(Err(Error::malformed(
                        field,
                        "the name in two shards",
                        "each name once",
                    )));
                }
                model.places.push((s, t));
            }
        }
        if let Some(announced) = announced.filter(|&n| n != model.places.len() as u64) {
            let error = Error::malformed(
                keys::SPLIT_TENSORS_COUNT,
                announced,
                format!("{} tensors", model.places.len()),
            );
            return model.shards[0].in_file(Err(error));
        }
        for key in [keys::SPLIT_NO, keys::SPLIT_COUNT, keys::SPLIT_TENSORS_COUNT] {
            metadata.remove(key);
        }
        model.metadata = metadata;
        Ok(model)
    }

    /// Keys and values; those that describe the split are left out.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// All tensors, in the order they stand in the files.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = TensorView<'_>> {
        self.places.iter().map(|&place| self.view(place))
    }

    /// The tensor called `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] when there is none.
    pub fn tensor(&self, name: &str) -> Result<TensorView<'_>> {
        match self.by_name.get(name) {
            Some(&i) => Ok(self.view(self.places[i])),
            None => self.shards[0].in_file(Err(Error::missing(format!("tensor {name:?}"), "it in the file"))),
        }
    }

    /// Tells the system that the pages of `tensor` will not be read again soon, so that they do not count as this
    /// process's memory. Reading them after all is fine, and costs what the first reading did.
    pub fn release(&self, tensor: &TensorView) {
        self.release_bytes(tensor.data);
    }

    fn release_bytes(&self, bytes: &[u8]) {
        for shard in &self.shards {
            let Bytes::Mapped(map) = &shard.bytes else { continue };
            let range = map.as_ptr_range();
            #[cfg(unix)]
            if range.contains(&bytes.as_ptr()) {
                let offset = bytes.as_ptr() as usize - range.start as usize;
                // SAFETY: the map is read-only and of a file, so that dropped pages are read again from it.
                let advised = unsafe {
                    map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, offset, bytes.len())
                };
                // Only advice: where the system does not take it, the pages stay.
                drop(advised);
            }
        }
    }

    /// The tensor called `name`, holding on to this file; `None` when there is none.
    pub fn shared_tensor(self: &Arc<Self>, name: &str) -> Option<Tensor> {
        let place = self.places[*self.by_name.get(name)?];
        Some(Tensor { model: Arc::clone(self), place })
    }

    /// GGUF version of the first file: 2 or 3.
    pub fn version(&self) -> u32 {
        self.shards[0].header.version()
    }

    /// The files, in order; none for a model in memory.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.shards.iter().filter_map(|shard| shard.path.as_deref())
    }

    /// Bytes of all files.
    pub fn file_bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.bytes.as_ref().len()).sum()
    }

    fn view(&self, (shard, index): (usize, usize)) -> TensorView<'_> {
        let Shard { header, bytes, .. } = &self.shards[shard];
        let info = &header.tensors()[index];
        let start = header.data_offset(index);
        TensorView { info, data: &bytes.as_ref()[start..start + info.bytes()] }
    }
}

impl Shard {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("open", e).in_file(path))?;
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return Err(Error::new(ErrorKind::Argument, "", "not a regular file").in_file(path));
        }
        // SAFETY: the map is read-only and the lengths are checked against it. As with every mapped model, a file
        // that another process truncates meanwhile raises SIGBUS; no writer here truncates.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::io("map", e).in_file(path))?;
        Self::new(Some(path.to_owned()), Bytes::Mapped(map))
    }

    fn new(path: Option<PathBuf>, bytes: Bytes) -> Result<Self> {
        let header = Header::parse(bytes.as_ref()).and_then(|header| {
            header.check_data(bytes.as_ref().len())?;
            Ok(header)
        });
        match (header, path) {
            (Ok(header), path) => Ok(Self { path, bytes, header }),
            (Err(error), Some(path)) => Err(error.in_file(&path)),
            (Err(error), None) => Err(error),
        }
    }

    fn in_file<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match &self.path {
            Some(path) => error.in_file(path),
            None => error,
        })
    }

    fn check_split(&self, no: u16, count: u16) -> Result<()> {
        let check = |key: &str, expected: u16| {
            let found: u16 = self.header.metadata().require(key)?;
            if found == expected {
                return Ok(());
            }
            let hint = if no == 0 { " (open the first shard)" } else { "" };
            Err(Error::new(ErrorKind::Malformed, key, format!("found {found}, expected {expected}{hint}")))
        };
        self.in_file(check(keys::SPLIT_NO, no).and_then(|()| check(keys::SPLIT_COUNT, count)))
    }
}
