use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::super::event::{Event, Voice};
use super::super::request::{Request, Role};
use super::agent::Finding;
use super::writer::findings_as_data;
use super::{Desk, json};

/// Tokens of a review at most.
const TOKENS: u32 = 300;
/// Doubts that a writer is told of.
const MOST_DOUBTS: usize = 5;

const INSTRUCTIONS: &str = "You review what a team found out about a question. Name what contradicts itself, what is \
    likely wrong and what is missing, each in one short sentence, the gravest first. Name nothing else. \
    Answer with JSON: {\"doubts\": [\"...\"]}, with an empty list when all is well.";

#[derive(Deserialize)]
struct Review {
    doubts: Vec<String>,
}

/// Whether a review pays: there are findings that can contradict each other, and enough time and tokens are left for
/// it beside the answer.
pub(super) fn pays(desk: &Desk<'_>, findings: &[Finding]) -> bool {
    let written: usize = findings.iter().map(|finding| finding.text.len() / 3).sum();
    let needed = 2 * (written as u32 + TOKENS) + desk.budget.answer_tokens;
    let time = desk.writing_begins().saturating_duration_since(Instant::now());
    findings.len() > 1 && desk.meter.tokens_left() > needed && time > desk.budget.time().mul_f64(0.15)
}

/// What is doubtful. Without an answer in time nothing is.
pub(super) async fn review(desk: &Desk<'_>, findings: &[Finding]) -> Vec<String> {
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["doubts"],
        "properties": {"doubts": {"type": "array", "maxItems": MOST_DOUBTS, "items": {"type": "string"}}}});
    let request = Request::new(desk.question, Role::Critic, INSTRUCTIONS, TOKENS)
        .with_data(findings_as_data(findings, &[]))
        .with_schema(schema);
    let reply = desk.ask(&request, &Voice::Silent, desk.writing_begins()).await;
    let review = reply.and_then(|reply| json::read::<Review>(&reply));
    let mut doubts = review.map_or_else(|_| Vec::new(), |review| review.doubts);
    doubts.truncate(MOST_DOUBTS);
    desk.events.say(Event::Reviewed { doubts: doubts.clone() }).await;
    doubts
}
