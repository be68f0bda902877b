//! Contemplating: a question is split, agents think about its parts at endpoints that the wearer allowed, and a writer
//! merges what they found, while the device drafts an answer of its own.
//!
//! Nothing leaves the device without a [`Consent`], and nothing before the [`Ledger`] has it. Whatever fails, there is an
//! answer: of what is there, or the device's.

mod budget;
mod config;
pub mod consent;
mod draft;
mod endpoint;
mod error;
mod event;
mod ledger;
mod outcome;
mod picture;
mod question;
mod request;
mod strategy;
mod telling;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

pub use self::budget::{Budget, Price, Spending};
pub use self::config::{Config, Standing, StrategyName};
pub use self::consent::{Consent, Consents, Kind, PictureScope, Scope, Term, Text, Transcript, Words};
pub use self::draft::Local;
pub use self::endpoint::{CONNECT, Endpoints, KeySource, OFFLINE, Settings, Structured};
pub use self::error::{Error, ErrorKind};
pub use self::event::{Event, Events, Task};
pub use self::ledger::{Ledger, Record, State};
pub use self::outcome::{Outcome, Source, Why};
pub use self::picture::Portable;
pub use self::question::Question;
pub use self::request::Role;
pub use self::telling::Telling;

use self::budget::Meter;
use self::draft::Draft;
use self::strategy::{Desk, Strategy, Written};
use crate::tool::Toolbox;

/// What was asked, as the device has it. What of it may leave is up to the wearer.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The words.
    pub words: String,
    /// Whether they were said, and not written.
    pub spoken: bool,
    /// What the camera sees.
    pub pictures: Vec<Arc<Portable>>,
    /// The device's own description of that.
    pub description: Option<String>,
}

/// Contemplates questions. Any number at the same time.
pub struct Contemplator {
    consents: Arc<Consents>,
    endpoints: Endpoints,
    ledger: Ledger,
    budget: Budget,
    strategy: Box<dyn Strategy>,
    tools: Option<Arc<Toolbox>>,
    /// Whether there is a network.
    network: watch::Sender<bool>,
}

impl Contemplator {
    /// As `config` says, with what `consents` allow at each time, writing to `ledger`.
    ///
    /// # Errors
    /// As [`Endpoints::new`].
    pub fn new(config: &Config, consents: Arc<Consents>, ledger: Ledger) -> crate::Result<Self> {
        let strategy = strategy::named(config.strategy, !config.no_critic);
        let (endpoints, budget) = (config.endpoints()?, config.budget);
        let network = watch::Sender::new(true);
        Ok(Self { consents, endpoints, ledger, budget, strategy, tools: None, network })
    }

    /// Lets agents call `tools`. What tools say goes to the endpoints, and needs a consent for text.
    #[must_use]
    pub fn with_tools(mut self, tools: Arc<Toolbox>) -> Self {
        self.tools = Some(tools);
        self
    }

    /// Forgets which servers could not be reached: the network is another.
    pub fn network_changed(&self) {
        self.endpoints.network_changed();
    }

    /// The device has a network, or has none. Without one nobody is asked, and what is under way stops.
    pub fn set_network(&self, there: bool) {
        self.network_changed();
        self.network.send_replace(there);
    }

    /// Why nobody can be asked, as far as that is known beforehand. The question is the device's then.
    pub fn refusal(&self, asked: &Asked) -> Option<Why> {
        let kind = if asked.spoken { Kind::Transcript } else { Kind::Text };
        if self.endpoints.is_empty() {
            Some(Why::NoEndpoint)
        } else if !*self.network.borrow() {
            Some(Why::Failed(Error::new(ErrorKind::Offline, "")))
        } else {
            (!self.consents.allows(kind)).then_some(Why::NoConsent(kind))
        }
    }

    /// What the device is to put into words before this is asked. It is for [`Asked::take`].
    pub fn tellings(&self, asked: &Asked) -> Vec<Telling> {
        if self.refusal(asked).is_some() {
            return Vec::new();
        }
        let shows = self.endpoints.see() && self.consents.allows(Kind::Picture);
        let seen = !asked.pictures.is_empty() && !shows && self.consents.allows(Kind::Text);
        let heard = asked.spoken.then_some(Telling::Heard);
        heard.into_iter().chain(seen.then_some(Telling::Seen)).collect()
    }

    /// Answers what was asked, at the latest when the budget's time is over and the device has its own answer, which
    /// `local` makes meanwhile. `events` hears of what happens. Dropping the future stops everything: its requests are
    /// part of it, and closed with it.
    ///
    /// # Errors
    /// What `local` says, when the answer is up to it.
    pub async fn contemplate(
        &self,
        asked: &Asked,
        local: Box<dyn Local>,
        events: &Events,
    ) -> Result<Outcome, Arc<crate::Error>> {
        let draft = Draft::start(local);
        let meter = Meter::new(&self.budget);
        let outcome = match self.question(asked) {
            Ok(question) => self.ask(&question, &draft, &meter, events).await.map_err(Why::Failed),
            Err(why) => Err(why),
        };
        let (text, source) = match outcome {
            Ok(written) => (written.text, Source::Cloud { shortfall: written.shortfall }),
            Err(why) => (draft.say(events).await?, Source::Device { why }),
        };
        Ok(Outcome { text, source, spending: meter.spent() })
    }

    async fn ask(
        &self,
        question: &Question,
        draft: &Draft,
        meter: &Meter,
        events: &Events,
    ) -> Result<Written, Error> {
        let (endpoints, ledger, budget) = (&self.endpoints, &self.ledger, &self.budget);
        let end = Instant::now() + budget.time();
        let tools = self.tools.as_ref();
        let desk = Desk { question, endpoints, ledger, budget, meter, events, draft, tools, end };
        tokio::select! {
            biased;
            () = question.revoked() => Err(Error::new(ErrorKind::Revoked, "")),
            () = self.offline() => Err(Error::new(ErrorKind::Offline, "")),
            written = self.strategy.contemplate(&desk) => written,
        }
    }

    /// Ends when there is no network.
    async fn offline(&self) {
        // The sender is part of this, so that waiting cannot fail.
        drop(self.network.subscribe().wait_for(|there| !*there).await);
    }

    /// What may leave of it.
    fn question(&self, asked: &Asked) -> Result<Question, Why> {
        if let Some(why) = self.refusal(asked) {
            return Err(why);
        }
        if asked.words.trim().is_empty() {
            return Err(Why::NoWords);
        }
        let words = asked.words.as_str();
        let (mut question, text) = if asked.spoken {
            let consent = self.consents.take::<Transcript>().ok_or(Why::NoConsent(Kind::Transcript))?;
            (Question::new(&consent, words), None)
        } else {
            let consent = self.consents.take::<Text>().ok_or(Why::NoConsent(Kind::Text))?;
            (Question::new(&consent, words), Some(consent))
        };
        if !asked.pictures.is_empty()
            && let Some(consent) = self.consents.take::<PictureScope>()
        {
            let show = |question: Question, picture| question.with_picture(&consent, Arc::clone(picture));
            question = asked.pictures.iter().fold(question, show);
        }
        if let Some(description) = &asked.description
            && let Some(consent) = text.or_else(|| self.consents.take::<Text>())
        {
            question = question.with_description(&consent, description);
        }
        Ok(question)
    }
}
