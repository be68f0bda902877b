use std::process::Command;

use lorgnette_runtime::mode::contemplating::{Ledger, State};

use crate::server::{Reaction, Server, closed_port};
use crate::wearer::{Wearer, good, written};

#[tokio::test]
async fn what_never_was_connected_is_said_to_be_unsent_and_what_was_not_answered_may_have_been() {
    let port = closed_port();
    let silent = Server::start(|_, _| Reaction::Silence).await;
    let wearer = Wearer::new(&[port, silent.port], "", "");
    wearer.ask(&written()).await;
    let path = wearer.folder.path().join("ledger.sqlite");
    drop(wearer.contemplator);
    let states: Vec<_> = Ledger::read(&path).unwrap().iter().map(|record| record.state).collect();
    assert_eq!(states[..2], [State::Unsent, State::Begun]);
}

#[tokio::test]
async fn it_can_be_emptied_and_nothing_is_left_in_the_file() {
    let server = Server::start(|seen, _| good(seen)).await;
    let wearer = Wearer::new(&[server.port], "", "");
    wearer.ask(&written()).await;
    let path = wearer.folder.path().join("ledger.sqlite");
    drop(wearer.contemplator);
    assert_eq!(Ledger::clear(&path).unwrap(), 7);
    assert!(Ledger::read(&path).unwrap().is_empty());
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(9).any(|window| window == b"127.0.0.1"));
    assert_eq!(Ledger::clear(&wearer.folder.path().join("none")).unwrap(), 0);
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let _ledger = Ledger::open(&path).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &entry.as_ref().unwrap().metadata().unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.unwrap().path());
    }
}

#[test]
fn a_file_that_is_none_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    std::fs::write(&path, "not a database, and long enough to be looked at as one".repeat(40)).unwrap();
    let error = Ledger::open(&path).unwrap_err().to_string();
    assert!(error.contains("ledger.sqlite: ledger: cannot open"), "{error}");
}

/// The process that records is killed as soon as it says that an entry is recorded.
#[cfg(unix)]
#[test]
fn entries_outlive_a_process_that_is_killed() {
    const PATH: &str = "LORGNETTE_TEST_LEDGER";
    if let Some(path) = std::env::var_os(PATH) {
        return record_and_die(path.as_ref());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    for round in 1..=5 {
        let name = "ledger::entries_outlive_a_process_that_is_killed";
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(PATH, &path)
            .output()
            .unwrap();
        assert!(!status.status.success());
        assert_eq!(Ledger::read(&path).unwrap().len(), round);
    }
}

#[cfg(unix)]
fn record_and_die(path: &std::path::Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // The server sees the request, which is recorded by then, and the process ends without a word.
        let server = Server::start(|_, _| std::process::abort()).await;
        let wearer = Wearer::with_ledger(server.port, path);
        wearer.ask(&written()).await;
    });
}
