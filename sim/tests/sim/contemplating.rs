//! Contemplating in the simulator, at a server on loopback whose connections are counted.

use std::path::Path;
use std::sync::Arc;

use lorgnette_device::clock::Clock;
use lorgnette_runtime::mode::contemplating::Config;
use lorgnette_sim::Result;
use lorgnette_sim::brain::{Brain, Script};
use lorgnette_sim::cloud::Cloud;
use lorgnette_sim::scenario::{Report, Scenario, Setting, run};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::agents::{Reaction, Seen, Server};
use crate::client::Served;
use crate::model::brain;
use crate::scenarios::setting;

const PLAN: &str =
    r#"{"parts": [{"role": "guide", "question": "Where?"}, {"role": "clock", "question": "When?"}]}"#;
const ANSWER: &str = "Go to Miami.";
const DRAFT: &str = "Nordic Seeds, 39 g";

/// Plans for two agents, and a writer that has an answer.
fn helpful(seen: &Seen, _: usize) -> Reaction {
    Reaction::Stream(match seen.model() {
        "planner" => PLAN.to_owned(),
        "writer" => ANSWER.to_owned(),
        _ => "In May.".to_owned(),
    })
}

/// The same, but that the agents say nothing.
fn silent(seen: &Seen, number: usize) -> Reaction {
    if seen.model() == "agent" { Reaction::Silence } else { helpful(seen, number) }
}

fn cloud(server: &Server, more: &str, folder: &Path) -> Cloud {
    let models = "{ planner = \"planner\", writer = \"writer\" }";
    let endpoint = format!(
        "{more}\nno_critic = true\n[[endpoint]]\nname = \"here\"\nurl = \"http://127.0.0.1:{}/v1\"\n\
         model = \"agent\"\nmodels = {models}\n",
        server.port
    );
    let path = folder.join("cloud.toml");
    std::fs::write(&path, endpoint).unwrap();
    Cloud::open(&Config::read(&path).unwrap(), &folder.join("ledger.sqlite")).unwrap()
}

async fn served(server: &Server, more: &str) -> (Served, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(server, more, folder.path());
    (Served::with_cloud("127.0.0.1:0", &folder.path().join("sessions"), cloud).await, folder)
}

async fn answer(served: &Served, turn: u64) -> Value {
    served.await_event(|event| event["event"] == "answer" && event["turn"] == turn).await
}

/// Contemplates a typed question, which is allowed to leave.
const ASK: &str = r#"[{"mode": "contemplating"}, {"consent": {"text": true}}, {"type": "Where to?"}]"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_consent_agents_answer_and_what_left_is_in_the_ledger() {
    let server = Server::start(helpful).await;
    let (served, _folder) = served(&server, "").await;
    let hello = served.get("/api/hello").await.json();
    assert_eq!(hello["modes"], json!(["instant", "thinking", "contemplating"]));
    served.input(ASK).await;
    let answer = answer(&served, 1).await;
    assert_eq!((&answer["text"], &answer["mode"]), (&json!(ANSWER), &json!("contemplating")));

    let events = served.get("/api/events").await.json()["events"].clone();
    let updates: Vec<_> =
        events.as_array().unwrap().iter().filter(|event| event["event"] == "agent").collect();
    let count = |name: &str| updates.iter().filter(|event| event["update"]["event"] == name).count();
    assert_eq!(["planned", "started", "done", "writing"].map(count), [1, 2, 2, 1], "{updates:?}");

    let all_sent = |event: &Value| {
        let records = event["records"].as_array().unwrap();
        records.len() == 4 && records.iter().all(|record| record["state"] == "sent")
    };
    let ledger = served.await_event(|event| event["event"] == "ledger" && all_sent(event)).await;
    let purposes: Vec<_> =
        ledger["records"].as_array().unwrap().iter().map(|record| &record["purpose"]).collect();
    assert_eq!(purposes, ["planner", "agent", "agent", "writer"]);
    assert_eq!(ledger["records"][0]["destination"], format!("http://127.0.0.1:{}", server.port));
    let bytes: usize = server.seen().iter().map(|seen| seen.bytes).sum();
    assert_eq!(ledger["bytes"], bytes);
    assert_eq!(served.get("/api/ledger").await.json()["bytes"], bytes);
    let state = served.get("/api/state").await.json();
    assert_eq!((&state["left_device_bytes"], &state["hud"]["lines"]), (&json!(bytes), &json!([ANSWER])));
    assert!(
        server.seen().iter().all(|seen| !seen.body.to_string().contains("data:image")),
        "pictures may not"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_consent_nothing_is_sent_and_the_answer_says_so() {
    let server = Server::start(helpful).await;
    let (served, _folder) = served(&server, "").await;
    served
        .input(r#"[{"mode": "contemplating"}, {"consent": {"picture": true}}, {"type": "Where to?"}]"#)
        .await;
    let said = format!("{DRAFT}\n(the device answered by itself: there is no consent for text)");
    assert_eq!(answer(&served, 1).await["text"], said);
    assert_eq!(served.get("/api/ledger").await.json(), json!({"bytes": 0, "records": []}));
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_network_the_device_answers_until_it_is_back() {
    let server = Server::start(helpful).await;
    let (served, _folder) = served(&server, "").await;
    served.input(r#"{"network": false}"#).await;
    served.input(ASK).await;
    assert_eq!(
        answer(&served, 1).await["text"],
        format!("{DRAFT}\n(the device answered by itself: offline)")
    );
    assert_eq!(server.connections(), 0);
    served.input(r#"[{"network": true}, {"type": "And now?"}]"#).await;
    assert_eq!(answer(&served, 2).await["text"], ANSWER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tap_ends_what_is_under_way_and_the_next_question_is_answered() {
    let server = Server::start(|_, _| Reaction::Stall("Go to ".to_owned())).await;
    let (served, _folder) = served(&server, "strategy = \"refine\"").await;
    served.input(ASK).await;
    let shown = |event: &Value| event["text"].as_str().is_some_and(|text| text.ends_with("o "));
    served.await_event(|event| event["event"] == "piece" && shown(event)).await;
    served.input(r#"{"touch": "tap"}"#).await;
    let stopped = answer(&served, 1).await;
    assert_eq!((&stopped["finish"], &stopped["text"]), (&json!("cancelled"), &json!("Go to ")));
    server.until_open(0).await;
    served.input(r#"[{"mode": "instant"}, {"type": "And now?"}]"#).await;
    assert_eq!(answer(&served, 2).await["text"], DRAFT);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_or_cut_off_while_agents_work_leaves_the_answer_to_the_device() {
    for (input, why) in [
        (r#"{"consent": {"text": false}}"#, "the consent was taken back"),
        (r#"{"network": false}"#, "offline"),
    ] {
        let server = Server::start(silent).await;
        let (served, _folder) = served(&server, "").await;
        served.input(ASK).await;
        server.until_seen(3).await;
        served.input(input).await;
        let said = format!("{DRAFT}\n(the device answered by itself: {why})");
        assert_eq!(answer(&served, 1).await["text"], said);
    }
}

/// Plays a scenario with agents at `server`, and its script.
async fn play(server: &Server, text: &str) -> Report {
    let script = Scenario::parse(text).unwrap().script;
    play_with(server, text, |clock| Ok(Script::new(script, Default::default(), clock).into_brain())).await
}

async fn play_with(
    server: &Server,
    text: &str,
    think: impl FnOnce(Arc<dyn Clock>) -> Result<Brain> + Send + 'static,
) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let setting = Setting { cloud: cloud(server, "", folder.path()), ..setting() };
    let scenario = Scenario::parse(text).unwrap();
    tokio::task::spawn_blocking(move || run(&scenario, setting, think)).await.unwrap().unwrap().report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_is_played_with_agents_and_without_a_network() {
    let server = Server::start(helpful).await;
    let report = play(
        &server,
        r#"
            title = "agents answer while there is a network"
            seconds = 40
            script = ["Orlando.", "Orlando."]
            [[step]]
            at = 0.2
            mode = "contemplating"
            [[step]]
            at = 0.3
            consent = { text = true }
            [[step]]
            at = 1
            type = "Where to?"
            [[step]]
            at = 6
            network = false
            [[step]]
            at = 7
            type = "And without a network?"
            [[step]]
            at = 12
            network = true
            [[step]]
            at = 13
            say = "shelf"
            [[expect.turn]]
            mode = "contemplating"
            answer = "^Go to Miami.$"
            agents = 2
            [[expect.turn]]
            answer = "^Orlando.\\n.the device answered by itself: offline"
            agents = 0
            [[expect.turn]]
            answer = "there is no consent for transcript"
            [expect.total]
            requests = 4
            left_device_bytes = { at_least = 100 }
            failures = 0
        "#,
    )
    .await;
    assert!(report.passed, "{report}");
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_leaves_as_what_the_device_wrote_down() {
    let server = Server::start(helpful).await;
    let text = r#"
        title = "a spoken question"
        seconds = 20
        [[step]]
        at = 0.2
        mode = "contemplating"
        [[step]]
        at = 0.3
        consent = { transcript = true }
        [[step]]
        at = 1
        say = "shelf"
        [[expect.turn]]
        answer = "Miami"
        [expect.total]
        requests = 4
    "#;
    let report = play(&server, text).await;
    assert!(report.passed, "{report}");
    // A script hears how long it was.
    assert!(server.seen()[0].text().contains(" s of sound"), "{:?}", server.seen()[0].body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_puts_into_words_what_it_saw_and_heard_and_goes_on_from_what_agents_said() {
    let server = Server::start(helpful).await;
    let text = r#"
        title = "a picture, a spoken question, and one more"
        seconds = 30
        [[step]]
        at = 0.2
        show = "shelf"
        [[step]]
        at = 0.3
        mode = "contemplating"
        [[step]]
        at = 0.4
        consent = { text = true, transcript = true }
        [[step]]
        at = 1
        say = "shelf"
        [[step]]
        at = 9
        mode = "instant"
        [[step]]
        at = 10
        type = "And then?"
        [[expect.turn]]
        answer = "^Go to Miami.$"
        [[expect.turn]]
        mode = "instant"
        [expect.total]
        answers = 2
        requests = 4
        failures = 0
    "#;
    let report = play_with(&server, text, |clock| brain(6, clock)).await;
    assert!(report.passed, "{report}");
}
