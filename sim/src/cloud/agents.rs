//! Agents at endpoints, what they may be told, and the ledger of what they were.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use lorgnette_device::clock::Clock;
use lorgnette_runtime::live::Contemplating;
use lorgnette_runtime::mode::Mode;
use lorgnette_runtime::mode::contemplating::{Config, Consents, Contemplator, Kind, Ledger, State, Term};

use super::{Allowed, Left};
use crate::Result;
use crate::brain::Brain;

/// Who is asked in the mode `contemplating`. Clones are the same.
#[derive(Clone, Default)]
pub struct Cloud {
    agents: Option<Arc<Agents>>,
}

struct Agents {
    contemplator: Arc<Contemplator>,
    consents: Arc<Consents>,
    ledger: PathBuf,
    /// When the simulator began, in milliseconds since 1970.
    began: i64,
    /// What had left when somebody looked last.
    left: Mutex<Left>,
}

/// The mode in which agents are asked.
pub fn contemplating() -> Option<Mode> {
    Some(Mode::Contemplating)
}

impl Cloud {
    /// The endpoints of `config`, with the ledger at `ledger`. Where there are no endpoints nobody is asked, and each
    /// answer says so.
    ///
    /// # Errors
    /// As [`Contemplator::new`] and [`Ledger::open`].
    pub fn open(config: &Config, ledger: &Path) -> Result<Self> {
        if config.endpoints.is_empty() {
            return Ok(Self::default());
        }
        let consents = Arc::new(config.consents());
        let contemplator = Contemplator::new(config, Arc::clone(&consents), Ledger::open(ledger)?)?;
        let (contemplator, ledger) = (Arc::new(contemplator), ledger.to_owned());
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        let agents = Agents { contemplator, consents, ledger, began, left: Mutex::default() };
        Ok(Self { agents: Some(Arc::new(agents)) })
    }

    /// Whether there is anybody to ask.
    pub fn is_there(&self) -> bool {
        self.agents.is_some()
    }

    /// What may leave.
    pub fn allowed(&self) -> Allowed {
        let allows = |kind| self.agents.as_ref().is_some_and(|agents| agents.consents.allows(kind));
        let [text, transcript, picture] = Kind::ALL.map(allows);
        Allowed { text, transcript, picture }
    }

    /// The wearer allows that, and nothing else, until it is said otherwise. What is taken back stops at once.
    pub fn allow(&self, allowed: Allowed) {
        let Some(agents) = &self.agents else { return };
        let Allowed { text, transcript, picture } = allowed;
        for (kind, allowed) in Kind::ALL.into_iter().zip([text, transcript, picture]) {
            match (agents.consents.allows(kind), allowed) {
                (false, true) => agents.consents.allow(kind, Term::Conversation),
                (true, false) => agents.consents.revoke(kind),
                _ => {}
            }
        }
    }

    /// Whether there is a network.
    pub fn set_network(&self, there: bool) {
        self.agents.iter().for_each(|agents| agents.contemplator.set_network(there));
    }

    /// `brain`, which asks agents where that is the mode.
    ///
    /// # Errors
    /// As [`Contemplating::new`].
    pub fn around(&self, brain: Brain, clock: Arc<dyn Clock>) -> Result<Brain> {
        let contemplator = self.agents.as_ref().map(|agents| Arc::clone(&agents.contemplator));
        let (cancel, model) = (brain.cancel.clone(), brain.model.clone());
        let worker = Box::new(Contemplating::new(brain, cancel.clone(), contemplator, clock)?);
        Ok(Brain { worker, cancel, model })
    }

    /// What had left when somebody looked last.
    pub fn left(&self) -> Left {
        self.agents.as_ref().map_or_else(Left::default, |agents| agents.lock().clone())
    }

    /// Looks what left; that, where it is not what it was.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn look(&self) -> Result<Option<Left>> {
        let Some(agents) = &self.agents else { return Ok(None) };
        let left = agents.read()?;
        let mut before = agents.lock();
        let news = (*before != left).then(|| left.clone());
        *before = left;
        Ok(news)
    }
}

impl Agents {
    fn read(&self) -> Result<Left> {
        let mut records = Ledger::read(&self.ledger)?;
        records.retain(|record| record.time_ms >= self.began);
        let left = records.iter().filter(|record| record.state != State::Unsent);
        let bytes = left.map(|record| u64::try_from(record.bytes).unwrap_or(0)).sum();
        let records = records.iter().map(|record| serde_json::to_value(record).unwrap_or_default());
        Ok(Left { bytes, records: records.collect() })
    }

    fn lock(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
