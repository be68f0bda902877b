//! Every fault a case: whatever the network does, there is an answer, and it says where it comes from.

use std::time::Duration;

use lorgnette_runtime::mode::contemplating::{ErrorKind, Source, Why};
use tokio::task::JoinSet;

use crate::server::{Reaction, Server, closed_port};
use crate::wearer::{ANSWER, DRAFT, Wearer, good, written};

const HTML: &[(&str, &str)] = &[("content-type", "text/html; charset=utf-8")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// What goes wrong, and what it is called.
pub(crate) fn faults() -> Vec<(Reaction, ErrorKind)> {
    let text = "{\"parts\": [";
    vec![
        (Reaction::Status(429, JSON, "{\"error\": {\"message\": \"slow down\"}}"), ErrorKind::RateLimited),
        (Reaction::Status(500, JSON, "{\"error\": \"oh\"}"), ErrorKind::Failing),
        (Reaction::Status(503, HTML, "<h1>busy</h1>"), ErrorKind::Failing),
        (Reaction::Status(401, JSON, "{\"error\": {\"message\": \"no\"}}"), ErrorKind::Refused),
        (Reaction::Status(404, JSON, ""), ErrorKind::Refused),
        (Reaction::Status(200, HTML, "<html>Welcome to the hotel!</html>"), ErrorKind::Portal),
        (Reaction::Status(302, &[("location", "http://login.hotel.example/")], ""), ErrorKind::Portal),
        (Reaction::Status(511, HTML, ""), ErrorKind::Portal),
        (Reaction::Status(200, JSON, "{\"choices\": ["), ErrorKind::Malformed),
        (Reaction::Status(200, &[], "hello"), ErrorKind::Malformed),
        (Reaction::Cut(text.to_owned()), ErrorKind::Cut),
        (Reaction::Events(vec![]), ErrorKind::Cut),
        (Reaction::Events(vec!["{\"choices\": 7}".to_owned()]), ErrorKind::Malformed),
        (Reaction::Events(vec!["no JSON".to_owned()]), ErrorKind::Malformed),
        (Reaction::Events(vec!["{\"error\": {\"message\": \"lost\"}}".to_owned()]), ErrorKind::Failing),
        (Reaction::Stall(text.to_owned()), ErrorKind::TimedOut),
        (Reaction::Endless, ErrorKind::TooLong),
        (Reaction::EndlessLine, ErrorKind::TooLong),
        (Reaction::EndlessComments, ErrorKind::TimedOut),
        (Reaction::SlowHeaders, ErrorKind::TimedOut),
        (Reaction::Silence, ErrorKind::TimedOut),
        (Reaction::Noise, ErrorKind::Cut),
        (Reaction::HangUp, ErrorKind::Cut),
    ]
}

/// Whether the beginning of an answer is left.
fn leaves_text(fault: &Reaction) -> bool {
    matches!(fault, Reaction::Cut(_) | Reaction::Stall(_) | Reaction::Endless)
}

/// Runs a case for every fault, all at the same time.
async fn for_each_fault<F: Future<Output = ()> + Send + 'static>(case: impl Fn(Reaction, ErrorKind) -> F) {
    let cases: JoinSet<()> = faults().into_iter().map(|(fault, kind)| case(fault, kind)).collect();
    cases.join_all().await;
}

#[tokio::test]
async fn whatever_always_goes_wrong_there_is_an_answer_and_it_says_why() {
    for_each_fault(|fault, kind| async move {
        let (name, leaves_text) = (format!("{fault:?}"), leaves_text(&fault));
        let server = Server::start(move |_, _| fault.clone()).await;
        let (outcome, _) = Wearer::new(&[server.port], "", "").ask(&written()).await;
        match outcome.source {
            Source::Device { why: Why::Failed(error) } if !leaves_text => {
                assert_eq!((outcome.text.as_str(), error.kind()), (DRAFT, kind), "{name}: {error}");
            }
            Source::Cloud { shortfall } if leaves_text => {
                assert!(shortfall.unwrap().contains("the answer breaks off"), "{name}");
            }
            source => panic!("{name}: {source:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn what_goes_wrong_once_is_asked_again_or_done_without() {
    for_each_fault(|fault, kind| async move {
        let name = format!("{fault:?}");
        let server =
            Server::start(move |seen, number| if number == 0 { fault.clone() } else { good(seen) }).await;
        let (outcome, _) = Wearer::new(&[server.port], "", "").ask(&written()).await;
        // Nobody goes on asking where a login is wanted.
        let expected = if kind == ErrorKind::Portal { DRAFT } else { ANSWER };
        assert_eq!(outcome.text, expected, "{name}");
    })
    .await;
}

#[tokio::test]
async fn what_goes_wrong_at_one_server_another_does() {
    for_each_fault(|fault, _| async move {
        let (name, leaves_text) = (format!("{fault:?}"), leaves_text(&fault));
        let bad = Server::start(move |_, _| fault.clone()).await;
        let better = Server::start(|seen, _| good(seen)).await;
        let budget = "[budget]\nseconds = 20\nagent_seconds = 8";
        let (outcome, _) = Wearer::new(&[bad.port, better.port], budget, "").ask(&written()).await;
        assert!(bad.connections() > 0, "{name}");
        // What begins well at the first server is used as it is.
        assert_eq!(outcome.text == ANSWER, !leaves_text, "{name}: {}", outcome.text);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_used_and_says_so() {
    for fault in [Reaction::Cut("Go to Miami".to_owned()), Reaction::Stall("Go to Miami".to_owned())] {
        let server = Server::start(move |seen, _| match seen.model() {
            "writer" => fault.clone(),
            _ => good(seen),
        })
        .await;
        let (outcome, _) = Wearer::new(&[server.port], "", "").ask(&written()).await;
        assert_eq!(outcome.text, "Go to Miami");
        assert!(outcome.source.note().unwrap().contains("the answer breaks off"), "{:?}", outcome.source);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_gone_on_with_where_that_is_possible() {
    let (begin, rest) = ANSWER.split_at(8);
    let server = Server::start(move |seen, _| {
        let last = seen.body["messages"].as_array().unwrap().last().unwrap();
        match (seen.model(), last["role"].as_str().unwrap()) {
            ("writer", "user") => Reaction::Cut(begin.to_owned()),
            ("writer", "assistant") => {
                assert_eq!(last["content"], begin);
                assert_eq!(seen.body["continue_final_message"], true);
                Reaction::Stream(rest.to_owned())
            }
            _ => good(seen),
        }
    })
    .await;
    let (outcome, _) = Wearer::new(&[server.port], "", "resume = true").ask(&written()).await;
    assert_eq!(outcome.text, ANSWER);
    assert_eq!(outcome.source, Source::Cloud { shortfall: None });
}

#[tokio::test]
async fn without_a_writer_the_findings_are_the_answer() {
    let server = Server::start(|seen, _| match seen.model() {
        "writer" => Reaction::Status(500, JSON, ""),
        _ => good(seen),
    })
    .await;
    let (outcome, _) = Wearer::new(&[server.port], "", "").ask(&written()).await;
    assert!(outcome.text.contains("expert of Where?: Fact 0.\nexpert of When?: Fact 1."), "{}", outcome.text);
    assert!(outcome.source.note().unwrap().contains("nobody could merge it"));
}

#[tokio::test]
async fn a_server_that_asks_for_a_wait_gets_it() {
    let wait = &[("retry-after", "1"), ("content-type", "application/json")];
    let server = Server::start(
        move |seen, number| if number == 0 { Reaction::Status(429, wait, "") } else { good(seen) },
    )
    .await;
    let (outcome, _) = Wearer::new(&[server.port], "", "").ask(&written()).await;
    assert_eq!(outcome.text, ANSWER);
    let seen = server.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_waited_for() {
    let wait = &[("retry-after", "3000")];
    let server = Server::start(move |_, _| Reaction::Status(429, wait, "")).await;
    let wearer = Wearer::new(&[server.port], "", "");
    for _ in 0..2 {
        let (outcome, _) = wearer.ask(&written()).await;
        assert_eq!(outcome.text, DRAFT);
    }
    assert_eq!(server.seen().len(), 1, "the wait holds for the next question too");
}

#[tokio::test]
async fn that_a_server_is_out_of_reach_is_remembered_until_the_network_changes() {
    let port = closed_port();
    let wearer = Wearer::new(&[port], "", "");
    assert_eq!(wearer.ask(&written()).await.0.text, DRAFT);
    let server = Server::start_at(port, |seen, _| good(seen)).await;
    let (outcome, _) = wearer.ask(&written()).await;
    assert!(outcome.source.note().unwrap().contains("offline"), "{:?}", outcome.source);
    assert_eq!(server.connections(), 0);
    wearer.contemplator.network_changed();
    assert_eq!(wearer.ask(&written()).await.0.text, ANSWER);
}

#[tokio::test]
async fn a_document_instead_of_a_stream_is_read_too() {
    let server = Server::start(|seen, _| match good(seen) {
        Reaction::Stream(text) => Reaction::Document(text),
        other => other,
    })
    .await;
    assert_eq!(Wearer::new(&[server.port], "", "").ask(&written()).await.0.text, ANSWER);
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::start(|seen, _| good(seen)).await;
    let wearer = Wearer::new(&[server.port], "no_critic = true", "at_once = 1");
    for _ in 0..3 {
        assert_eq!(wearer.ask(&written()).await.0.text, ANSWER);
    }
    assert_eq!(server.seen().len(), 18);
    // A request may come before the connection of the last is free again.
    assert!(server.connections() <= 6, "{}", server.connections());
}
