//! Who may drive a simulator, and what comes of it.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::Served;
use crate::common::made;

const HERE: &str = "127.0.0.1:0";

async fn served() -> (Served, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Served::start(HERE, &folder.path().join("sessions")).await, folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_origins_and_other_names_are_refused_everywhere() {
    let (served, _folder) = served().await;
    for line in
        ["GET /", "GET /api/state", "GET /api/view", "POST /api/input", "POST /api/picture", "GET /ws"]
    {
        let rebound = served.request(line, &[("Host", "evil.example")], b"{\"mute\":true}").await;
        assert_eq!(rebound.status, 421, "{line}");
        let foreign = served.request(line, &[("Origin", "http://evil.example")], b"{\"mute\":true}").await;
        assert_eq!(foreign.status, 403, "{line}");
    }
    assert_eq!(served.socket("http://evil.example").await.err(), Some(403));
    assert_eq!(served.get("/api/state").await.json()["muted"], false, "nothing was done");
    let own = format!("http://{}", served.address);
    assert_eq!(served.request("POST /api/input", &[("Origin", &own)], b"{\"mute\":true}").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_another_address_only_the_token_opens() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start("0.0.0.0:0", folder.path()).await;
    let (_, token) = served.page.split_once("/?token=").unwrap();
    assert_eq!(served.get("/").await.status, 401);
    assert_eq!(served.get("/api/state").await.status, 401);
    assert_eq!(served.get("/ws").await.status, 401);
    let page = served.get(&format!("/?token={token}")).await;
    assert_eq!(page.status, 200);
    assert!(page.head.to_lowercase().contains("set-cookie: lorgnette="), "{}", page.head);
    assert!(page.head.contains("HttpOnly; SameSite=Strict"));
    let cookie = format!("lorgnette={token}");
    assert_eq!(served.request("GET /api/state", &[("Cookie", &cookie)], b"").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_is_told_what_the_page_may_do() {
    let (served, _folder) = served().await;
    let head = served.get("/").await.head.to_lowercase();
    for expected in ["default-src 'self'", "frame-ancestors 'none'", "nosniff", "no-store", "text/html"] {
        assert!(head.contains(expected), "{expected} is missing: {head}");
    }
    for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/.hidden", "/no-such.js"] {
        assert_eq!(served.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_or_makes_no_sense_is_refused_and_changes_nothing() {
    let (served, _folder) = served().await;
    let before = served.get("/api/events").await.json()["next"].clone();
    assert_eq!(served.input(&format!("{{\"type\":\"{}\"}}", "a".repeat(70_000))).await.status, 413);
    assert_eq!(served.request("POST /api/picture", &[], &vec![0; 9 << 20]).await.status, 413);
    for (input, status) in [
        ("", 400),
        ("{", 400),
        ("{\"fly\":true}", 422),
        ("{\"mute\":3}", 422),
        ("{\"show\":\"nothing\"}", 422),
        ("{\"heat\":1e9}", 422),
        ("{\"battery\":-1}", 422),
        ("{\"link\":{\"loss\":2}}", 422),
        ("{\"type\":\"  \"}", 422),
        ("{\"source\":{\"camera\":\"machine\"}}", 422),
        ("{\"source\":{\"camera\":{\"session\":\"../../etc\"}}}", 422),
    ] {
        let reply = served.input(input).await;
        assert_eq!(reply.status, status, "{input}");
        assert!(!reply.json()["error"].as_str().unwrap().is_empty());
    }
    for bytes in [&b"GIF89a"[..], &[0xff, 0xd8, 0xff, 0xd9]] {
        assert_eq!(served.request("POST /api/picture", &[], bytes).await.status, 422);
        assert_eq!(served.request("POST /api/sound", &[], bytes).await.status, 422);
    }
    assert_eq!(served.get("/api/events").await.json()["next"], before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_drives_it_over_http() {
    let (served, _folder) = served().await;
    assert_eq!(served.get("/api/ping").await.json()["protocol"], 1);
    let scenes = served.get("/api/scenes").await.json();
    assert!(scenes.as_array().unwrap().iter().any(|scene| scene["name"] == "shelf"), "{scenes}");
    assert!(served.get("/api/scenes/shelf/picture").await.body.starts_with(&[0xff, 0xd8]));
    assert_eq!(served.get("/api/scenes/nothing/picture").await.status, 404);

    let done = served.input("[{\"show\":\"shelf\"},{\"type\":\"What has the most protein here?\"}]").await;
    assert_eq!((done.status, done.json()["done"].as_u64()), (200, Some(2)));
    let answer = served.await_event(|event| event["event"] == "answer").await;
    assert_eq!(answer["text"], "Nordic Seeds, 39 g");
    served.await_event(|event| event["event"] == "timeline").await;
    let state = served.get("/api/state").await.json();
    assert_eq!(
        (&state["scene"], &state["turn"], &state["light"]),
        (&json!("shelf"), &json!(1), &json!(true))
    );
    assert_eq!(state["hud"]["lines"], json!(["Nordic Seeds, 39 g"]));
    assert!(served.get("/api/screenshot").await.body.starts_with(b"\x89PNG"));
    assert!(!served.get("/api/trace").await.json()["traceEvents"].as_array().unwrap().is_empty());
    assert_eq!(served.get("/api/ledger").await.json()["bytes"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hot_glasses_do_less_for_a_question_until_they_are_cool() {
    let (served, _folder) = served().await;
    for (heat, effort) in [("43", "small_frames"), ("30", "full")] {
        served.input(&format!("{{\"heat\":{heat}}}")).await;
        // The runtime hears of it within a second, and heeds it from the next question on.
        for question in 1.. {
            assert!(question < 30, "still not {effort}");
            served.input("{\"type\":\"And now?\"}").await;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            if served.get("/api/state").await.json()["effort"] == effort {
                break;
            }
        }
    }
    let events = served.get("/api/events").await.json()["events"].clone();
    let efforts = events.as_array().unwrap().iter().filter(|event| event["event"] == "effort");
    assert_eq!(efforts.map(|event| &event["effort"]).collect::<Vec<_>>(), ["small_frames", "full"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_is_written_as_a_scenario_that_does_it_again() {
    let (served, _folder) = served().await;
    served.input("[{\"show\":\"label\"},{\"heat\":43},{\"link\":{\"loss\":0.5}},{\"heat\":false}]").await;
    let text = String::from_utf8(served.get("/api/scenario").await.body).unwrap();
    let scenario = lorgnette_sim::scenario::Scenario::parse(&text).unwrap();
    let inputs: Vec<_> =
        scenario.steps.iter().map(|step| serde_json::to_value(&step.input).unwrap()).collect();
    let expected = json!([{"show": "label"}, {"heat": 43.0}, {"link": {"loss": 0.5}}, {"heat": false}]);
    assert_eq!(Value::Array(inputs), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_picture_and_a_browser_s_camera_are_seen() {
    let (served, _folder) = served().await;
    let dropped = made::jpeg(64, 48, 3);
    assert_eq!(served.request("POST /api/picture", &[], &dropped).await.status, 200);
    await_view(&served, &dropped).await;

    let mut socket = served.own_socket().await;
    let from_browser = made::jpeg(64, 48, 9);
    let message = || Message::Binary([&[1], &from_browser[..]].concat().into());
    socket.send(message()).await.unwrap();
    socket
        .send(Message::text("{\"source\":{\"camera\":\"browser\",\"microphone\":\"browser\"}}"))
        .await
        .unwrap();
    socket.send(Message::binary(vec![2, 0])).await.unwrap();
    let refused = next_event(&mut socket, "refused").await;
    assert!(refused["error"].as_str().unwrap().contains("message"), "{refused}");
    socket.send(message()).await.unwrap();
    await_view(&served, &from_browser).await;
    let state = served.get("/api/state").await.json();
    assert_eq!(state["source"], json!({"camera": "browser", "microphone": "browser"}));
}

async fn await_view(served: &Served, jpeg: &[u8]) {
    for _ in 0..1_000 {
        if served.get("/api/view").await.body == jpeg {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it was never seen");
}

async fn next_event<S>(socket: &mut S, name: &str) -> Value
where
    S: StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            let event: Value = serde_json::from_str(&text).unwrap();
            if event["event"] == name {
                return event;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_begins_with_what_there_is_and_goes_on_with_what_happens() {
    let (served, _folder) = served().await;
    let mut socket = served.own_socket().await;
    let hello = next_event(&mut socket, "hello").await;
    assert_eq!((&hello["protocol"], &hello["model"]), (&json!(1), &Value::Null));
    assert_eq!(hello["panels"][0]["name"], "even-g1");
    let state = next_event(&mut socket, "state").await;
    assert_eq!(state["phase"], "idle");
    socket.send(Message::text("{\"type\":\"What is this?\"}")).await.unwrap();
    let question = next_event(&mut socket, "question").await;
    assert_eq!((&question["text"], &question["spoken"]), (&json!("What is this?"), &json!(false)));
    let answer = next_event(&mut socket, "answer").await;
    assert_eq!((&answer["turn"], &answer["finish"]), (&json!(1), &json!("end")));
}
