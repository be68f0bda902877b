use futures_util::stream::{FuturesUnordered, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::error::{Error, ErrorKind, Result};
use super::super::event::{Event, Task, Voice};
use super::super::request::{Request, Role};
use super::{Desk, Strategy, Work, Written, json};

/// Answers have to differ for a vote to mean something.
const TEMPERATURE: f32 = 0.8;

const INSTRUCTIONS: &str = "Think the question through step by step. Then give the answer itself as briefly as it can \
    be said, and one sentence that explains it. Answer with JSON: {\"steps\": \"...\", \"answer\": \"...\", \
    \"explanation\": \"...\"}";

/// The whole question is answered several times, and the answer that most give stands (self-consistency, Wang et al.
/// 2022).
#[derive(Clone, Copy, Debug)]
pub(super) struct Vote;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Ballot {
    answer: String,
    explanation: String,
}

impl Strategy for Vote {
    fn contemplate<'a>(&'a self, desk: &'a Desk<'a>) -> Work<'a> {
        Box::pin(async move {
            let voters = desk.budget.agents;
            let task = Task { role: "voter".to_owned(), question: desk.question.words.clone() };
            desk.events.say(Event::Planned { tasks: vec![task; voters] }).await;
            let deadline = desk.agent_deadline();
            let mut votes: FuturesUnordered<_> =
                (0..voters).map(|agent| vote(desk, agent, deadline)).collect();
            let (mut ballots, mut error) = (Vec::new(), Error::new(ErrorKind::TimedOut, ""));
            // Once one has most of all votes, the others change nothing.
            while 2 * most(&ballots).len() <= voters
                && let Some(ballot) = votes.next().await
            {
                match ballot {
                    Ok(ballot) => ballots.push(ballot),
                    Err(e) => error = e,
                }
            }
            if ballots.is_empty() {
                return Err(error);
            }
            let written = count(&ballots, voters);
            desk.events.say(Event::Writing).await;
            desk.events.say(Event::Piece { text: written.text.clone() }).await;
            Ok(written)
        })
    }
}

async fn vote(desk: &Desk<'_>, agent: usize, deadline: Instant) -> Result<Ballot> {
    desk.events.say(Event::Started { agent }).await;
    let request = Request::new(desk.question, Role::Agent, INSTRUCTIONS, desk.budget.agent_tokens)
        .showing()
        .with_temperature(TEMPERATURE)
        .with_schema(schema());
    let reply = desk.ask(&request, &Voice::Silent, deadline).await;
    let ballot = reply.and_then(|reply| json::read::<Ballot>(&reply));
    let event = match &ballot {
        Ok(_) => Event::Done { agent },
        Err(e) => Event::Failed { agent, reason: e.to_string() },
    };
    desk.events.say(event).await;
    ballot
}

fn schema() -> Value {
    let text = json!({"type": "string"});
    json!({"type": "object", "additionalProperties": false, "required": ["steps", "answer", "explanation"],
        "properties": {"steps": text, "answer": text, "explanation": text}})
}

/// The ballots with the answer that most have; of those with as many, the one that came first.
fn most(ballots: &[Ballot]) -> Vec<&Ballot> {
    let same = |ballot: &Ballot| {
        let answer = normal(&ballot.answer);
        ballots.iter().filter(|other| normal(&other.answer) == answer).collect::<Vec<_>>()
    };
    let groups = ballots.iter().map(same);
    groups.reduce(|best, group| if group.len() > best.len() { group } else { best }).unwrap_or_default()
}

/// What is left of an answer when it does not matter how it is written.
fn normal(answer: &str) -> String {
    answer.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn count(ballots: &[Ballot], voters: usize) -> Written {
    let won = most(ballots);
    let winner = won.first().map_or("", |ballot| &ballot.answer);
    let explanation = won.first().map_or("", |ballot| &ballot.explanation);
    let mut text = format!("{winner}\n{explanation}");
    let agreed = 2 * won.len() > voters;
    if !agreed {
        let other = ballots.iter().find(|ballot| normal(&ballot.answer) != normal(winner));
        let or = other.map_or(String::new(), |ballot| format!(", or {}", ballot.answer));
        text += &format!("\nNot sure: {} of {voters} say so{or}", won.len());
    }
    let shortfall = format!("{} of {voters} agents answered in time", ballots.len());
    Written { text, shortfall: (!agreed && ballots.len() < voters).then_some(shortfall) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballots(answers: &[&str]) -> Vec<Ballot> {
        let ballot =
            |(i, answer): (usize, &&str)| Ballot { answer: (*answer).to_owned(), explanation: i.to_string() };
        answers.iter().enumerate().map(ballot).collect()
    }

    #[test]
    fn the_answer_that_most_give_stands_however_it_is_written() {
        let written = count(&ballots(&["Lisbon", "Porto.", "porto", "**Porto**"]), 4);
        assert_eq!(written, Written { text: "Porto.\n1".to_owned(), shortfall: None });
    }

    #[test]
    fn without_a_majority_the_answer_says_so() {
        let written = count(&ballots(&["42", "7"]), 3);
        assert_eq!(written.text, "42\n0\nNot sure: 1 of 3 say so, or 7");
        assert_eq!(written.shortfall.unwrap(), "2 of 3 agents answered in time");
    }
}
