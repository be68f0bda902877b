//! What left the device: a table in SQLite that is written before the bytes leave.

mod table;

use std::path::Path;
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::error::{Error, ErrorKind, Result};

/// Entries that wait for the disk at most; who has one more waits too.
const QUEUE: usize = 256;

/// What is about to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Scheme, host and port.
    pub(super) destination: String,
    /// Its kinds, the names of [`Kind`](super::Kind) with commas between them.
    pub(super) kinds: String,
    /// Bytes of the body.
    pub(super) bytes: usize,
    /// What it is sent for.
    pub(super) purpose: String,
    /// Each kind with the term it was allowed for.
    pub(super) consent: String,
}

/// Whether what is recorded left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It may have: it was recorded, and nobody came back to say.
    Begun,
    /// The server answered.
    Sent,
    /// There was no connection.
    Unsent,
}

impl State {
    /// As the table has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Sent => "sent",
            Self::Unsent => "unsent",
        }
    }

    fn from_name(name: &str) -> Self {
        [Self::Sent, Self::Unsent].into_iter().find(|state| state.name() == name).unwrap_or(Self::Begun)
    }
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Milliseconds since 1970, UTC.
    pub time_ms: i64,
    /// Scheme, host and port.
    pub destination: String,
    /// The names of [`Kind`](super::Kind)s, with commas between them.
    pub kinds: String,
    /// Bytes of the body.
    pub bytes: i64,
    /// What it was sent for.
    pub purpose: String,
    /// Each kind with the term it was allowed for.
    pub consent: String,
    /// Whether it left.
    pub state: State,
}

/// The table. An entry is on the disk before its request is sent, and survives a loss of power: a
/// write-ahead log, so that who reads it stops nobody, with `synchronous = FULL`, since in that mode NORMAL may lose the
/// last entries. A thread of its own writes; entries that come together share one `fsync`.
#[derive(Debug)]
pub struct Ledger {
    work: Option<mpsc::Sender<Work>>,
    writer: Option<JoinHandle<()>>,
}

/// A number by which an entry is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryId(i64);

#[derive(Debug)]
enum Work {
    Record(Entry, oneshot::Sender<Result<EntryId, String>>),
    Settle(EntryId, State),
}

impl Ledger {
    /// Opens the ledger at `path`, and makes it when it is not there, for its owner's eyes only.
    ///
    /// # Errors
    /// What the system or SQLite says, naming the file; a file of another version.
    pub fn open(path: &Path) -> crate::Result<Self> {
        let connection = table::connect(path)?;
        let (work, queue) = mpsc::channel(QUEUE);
        let writer = thread::Builder::new().name("ledger".to_owned()).spawn(move || write(connection, queue));
        let writer = writer.map_err(|e| crate::Error::io("start a thread", e).in_file(path))?;
        Ok(Self { work: Some(work), writer: Some(writer) })
    }

    /// Writes down what is about to leave. Once this returns it is on the disk.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`]; what was to be sent must not be.
    pub(super) async fn record(&self, entry: Entry) -> Result<EntryId> {
        let (done, recorded) = oneshot::channel();
        let gone = || Error::new(ErrorKind::Ledger, "its thread ended");
        let work = self.work.as_ref().ok_or_else(gone)?;
        work.send(Work::Record(entry, done)).await.map_err(|_| gone())?;
        let id = recorded.await.map_err(|_| gone())?;
        id.map_err(|e| Error::new(ErrorKind::Ledger, e))
    }

    /// Says what became of an entry. Without it the entry stands as begun.
    pub(super) async fn settle(&self, id: EntryId, state: State) {
        if let Some(work) = &self.work {
            // Without its thread the entry stays as it is, which says less and nothing wrong.
            drop(work.send(Work::Settle(id, state)).await);
        }
    }

    /// All that was recorded, the oldest first.
    ///
    /// # Errors
    /// As [`open`](Self::open). A file that is not there has no records.
    pub fn read(path: &Path) -> crate::Result<Vec<Record>> {
        if !path.exists() {
            return Ok(Vec::new());
        }
        table::read(path)
    }

    /// Forgets everything, in the file too, and says how many records that were.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn clear(path: &Path) -> crate::Result<usize> {
        if !path.exists() {
            return Ok(0);
        }
        table::clear(path)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // The thread writes what is queued, and ends when nobody can send any more.
        self.work = None;
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

/// The thread: what waits together is written together.
fn write(mut connection: Connection, mut queue: mpsc::Receiver<Work>) {
    let mut batch = Vec::new();
    while queue.blocking_recv_many(&mut batch, QUEUE) > 0 {
        let written = commit(&mut connection, &batch).map_err(|e| e.to_string());
        let waiting = batch.drain(..).filter_map(|work| match work {
            Work::Record(_, done) => Some(done),
            Work::Settle(..) => None,
        });
        for (number, done) in waiting.enumerate() {
            // Who gave up waiting sends nothing.
            drop(done.send(written.as_ref().map(|ids| ids[number]).map_err(String::clone)));
        }
    }
}

/// Writes all of `batch` or nothing, and gives the numbers of the new entries in their order.
fn commit(connection: &mut Connection, batch: &[Work]) -> rusqlite::Result<Vec<EntryId>> {
    let transaction = connection.transaction()?;
    let mut ids = Vec::new();
    for work in batch {
        match work {
            Work::Record(entry, _) => ids.push(table::insert(&transaction, entry)?),
            Work::Settle(id, state) => table::settle(&transaction, *id, *state)?,
        }
    }
    transaction.commit()?;
    Ok(ids)
}
