//! What left the device: a table in SQLite that is written before the bytes leave.

use std::fs::OpenOptions;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::error::{Error, ErrorKind, Result};

/// Entries that wait for the disk at most; who has one more waits too.
const QUEUE: usize = 256;
/// How long another process may keep the table.
const BUSY: Duration = Duration::from_secs(5);
const VERSION: u32 = 1;

const SCHEMA: &str = "
    CREATE TABLE sent (
        id INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        destination TEXT NOT NULL,
        kinds TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        purpose TEXT NOT NULL,
        consent TEXT NOT NULL,
        state TEXT NOT NULL
    ) STRICT;
    PRAGMA user_version = 1;";

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

/// The table. What is recorded is on the disk when [`record`](Self::record) returns, and survives a loss of power: a
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
        let connection = connect(path)?;
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
        let read = |connection: &Connection| -> rusqlite::Result<Vec<Record>> {
            let sql =
                "SELECT time_ms, destination, kinds, bytes, purpose, consent, state FROM sent ORDER BY id";
            connection.prepare(sql)?.query_map((), record)?.collect()
        };
        read(&connect(path)?).map_err(|e| failed("read", path, &e))
    }

    /// Forgets everything, in the file too, and says how many records that were.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn clear(path: &Path) -> crate::Result<usize> {
        if !path.exists() {
            return Ok(0);
        }
        let clear = |connection: &Connection| -> rusqlite::Result<usize> {
            connection.pragma_update(None, "secure_delete", true)?;
            let count = connection.execute("DELETE FROM sent", ())?;
            connection.execute_batch("VACUUM")?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).optional()?;
            Ok(count)
        };
        clear(&connect(path)?).map_err(|e| failed("clear", path, &e))
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

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        time_ms: row.get(0)?,
        destination: row.get(1)?,
        kinds: row.get(2)?,
        bytes: row.get(3)?,
        purpose: row.get(4)?,
        consent: row.get(5)?,
        state: State::from_name(&row.get::<_, String>(6)?),
    })
}

fn connect(path: &Path) -> crate::Result<Connection> {
    create(path).map_err(|e| crate::Error::io("open", e).in_file(path))?;
    let prepare = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        let transaction = connection.unchecked_transaction()?;
        let version: u32 = transaction.query_row("PRAGMA user_version", (), |row| row.get(0))?;
        if version == 0 {
            transaction.execute_batch(SCHEMA)?;
        }
        transaction.commit()?;
        Ok((connection, version))
    };
    let (connection, version) = prepare().map_err(|e| failed("open", path, &e))?;
    if version > VERSION {
        let error = crate::Error::malformed("user_version", version, format!("at most {VERSION}"));
        return Err(error.in_file(path));
    }
    Ok(connection)
}

/// Makes the file for its owner alone; SQLite gives its log the same permissions.
fn create(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn failed(action: &str, path: &Path, error: &rusqlite::Error) -> crate::Error {
    let detail = format!("cannot {action}: {error}");
    crate::Error::new(crate::ErrorKind::Io, "ledger", detail).in_file(path)
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
            Work::Record(entry, _) => ids.push(insert(&transaction, entry)?),
            Work::Settle(id, state) => {
                transaction.execute("UPDATE sent SET state = ?1 WHERE id = ?2", (state.name(), id.0))?;
            }
        }
    }
    transaction.commit()?;
    Ok(ids)
}

fn insert(connection: &Connection, entry: &Entry) -> rusqlite::Result<EntryId> {
    let sql = "INSERT INTO sent (time_ms, destination, kinds, bytes, purpose, consent, state)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let bytes = i64::try_from(entry.bytes).unwrap_or(i64::MAX);
    let values = (
        i64::try_from(now).unwrap_or(i64::MAX),
        &entry.destination,
        &entry.kinds,
        bytes,
        &entry.purpose,
        &entry.consent,
        State::Begun.name(),
    );
    connection.execute(sql, values)?;
    Ok(EntryId(connection.last_insert_rowid()))
}
