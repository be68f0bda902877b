use serde::Serialize;
use tokio::sync::mpsc;

use super::budget::Spending;

/// Events that wait to be heard at most.
const QUEUE: usize = 64;

/// What happens while a question is contemplated, in the order in which it happens.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The device has an answer of its own, which stands until there is a better one.
    Drafted {
        /// It.
        text: String,
    },
    /// The question was split.
    Planned {
        /// For each agent, in their order.
        tasks: Vec<Task>,
    },
    /// An agent begins.
    Started {
        /// Its number, from 0.
        agent: usize,
    },
    /// More of what an agent writes.
    Partial {
        /// Its number.
        agent: usize,
        /// What comes next.
        text: String,
    },
    /// An agent called a tool.
    Called {
        /// Its number.
        agent: usize,
        /// The name of the tool.
        tool: String,
    },
    /// An agent is done.
    Done {
        /// Its number.
        agent: usize,
    },
    /// An agent failed, or was left behind. What it wrote until then may be used.
    Failed {
        /// Its number.
        agent: usize,
        /// Why, for people.
        reason: String,
    },
    /// The findings were looked through for contradictions.
    Reviewed {
        /// What is doubtful.
        doubts: Vec<String>,
    },
    /// The answer begins.
    Writing,
    /// More of the answer.
    Piece {
        /// What comes next.
        text: String,
    },
    /// What was taken so far, after each step.
    Spent(Spending),
}

/// What an agent has to find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Task {
    /// As whom: a few words.
    pub role: String,
    /// What.
    pub question: String,
}

/// Where events go. Who listens too slowly holds up what is told about, until its deadline; who does not listen any
/// more, nothing.
#[derive(Clone, Debug, Default)]
pub struct Events(Option<mpsc::Sender<Event>>);

impl Events {
    /// Nobody listens.
    pub fn unheard() -> Self {
        Self::default()
    }

    /// Events, and where they are heard.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(Some(sender)), receiver)
    }

    pub(super) async fn say(&self, event: Event) {
        if let Some(sender) = &self.0 {
            // A listener that went away is none.
            drop(sender.send(event).await);
        }
    }
}

/// Who writes, and so as which event a piece is heard.
#[derive(Clone, Debug)]
pub(super) enum Voice {
    Agent(Events, usize),
    Writer(Events),
    Silent,
}

impl Voice {
    pub(super) async fn say(&self, text: &str) {
        let text = text.to_owned();
        match self {
            Self::Agent(events, agent) => events.say(Event::Partial { agent: *agent, text }).await,
            Self::Writer(events) => events.say(Event::Piece { text }).await,
            Self::Silent => {}
        }
    }
}
