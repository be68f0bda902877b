//! What leaves the device, counted at the other end.

use lorgnette_runtime::mode::contemplating::{Asked, Events, Kind, Ledger, Source, State, Term, Why};

use crate::server::{Reaction, Server};
use crate::wearer::{ANSWER, DRAFT, Wearer, good, local, seeing, written};

#[tokio::test]
async fn without_consent_not_even_a_connection_is_made() {
    let server = Server::start(|seen, _| good(seen)).await;
    let wearer = Wearer::new(&[server.port], "", "");
    wearer.consents.revoke(Kind::Text);
    wearer.consents.allow(Kind::Picture, Term::Always);
    for asked in [written(), seeing(), Asked { spoken: true, ..written() }] {
        let (outcome, _) = wearer.ask(&asked).await;
        assert_eq!(outcome.text, DRAFT);
        let kind = if asked.spoken { Kind::Transcript } else { Kind::Text };
        assert_eq!(outcome.source, Source::Device { why: Why::NoConsent(kind) });
    }
    assert_eq!(server.connections(), 0);
    assert!(wearer.records().is_empty());
}

#[tokio::test]
async fn a_consent_for_one_question_is_for_all_its_requests_and_no_other_question() {
    let server = Server::start(|seen, _| good(seen)).await;
    let wearer = Wearer::new(&[server.port], "", "");
    wearer.consents.revoke(Kind::Text);
    wearer.consents.allow(Kind::Text, Term::Once);
    assert_eq!(wearer.ask(&written()).await.0.text, ANSWER);
    let (connections, requests) = (server.connections(), server.seen().len());
    assert_eq!(wearer.ask(&written()).await.0.text, DRAFT);
    assert_eq!((server.connections(), server.seen().len()), (connections, requests));
}

#[tokio::test]
async fn without_consent_for_the_picture_its_description_goes() {
    let server = Server::start(|seen, _| good(seen)).await;
    let wearer = Wearer::new(&[server.port], "", "pictures = true");
    wearer.ask(&seeing()).await;
    let seen = server.seen();
    assert!(seen.iter().all(|seen| !seen.body.to_string().contains("image_url")));
    let shown = seen.iter().filter(|seen| matches!(seen.model(), "planner" | "agent"));
    assert!(shown.clone().count() == 5 && shown.clone().all(|seen| seen.text().contains("a beach")));
    assert!(wearer.records().iter().all(|record| record.kinds == "text"));
}

#[tokio::test]
async fn with_consent_the_picture_goes_where_models_see() {
    for (pictures, kinds) in [("pictures = true\npicture_side = 16", "text,picture"), ("", "text")] {
        let server = Server::start(|seen, _| good(seen)).await;
        let wearer = Wearer::new(&[server.port], "", pictures);
        wearer.consents.allow(Kind::Picture, Term::Once);
        wearer.ask(&seeing()).await;
        let planner = &server.seen()[0].body["messages"][1]["content"];
        let url = planner[1]["image_url"]["url"].as_str().unwrap_or_default();
        assert_eq!(url.starts_with("data:image/jpeg;base64,"), !pictures.is_empty(), "{planner}");
        let record = &wearer.records()[0];
        assert_eq!(record.kinds, kinds);
        assert_eq!(record.consent.contains("picture once"), !pictures.is_empty());
    }
}

#[tokio::test]
async fn what_was_said_needs_a_consent_of_its_own_and_gives_none_for_the_description() {
    let server = Server::start(|seen, _| good(seen)).await;
    let wearer = Wearer::new(&[server.port], "", "");
    wearer.consents.revoke(Kind::Text);
    wearer.consents.allow(Kind::Transcript, Term::Conversation);
    let (outcome, _) = wearer.ask(&Asked { spoken: true, ..seeing() }).await;
    assert_eq!(outcome.text, ANSWER);
    assert!(server.seen().iter().all(|seen| !seen.body.to_string().contains("a beach")));
    assert!(wearer.records().iter().all(|record| record.consent == "transcript conversation"));
    wearer.consents.end_conversation();
    assert_eq!(wearer.ask(&Asked { spoken: true, ..seeing() }).await.0.text, DRAFT);
}

#[tokio::test]
async fn revoking_stops_what_is_under_way() {
    let server = Server::start(|seen, _| match seen.model() {
        "agent" => Reaction::Silence,
        _ => good(seen),
    })
    .await;
    let wearer = Wearer::new(&[server.port], "", "first_byte_seconds = 60");
    let asked = written();
    let (ask, revoke) = (wearer.ask(&asked), async {
        server.until_seen(5).await;
        wearer.consents.revoke(Kind::Text);
    });
    let ((outcome, _), ()) = tokio::join!(ask, revoke);
    assert_eq!(outcome.text, DRAFT);
    assert!(outcome.source.note().unwrap().contains("the consent was taken back"));
    let seen = server.seen().len();
    assert_eq!(seen, 5, "nothing is asked afterwards");
    drop(wearer);
    server.until_open(0).await;
}

#[tokio::test]
async fn the_ledger_has_every_request_with_its_bytes_before_it_leaves() {
    let server = Server::start(|seen, _| good(seen)).await;
    let wearer = Wearer::new(&[server.port], "", "");
    wearer.ask(&written()).await;
    let mut recorded: Vec<_> = wearer.records().iter().map(|r| (r.purpose.clone(), r.bytes)).collect();
    let mut sent: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| (seen.model().to_owned(), i64::try_from(seen.bytes).unwrap()))
        .collect();
    recorded.sort();
    sent.sort();
    assert_eq!(recorded, sent);
    assert_eq!(sent.len(), 7);
    drop(wearer.contemplator);
    let records = Ledger::read(&wearer.folder.path().join("ledger.sqlite"));
    for record in records.unwrap() {
        assert_eq!(record.destination, format!("http://127.0.0.1:{}", server.port));
        assert_eq!((record.consent.as_str(), record.state), ("text always", State::Sent));
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_sent() {
    let server = Server::start(|seen, _| good(seen)).await;
    let wearer = Wearer::new(&[server.port], "", "");
    // A table that refuses entries stands for a disk that does.
    let table = rusqlite_at(&wearer);
    table
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON sent BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
    let asked = written();
    let outcome = wearer.contemplator.contemplate(&asked, local(), &Events::unheard()).await.unwrap();
    assert!(outcome.source.note().unwrap().contains("the ledger cannot be written"), "{:?}", outcome.source);
    assert_eq!(server.connections(), 0);
}

fn rusqlite_at(wearer: &Wearer) -> rusqlite::Connection {
    rusqlite::Connection::open(wearer.folder.path().join("ledger.sqlite")).unwrap()
}

#[tokio::test]
async fn keys_are_sent_and_written_nowhere() {
    let echo = "{\"error\": {\"message\": \"no such key: sk-secret\"}}";
    let server =
        Server::start(move |_, _| Reaction::Status(401, &[("content-type", "application/json")], echo)).await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "sk-secret\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let wearer = Wearer::new(&[server.port], "", &format!("key = {{ file = {key:?} }}"));
    let (outcome, events) = wearer.ask(&written()).await;
    assert!(server.seen()[0].head.contains("authorization: Bearer sk-secret\r\n"));
    let said = format!("{outcome:?} {events:?} {:?}", wearer.records());
    assert!(said.contains("no such key: [key]") && !said.contains("sk-secret"), "{said}");
}
