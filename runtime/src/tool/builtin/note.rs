//! Notes in a file: a JSON object a line, `{"at": seconds since 1970, "text": "..."}`.

use std::fs::{self, File};
use std::future::ready;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::read;
use crate::tool::{BoxFuture, Effect, Observation, Spec, Tool, ToolError, ToolErrorKind};

/// Notes that are listed at most, the latest.
const LISTED: usize = 20;
/// Bytes at the end of the file that are looked at for them.
const LOOKED_AT: u64 = 64 << 10;

/// The file of the notes.
pub struct NoteFile(PathBuf);

#[derive(Serialize, Deserialize)]
struct Line {
    at: u64,
    text: String,
}

impl NoteFile {
    /// The notes at `path`, which need not be there yet, nor its folder.
    pub fn new(path: impl Into<PathBuf>) -> Arc<Self> {
        Arc::new(Self(path.into()))
    }

    /// Appends a note and syncs it to disk. One line is one write under a lock; a line that a crash has cut off is ended
    /// first, so that it costs no other.
    ///
    /// # Errors
    /// What the disk says.
    pub fn add(&self, text: &str, at: SystemTime) -> io::Result<()> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let is_new = !self.0.exists();
        let mut file = private().read(true).append(true).create(true).open(&self.0)?;
        file.lock()?;
        let at = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let line = serde_json::to_string(&Line { at, text: text.to_owned() })?;
        let before = if ends_whole(&mut file)? { "" } else { "\n" };
        file.write_all(format!("{before}{line}\n").as_bytes())?;
        file.sync_all()?;
        if is_new {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// The latest notes, the oldest of them first. Lines that are none are left out.
    ///
    /// # Errors
    /// What the disk says, but not that there is no file.
    pub fn latest(&self) -> io::Result<Vec<String>> {
        let mut file = match File::open(&self.0) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        let len = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(len.saturating_sub(LOOKED_AT)))?;
        let mut bytes = Vec::new();
        file.take(LOOKED_AT).read_to_end(&mut bytes)?;
        let lines = bytes.split(|byte| *byte == b'\n');
        let mut notes: Vec<_> = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()).collect();
        let listed = notes.split_off(notes.len().saturating_sub(LISTED));
        Ok(listed.into_iter().map(|line| line.text).collect())
    }
}

/// Whether the file is empty or ends with the end of a line.
fn ends_whole(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Notes are the wearer's alone.
fn private() -> fs::OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The tool `note`: writes a note down.
pub struct Note {
    spec: Spec,
    file: Arc<NoteFile>,
}

#[derive(Deserialize)]
struct Arguments {
    text: String,
}

impl Note {
    /// Into `file`.
    pub fn new(file: Arc<NoteFile>) -> Self {
        let spec = Spec {
            name: "note".into(),
            description: "Write a note down for the user".into(),
            parameters: json!({
                "type": "object",
                "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 1000}},
                "required": ["text"],
                "additionalProperties": false,
            }),
            effect: Effect::Changes,
        };
        Self { spec, file }
    }
}

impl Tool for Note {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Observation, ToolError>> {
        let write = |Arguments { text }| self.file.add(&text, SystemTime::now()).map_err(failed);
        let done = read(arguments).and_then(write);
        Box::pin(ready(done.map(|()| Observation::from_device("It is written down."))))
    }
}

/// The tool `notes`: reads the latest notes.
pub struct Notes {
    spec: Spec,
    file: Arc<NoteFile>,
}

impl Notes {
    /// Those of `file`.
    pub fn new(file: Arc<NoteFile>) -> Self {
        let spec = Spec {
            name: "notes".into(),
            description: "Read the latest notes of the user".into(),
            parameters: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            effect: Effect::Reads,
        };
        Self { spec, file }
    }
}

impl Tool for Notes {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call(&self, _: Value) -> BoxFuture<'_, Result<Observation, ToolError>> {
        // A note may repeat what was read somewhere.
        let list = |notes: Vec<String>| Observation::from_outside(notes.join("\n"));
        Box::pin(ready(self.file.latest().map(list).map_err(failed)))
    }
}

fn failed(error: io::Error) -> ToolError {
    ToolError::new(ToolErrorKind::Failed, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::block_on;

    #[test]
    fn notes_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = NoteFile::new(folder.path().join("data/notes.jsonl"));
        assert_eq!(file.latest().unwrap(), [""; 0]);
        for text in ["milk", "two\nlines \"and\" ends"] {
            block_on(Note::new(file.clone()).call(json!({"text": text}))).unwrap();
        }
        let notes = block_on(Notes::new(file.clone()).call(json!({}))).unwrap();
        assert_eq!(notes.untrusted_text(), "milk\ntwo\nlines \"and\" ends");
        (0..30).for_each(|i| file.add(&i.to_string(), UNIX_EPOCH).unwrap());
        assert_eq!(file.latest().unwrap().len(), LISTED);
    }

    #[test]
    fn a_note_that_was_cut_off_at_any_byte_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.jsonl");
        let file = NoteFile::new(&path);
        file.add("first", UNIX_EPOCH).unwrap();
        let whole = fs::read(&path).unwrap().len();
        file.add("größer", UNIX_EPOCH).unwrap();
        let both = fs::read(&path).unwrap();
        for len in 0..both.len() {
            fs::write(&path, &both[..len]).unwrap();
            file.add("last", UNIX_EPOCH).unwrap();
            let mut expected = vec!["last"];
            // Without the end of its line a note is whole all the same.
            expected.splice(..0, ["first"].into_iter().filter(|_| len + 1 >= whole));
            expected.splice(1..1, ["größer"].into_iter().filter(|_| len + 1 >= both.len()));
            assert_eq!(file.latest().unwrap(), expected, "{len}");
        }
    }

    #[test]
    fn a_disk_that_refuses_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let tool = Note::new(NoteFile::new(folder.path()));
        assert_eq!(block_on(tool.call(json!({"text": "a"}))).unwrap_err().kind(), ToolErrorKind::Failed);
    }
}
