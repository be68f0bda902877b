//! Ways to go about a question.

mod agent;
mod critic;
mod json;
mod plan;
mod plan_and_merge;
mod refine;
mod vote;
mod writer;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;

use self::plan_and_merge::PlanAndMerge;
use self::refine::Refine;
use self::vote::Vote;
use super::budget::{Budget, Meter};
use super::config::StrategyName;
use super::draft::Draft;
use super::endpoint::{Endpoints, Reply};
use super::error::Result;
use super::event::{Event, Events, Voice};
use super::ledger::Ledger;
use super::question::Question;
use super::request::Request;
use crate::tool::{Toolbox, Turn};

/// The part of the time that is kept for writing the answer.
const WRITING: f64 = 0.25;

/// A way to go about a question.
pub(super) trait Strategy: Send + Sync {
    /// Answers what is on the desk. What the answer needs from elsewhere it gets from there too.
    ///
    /// # Errors
    /// What went wrong, when nothing came that could be an answer.
    fn contemplate<'a>(&'a self, desk: &'a Desk<'a>) -> Work<'a>;
}

/// An answer in the making.
pub(super) type Work<'a> = Pin<Box<dyn Future<Output = Result<Written>> + Send + 'a>>;

/// The strategy of this name.
pub(super) fn named(name: StrategyName, critic: bool) -> Box<dyn Strategy> {
    match name {
        StrategyName::PlanAndMerge => Box::new(PlanAndMerge { critic }),
        StrategyName::Vote => Box::new(Vote),
        StrategyName::Refine => Box::new(Refine),
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    /// What is missing in it.
    pub(super) shortfall: Option<String>,
}

/// All that a strategy has to work with.
pub(super) struct Desk<'a> {
    pub(super) question: &'a Question,
    pub(super) endpoints: &'a Endpoints,
    pub(super) ledger: &'a Ledger,
    pub(super) budget: &'a Budget,
    pub(super) meter: &'a Meter,
    pub(super) events: &'a Events,
    pub(super) draft: &'a Draft,
    /// What agents may call.
    pub(super) tools: Option<&'a Arc<Toolbox>>,
    /// When there has to be an answer.
    pub(super) end: Instant,
}

impl Desk<'_> {
    /// Sends a request, and counts what it took.
    async fn ask(&self, request: &Request, voice: &Voice, deadline: Instant) -> Result<Reply> {
        let deadline = deadline.min(self.end);
        let reply = self.endpoints.ask(request, self.ledger, self.meter, voice, deadline).await;
        self.events.say(Event::Spent(self.meter.spent())).await;
        reply
    }

    /// The calls of an agent, if there are tools, and what they say may be sent. Pictures, and what the device reads in
    /// them, are not the wearer's words.
    fn turn(&self) -> Option<Turn> {
        let tools = self.tools.filter(|tools| !tools.is_empty() && self.question.may_carry_text())?;
        let mut turn = Turn::new(Arc::clone(tools));
        if self.question.shows() {
            turn.saw_untrusted();
        }
        Some(turn)
    }

    /// When everything but the answer has to be there.
    fn writing_begins(&self) -> Instant {
        self.end - self.budget.time().mul_f64(WRITING)
    }

    /// Until when an agent that begins now may work.
    fn agent_deadline(&self) -> Instant {
        (Instant::now() + self.budget.agent_time()).min(self.writing_begins())
    }
}
