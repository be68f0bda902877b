use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::server::{Reaction, Server};
use crate::wearer::{ANSWER, DRAFT, Wearer, good, local, written};

const COUNT: usize = 50;

/// Threads of this process by this name.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|found| found.trim() == name).count()
}

/// Half of them get their answer, the others are given up half-way.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn fifty_at_the_same_time_leave_no_task_no_socket_and_no_thread() {
    let tasks = Handle::current().metrics().num_alive_tasks();
    let server = Server::start(|seen, number| match (seen.model(), number % 7) {
        ("agent", 0) => Reaction::Cut("Fact".to_owned()),
        ("agent", 1) => Reaction::Status(503, &[], ""),
        _ => good(seen),
    })
    .await;
    let silent = Server::start(|_, _| Reaction::Silence).await;
    let more = "at_once = 400\nfirst_byte_seconds = 60";
    let budget = "[budget]\nseconds = 50\nagent_seconds = 40";
    let (wearer, waiting) = (
        Arc::new(Wearer::new(&[server.port], budget, more)),
        Arc::new(Wearer::new(&[silent.port], budget, more)),
    );
    let mut given_up = JoinSet::new();
    let mut answered = JoinSet::new();
    for _ in 0..COUNT {
        let (wearer, waiting) = (Arc::clone(&wearer), Arc::clone(&waiting));
        answered.spawn(async move { wearer.ask(&written()).await.0 });
        given_up.spawn(async move {
            drop(waiting.contemplator.contemplate(&written(), local(), &Default::default()).await);
        });
    }
    while let Some(outcome) = answered.join_next().await {
        let text = outcome.unwrap().text;
        assert!(text == ANSWER || text == DRAFT, "{text}");
    }
    silent.until_seen(COUNT).await;
    given_up.shutdown().await;
    silent.until_open(0).await;
    drop((wearer, waiting));
    server.until_open(0).await;
    drop((server, silent));
    while Handle::current().metrics().num_alive_tasks() > tasks || threads("draft") > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    assert_eq!(threads("ledger"), 0);
}
