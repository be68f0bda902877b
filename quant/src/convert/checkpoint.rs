//! The weights of a Hugging Face directory: one safetensors file, or shards with an index.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path};

use super::json::JsonFile;
use super::safetensors::{Dtype, SafeTensors};
use crate::error::{Error, ErrorKind, Result};

/// All files of a checkpoint, mapped.
pub(super) struct Checkpoint {
    files: Vec<SafeTensors>,
}

/// A tensor of a checkpoint.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// The file it lies in.
    pub(super) path: &'a Path,
    /// Its name in the checkpoint.
    pub(super) name: &'a str,
    pub(super) dtype: &'static Dtype,
    /// As in PyTorch: the contiguous dimension last.
    pub(super) shape: &'a [usize],
    pub(super) data: &'a [u8],
}

impl Source<'_> {
    /// How errors call this tensor.
    pub(super) fn field(&self) -> String {
        format!("tensor {:?}", self.name)
    }
}

const INDEX: &str = "model.safetensors.index.json";

impl Checkpoint {
    /// Maps the shards that the index in `dir` names, or without an index every `model*.safetensors`.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let index = JsonFile::read_if_there(dir, INDEX)?;
        let names = match &index {
            Some(index) => indexed_files(index)?,
            None => single_files(dir)?,
        };
        let files = names.iter().map(|name| open_shard(&dir.join(name))).collect::<Result<Vec<_>>>()?;
        let checkpoint = Self { files };
        let places = checkpoint.places()?;
        if let Some(index) = &index {
            check_index(index, dir, &places)?;
        }
        Ok(checkpoint)
    }

    /// The tensors: files in the order of their names, and in each file the order of the tensors' names. This is
    /// the order in which llama.cpp writes them.
    pub(super) fn tensors(&self) -> impl Iterator<Item = Source<'_>> {
        self.files.iter().flat_map(|file| {
            file.tensors().iter().map(|entry| Source {
                path: file.path(),
                name: &entry.name,
                dtype: entry.dtype,
                shape: &entry.shape,
                data: file.data(entry),
            })
        })
    }

    /// Which file each tensor lies in.
    fn places(&self) -> Result<HashMap<&str, &Path>> {
        let mut places = HashMap::new();
        for tensor in self.tensors() {
            if let Some(other) = places.insert(tensor.name, tensor.path) {
                let detail = format!("also in {}", other.display());
                return Err(Error::new(ErrorKind::Malformed, tensor.field(), detail).in_file(tensor.path));
            }
        }
        Ok(places)
    }
}

fn open_shard(path: &Path) -> Result<SafeTensors> {
    if !path.exists() {
        return Err(Error::missing("", format!("this shard, as {INDEX} says")).in_file(path));
    }
    SafeTensors::open(path)
}

fn indexed_files(index: &JsonFile) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    for (_, file) in index.root().require("weight_map")?.entries()? {
        let name: &str = file.to()?;
        let mut parts = Path::new(name).components();
        // An index comes from outside: it may not reach out of its directory.
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(file.error("the name of a file beside the index"));
        }
        names.insert(name.to_owned());
    }
    Ok(names.into_iter().collect())
}

fn single_files(dir: &Path) -> Result<Vec<String>> {
    let list = std::fs::read_dir(dir).map_err(|e| Error::io("list", e).in_file(dir))?;
    let mut names = Vec::new();
    for entry in list {
        let entry = entry.map_err(|e| Error::io("list", e).in_file(dir))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.retain(|name| name.starts_with("model") && name.ends_with(".safetensors"));
    names.sort();
    if names.is_empty() {
        return Err(
            Error::missing("", "this file, or shards with an index").in_file(&dir.join("model.safetensors"))
        );
    }
    Ok(names)
}

/// The index must name each tensor of the files, in the file where it is.
fn check_index(index: &JsonFile, dir: &Path, places: &HashMap<&str, &Path>) -> Result<()> {
    let map = index.root().require("weight_map")?;
    let mut named = 0;
    for (name, file) in map.entries()? {
        let path = dir.join(file.to::<&str>()?);
        if places.get(name).is_none_or(|place| *place != path) {
            let expected = format!("it, as {INDEX} says");
            return Err(Error::missing(format!("tensor {name:?}"), expected).in_file(&path));
        }
        named += 1;
    }
    if named < places.len() {
        let expected = format!("{} tensors, as in the files", places.len());
        return Err(Error::malformed("weight_map", named, expected).in_file(&dir.join(INDEX)));
    }
    Ok(())
}
