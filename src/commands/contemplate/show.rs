use std::fmt;
use std::io::{self, Write};

use lorgnette_runtime::mode::contemplating::{Event, Outcome, Source, Spending};
use serde::Serialize;
use tokio::sync::mpsc;

/// Shows what happens: the answer on stdout as it comes, progress on stderr.
pub(super) struct Shown {
    heard: mpsc::Receiver<Event>,
    json: bool,
}

impl Shown {
    pub(super) fn new(heard: mpsc::Receiver<Event>, json: bool) -> Self {
        Self { heard, json }
    }

    /// Until nothing more happens.
    pub(super) async fn run(&mut self) -> io::Result<()> {
        while let Some(event) = self.heard.recv().await {
            match event {
                Event::Piece { text } if !self.json => {
                    let mut out = io::stdout();
                    out.write_all(text.as_bytes())?;
                    out.flush()?;
                }
                event => progress(&event),
            }
        }
        Ok(())
    }
}

fn progress(event: &Event) {
    match event {
        Event::Planned { tasks } => {
            for (number, task) in (1..).zip(tasks) {
                say(&format!("{number}. {}: {}", task.role, task.question));
            }
        }
        Event::Drafted { text } => say(&format!("draft: {text}")),
        Event::Called { agent, tool } => say(&format!("agent {} calls {tool}", agent + 1)),
        Event::Done { agent } => say(&format!("agent {} is done", agent + 1)),
        Event::Failed { agent, reason } => say(&format!("agent {}: {reason}", agent + 1)),
        Event::Reviewed { doubts } => doubts.iter().for_each(|doubt| say(&format!("doubt: {doubt}"))),
        Event::Writing => say("writing"),
        Event::Started { .. } | Event::Partial { .. } | Event::Piece { .. } | Event::Spent(_) => {}
    }
}

/// Says what was sent and paid for.
pub(super) fn spent(spending: Spending) {
    let Spending { requests, input_tokens, output_tokens, cost } = spending;
    say(&format!("{requests} requests, {input_tokens} tokens read, {output_tokens} written, cost {cost:.4}"));
}

fn say(text: &str) {
    // With stderr gone there is nobody left to tell.
    drop(writeln!(io::stderr(), "lorgnette: {text}"));
}

/// An answer as a document.
#[derive(Serialize)]
pub(super) struct Document {
    text: String,
    source: &'static str,
    note: Option<String>,
    #[serde(flatten)]
    spending: Spending,
}

impl From<Outcome> for Document {
    fn from(outcome: Outcome) -> Self {
        let source = match outcome.source {
            Source::Cloud { .. } => "cloud",
            Source::Device { .. } => "device",
        };
        Self { note: outcome.source.note(), text: outcome.text, source, spending: outcome.spending }
    }
}

impl fmt::Display for Document {
    /// What is left to say: the text was shown as it came.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        self.note.as_ref().map_or(Ok(()), |note| writeln!(f, "({note})"))?;
        let Spending { requests, input_tokens, output_tokens, cost } = self.spending;
        say(&format!(
            "{requests} requests, {input_tokens} tokens read, {output_tokens} written, cost {cost:.4}"
        ));
        Ok(())
    }
}
