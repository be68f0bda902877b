use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use lorgnette_runtime::mode::contemplating::{Events, Local};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::server::{Reaction, Server};
use crate::wearer::{ANSWER, DRAFT, Wearer, good, written};

const COUNT: usize = 50;

/// The device's answer, which holds on to `alive` as long as it is made.
fn local(alive: &Arc<()>) -> Box<dyn Local> {
    let alive = Arc::clone(alive);
    Box::new(move |on: &mut dyn FnMut(&str) -> ControlFlow<()>| -> lorgnette_runtime::Result<()> {
        while Arc::strong_count(&alive) > 1 && on("").is_continue() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    })
}

/// Half of them get their answer, the others are given up half-way.
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
    let drafting = Arc::new(());
    let mut given_up = JoinSet::new();
    let mut answered = JoinSet::new();
    for _ in 0..COUNT {
        let (wearer, waiting) = (Arc::clone(&wearer), Arc::clone(&waiting));
        answered.spawn(async move { wearer.ask(&written()).await.0 });
        let local = local(&drafting);
        given_up.spawn(async move {
            drop(waiting.contemplator.contemplate(&written(), local, &Events::unheard()).await);
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
    while Handle::current().metrics().num_alive_tasks() > tasks || Arc::strong_count(&drafting) > 1 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
