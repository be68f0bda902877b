use std::time::Duration;

use lorgnette_runtime::mode::contemplating::{Event, Events, Source, Spending};
use serde_json::json;

use crate::server::{Reaction, Server};
use crate::wearer::{ANSWER, DRAFT, PARTS, Wearer, good, local, seeing, written};

#[tokio::test]
async fn a_question_is_planned_thought_about_reviewed_and_written() {
    let server = Server::start(|seen, _| good(seen)).await;
    let (outcome, events) = Wearer::new(&[server.port], "", "").ask(&written()).await;
    assert_eq!((outcome.text.as_str(), outcome.source), (ANSWER, Source::Cloud { shortfall: None }));
    let at = |wanted: fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    let steps = [
        at(|e| matches!(e, Event::Planned { tasks } if tasks.len() == 4 && tasks[1].question == PARTS[1])),
        at(|e| matches!(e, Event::Started { .. })),
        at(|e| matches!(e, Event::Partial { .. })),
        at(|e| matches!(e, Event::Done { .. })),
        at(|e| matches!(e, Event::Reviewed { doubts } if doubts == &["May is far away."])),
        at(|e| matches!(e, Event::Writing)),
        at(|e| matches!(e, Event::Piece { .. })),
    ];
    assert!(steps.is_sorted(), "{events:?}");
    let writer = server.seen().last().unwrap().text();
    assert!(
        (0..4).all(|fact| writer.contains(&format!("Fact {fact}."))) && writer.contains("May is far away.")
    );
    let spent = Spending { requests: 7, input_tokens: 700, output_tokens: 140, cost: 0.0 };
    assert_eq!(outcome.spending, spent);
    assert_eq!(events.last(), Some(&Event::Spent(spent)));
}

/// Each of the four gets an answer only once all four have asked.
#[tokio::test]
async fn agents_work_at_the_same_time() {
    let server = Server::start(|seen, _| match seen.model() {
        "agent" => Reaction::Together(4, Box::new(good(seen))),
        _ => good(seen),
    })
    .await;
    let (outcome, _) = Wearer::new(&[server.port], "", "first_byte_seconds = 60").ask(&written()).await;
    assert_eq!(outcome.source, Source::Cloud { shortfall: None });
}

#[tokio::test]
async fn who_is_slow_or_fails_is_left_behind() {
    let server = Server::start(|seen, _| match (seen.model(), seen.text()) {
        ("agent", text) if text.ends_with(PARTS[0]) => Reaction::Status(400, &[], ""),
        ("agent", text) if text.ends_with(PARTS[1]) => {
            Reaction::Slow("slow ".repeat(500), Duration::from_millis(50))
        }
        _ => good(seen),
    })
    .await;
    let budget = "[budget]\nseconds = 8\nagent_seconds = 1";
    let (outcome, events) = Wearer::new(&[server.port], budget, "").ask(&written()).await;
    assert_eq!(outcome.text, ANSWER);
    assert_eq!(outcome.source.note().unwrap(), "2 of 4 agents were done in time");
    for agent in [0, 1] {
        assert!(events.iter().any(|e| matches!(e, Event::Failed { agent: failed, .. } if *failed == agent)));
    }
    let writer = server.seen().last().unwrap().text();
    assert!(writer.contains("slow slow") && writer.contains("\"complete\":false"), "{writer}");
}

#[tokio::test]
async fn a_plan_that_makes_no_sense_leaves_the_question_whole() {
    for plan in ["", "{\"parts\": []}", "I would rather not.", "{\"parts\": [{\"role\": 3}]}"] {
        let server = Server::start(move |seen, _| match seen.model() {
            "planner" => Reaction::Stream(plan.to_owned()),
            _ => good(seen),
        })
        .await;
        let (outcome, events) = Wearer::new(&[server.port], "", "").ask(&written()).await;
        assert_eq!(outcome.text, ANSWER, "{plan}");
        assert!(events.iter().any(|e| matches!(e, Event::Planned { tasks } if tasks.len() == 1)));
    }
}

#[tokio::test]
async fn no_more_tokens_are_asked_for_than_the_budget_has() {
    let server = Server::start(|seen, _| good(seen)).await;
    let budget = "[budget]\nseconds = 8\ntokens = 2500\nagent_tokens = 900";
    let (outcome, _) = Wearer::new(&[server.port], budget, "").ask(&written()).await;
    let agents: u64 = server
        .seen()
        .iter()
        .filter(|seen| seen.model() == "agent")
        .map(|seen| seen.body["max_tokens"].as_u64().unwrap())
        .sum();
    assert!(agents <= 2500, "{agents}");
    assert!(outcome.spending.input_tokens + outcome.spending.output_tokens <= 2500);
}

#[tokio::test]
async fn money_is_counted_and_bounded() {
    let price = "price = { input = 10.0, output = 50.0 }";
    let server = Server::start(|seen, _| good(seen)).await;
    let rich = "[budget]\nseconds = 8\ncost = 10";
    let (outcome, _) = Wearer::new(&[server.port], rich, price).ask(&written()).await;
    assert!((outcome.spending.cost - 7.0 * (100.0 * 10.0 + 20.0 * 50.0) / 1e6).abs() < 1e-9);
    let server = Server::start(|seen, _| good(seen)).await;
    let poor = "[budget]\nseconds = 8\ncost = 0.00001";
    let (outcome, _) = Wearer::new(&[server.port], poor, price).ask(&written()).await;
    assert!(outcome.source.note().unwrap().contains("the budget is spent"));
    assert_eq!((server.connections(), outcome.text.as_str()), (0, DRAFT));
}

#[tokio::test]
async fn the_answer_that_most_give_wins_the_vote() {
    let server = Server::start(|seen, number| {
        assert!(seen.body["temperature"].as_f64().unwrap() > 0.5);
        assert_eq!(seen.body["response_format"]["json_schema"]["strict"], true);
        let answer = if number == 0 { "Orlando" } else { "Miami" };
        Reaction::Stream(
            json!({"steps": "…", "answer": answer, "explanation": "It has a beach."}).to_string(),
        )
    })
    .await;
    let (outcome, events) = Wearer::new(&[server.port], "strategy = \"vote\"", "").ask(&written()).await;
    assert_eq!(outcome.text, "Miami\nIt has a beach.");
    assert_eq!(events.iter().filter(|e| matches!(e, Event::Started { .. })).count(), 4);
}

#[tokio::test]
async fn the_draft_of_the_device_is_shown_and_mended() {
    let server = Server::start(|_, _| Reaction::Stream(ANSWER.to_owned())).await;
    let (outcome, events) = Wearer::new(&[server.port], "strategy = \"refine\"", "").ask(&seeing()).await;
    assert_eq!(outcome.text, ANSWER);
    let drafted = events.iter().position(|e| matches!(e, Event::Drafted { text } if text == DRAFT)).unwrap();
    assert!(drafted < events.iter().position(|e| matches!(e, Event::Piece { .. })).unwrap());
    let seen = server.seen();
    assert!(seen.len() == 1 && seen[0].text().contains(DRAFT));
}

#[tokio::test]
async fn to_cancel_closes_every_connection() {
    let server = Server::start(|seen, _| match seen.model() {
        "agent" => Reaction::Stall("Fact".to_owned()),
        _ => good(seen),
    })
    .await;
    let wearer = Wearer::new(&[server.port], "", "stall_seconds = 60");
    let asked = written();
    let unheard = Events::unheard();
    let ask = wearer.contemplator.contemplate(&asked, local(), &unheard);
    tokio::select! {
        _ = ask => panic!("it cannot have an answer"),
        () = server.until_seen(5) => {}
    }
    // The connection of the planner waits to be used again, and is the first agent's.
    server.until_open(0).await;
    assert_eq!(server.seen().len(), 5);
}
