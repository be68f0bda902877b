//! Many pages on one simulator.

use futures_util::StreamExt;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Served;

/// Pages, beside the one that does not read.
const PAGES: usize = 20;

/// Events: many times what is kept for who is late.
const EVENTS: usize = 4_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_page_that_does_not_read_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start("127.0.0.1:0", folder.path()).await;
    let _slow = served.own_socket().await;
    let mut pages = Vec::new();
    for _ in 0..PAGES {
        let mut socket = served.own_socket().await;
        pages.push(tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                let event: Value = serde_json::from_str(&text).unwrap();
                if event["event"] == "input" && event["input"]["battery"] == 0.5 {
                    return true;
                }
            }
            false
        }));
    }
    // A scenario's worth of inputs in each request.
    let many = format!("[{}]", vec!["{\"panel\":\"halo\"}"; 40].join(","));
    for _ in 0..EVENTS / 40 {
        assert_eq!(served.input(&many).await.status, 200);
        tokio::task::yield_now().await;
    }
    // Who was late at the end hears of it again.
    let last = async {
        loop {
            served.input("{\"battery\":0.5}").await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let all = futures_util::future::join_all(pages);
    tokio::select! {
        reached = all => assert!(reached.into_iter().all(|reached| reached.unwrap())),
        () = last => {}
    }
    assert_eq!(served.get("/api/ping").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_room_for_so_many_sockets_and_one_that_closes_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start("127.0.0.1:0", folder.path()).await;
    let mut sockets = Vec::new();
    for _ in 0..64 {
        sockets.push(served.own_socket().await);
    }
    let origin = format!("http://{}", served.address);
    assert_eq!(served.socket(&origin).await.err(), Some(503));
    drop(sockets);
    for _ in 0..1_000 {
        if served.socket(&origin).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no room was made");
}
