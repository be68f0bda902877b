use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Entry, EntryId, Record, State};

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

/// All records, the oldest first.
pub(super) fn read(path: &Path) -> crate::Result<Vec<Record>> {
    let read = |connection: &Connection| -> rusqlite::Result<Vec<Record>> {
        let sql = "SELECT time_ms, destination, kinds, bytes, purpose, consent, state FROM sent ORDER BY id";
        connection.prepare(sql)?.query_map((), record)?.collect()
    };
    read(&connect(path)?).map_err(|e| failed("read", path, &e))
}

/// Deletes all records, overwrites where they were, and counts them.
pub(super) fn clear(path: &Path) -> crate::Result<usize> {
    let clear = |connection: &Connection| -> rusqlite::Result<usize> {
        connection.pragma_update(None, "secure_delete", true)?;
        let count = connection.execute("DELETE FROM sent", ())?;
        connection.execute_batch("VACUUM")?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).optional()?;
        Ok(count)
    };
    clear(&connect(path)?).map_err(|e| failed("clear", path, &e))
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

pub(super) fn connect(path: &Path) -> crate::Result<Connection> {
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

pub(super) fn insert(connection: &Connection, entry: &Entry) -> rusqlite::Result<EntryId> {
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

/// Says what became of an entry.
pub(super) fn settle(connection: &Connection, id: EntryId, state: State) -> rusqlite::Result<()> {
    connection.execute("UPDATE sent SET state = ?1 WHERE id = ?2", (state.name(), id.0)).map(drop)
}
