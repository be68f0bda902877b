use serde::Deserialize;
use serde_json::json;

use super::super::error::Result;
use super::super::event::{Event, Task, Voice};
use super::super::request::{Request, Role};
use super::{Desk, json};

/// Tokens of a plan at most.
const TOKENS: u32 = 700;
/// Characters of a part at most: what is longer is no part.
const LONGEST: usize = 600;
/// The part of the time that a plan may take.
const TIME: f64 = 0.25;

const INSTRUCTIONS: &str = "You split a question for a team whose members work at the same time and cannot talk. \
    Give 2 to {} parts that do not depend on each other and together answer it. For each part name the role of who \
    answers it, in a few words, and the part as a question that stands alone. Fewer parts are better where they do. \
    Answer with JSON: {\"parts\": [{\"role\": \"...\", \"question\": \"...\"}]}";

#[derive(Deserialize)]
struct Plan {
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    role: String,
    question: String,
}

/// Splits the question for at most as many agents as the budget has. A plan that makes no sense leaves it whole.
///
/// # Errors
/// What the endpoints say, when nobody can be asked.
pub(super) async fn plan(desk: &Desk<'_>) -> Result<Vec<Task>> {
    let most = desk.budget.agents;
    let tasks = match most {
        1 => Vec::new(),
        _ => split(desk, most).await?,
    };
    let tasks = if tasks.is_empty() { vec![whole(desk)] } else { tasks };
    desk.events.say(Event::Planned { tasks: tasks.clone() }).await;
    Ok(tasks)
}

async fn split(desk: &Desk<'_>, most: usize) -> Result<Vec<Task>> {
    let part = json!({"type": "object", "additionalProperties": false, "required": ["role", "question"],
        "properties": {"role": {"type": "string"}, "question": {"type": "string"}}});
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["parts"],
        "properties": {"parts": {"type": "array", "minItems": 2, "maxItems": most, "items": part}}});
    let instructions = INSTRUCTIONS.replacen("{}", &most.to_string(), 1);
    let request = Request::new(desk.question, Role::Planner, instructions, TOKENS);
    let deadline = desk.end - desk.budget.time().mul_f64(1.0 - TIME);
    let reply = desk.ask(&request.showing().with_schema(schema), &Voice::Silent, deadline).await;
    let plan = match reply {
        Ok(reply) => json::read::<Plan>(&reply).unwrap_or(Plan { parts: Vec::new() }),
        Err(e) if e.kind().leaves_others() => Plan { parts: Vec::new() },
        Err(e) => return Err(e),
    };
    let task = |part: Part| Task { role: cut(&part.role), question: cut(&part.question) };
    let tasks = plan.parts.into_iter().map(task).filter(|task| !task.question.is_empty());
    Ok(tasks.take(most).collect())
}

fn whole(desk: &Desk<'_>) -> Task {
    Task { role: "expert".to_owned(), question: desk.question.words.clone() }
}

fn cut(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}
