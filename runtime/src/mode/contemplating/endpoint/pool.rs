use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::super::budget::Meter;
use super::super::error::{Error, ErrorKind, Result};
use super::super::event::Voice;
use super::super::ledger::Ledger;
use super::super::request::Request;
use super::{Endpoint, Errand, Reply, Settings};

/// How often each server is asked at most.
const ROUNDS: u32 = 3;
/// The wait before the second round is between half of this and all of it; it doubles with each round.
const BACK_OFF: Duration = Duration::from_millis(400);

/// Servers, in the order in which they are asked.
#[derive(Debug)]
pub struct Endpoints(Vec<Endpoint>);

impl Endpoints {
    /// Files that settings name are looked for in `folder`.
    ///
    /// # Errors
    /// What the settings, the keys and the certificates are wrong in.
    pub fn new(settings: Vec<Settings>, folder: &Path) -> crate::Result<Self> {
        settings
            .into_iter()
            .map(|settings| Endpoint::new(settings, folder))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the models of all see, so that a description is of no use to any.
    pub(in super::super) fn see(&self) -> bool {
        self.0.iter().all(|endpoint| endpoint.settings.pictures)
    }

    /// Forgets which servers could not be reached: the network is another.
    pub fn network_changed(&self) {
        self.0.iter().for_each(|endpoint| endpoint.availability.forget());
    }

    /// Asks the first server, and the next when that cannot answer; servers that may do better another time are asked
    /// again after a while. An answer that broke off is gone on with where a server can do that; otherwise what came
    /// is the answer, unless only a whole one is of use.
    ///
    /// # Errors
    /// What went wrong last, when nothing came that is of use by `deadline`; [`ErrorKind::Revoked`] in any case.
    pub(in super::super) async fn ask(
        &self,
        request: &Request,
        ledger: &Ledger,
        meter: &Meter,
        voice: &Voice,
        deadline: Instant,
    ) -> Result<Reply> {
        let mut reply = Reply::default();
        let errand = Errand { request, ledger, meter, voice };
        let attempts = timeout_at(deadline, self.attempts(errand, deadline, &mut reply));
        let outcome = tokio::select! {
            biased;
            () = request.question.revoked() => return Err(Error::new(ErrorKind::Revoked, "")),
            outcome = attempts => outcome,
        };
        let too_late = |_| Error::new(ErrorKind::TimedOut, "");
        match outcome.map_err(too_late).flatten() {
            Ok(()) => Ok(reply),
            Err(e) if reply.text.is_empty() || request.wants_whole() => Err(e),
            Err(e) => {
                // A call whose end is missing is none.
                reply.calls.clear();
                reply.broken = Some(e);
                Ok(reply)
            }
        }
    }

    async fn attempts(&self, errand: Errand<'_>, deadline: Instant, reply: &mut Reply) -> Result<()> {
        let mut error = Error::new(ErrorKind::Offline, "no endpoint is configured");
        for round in 0..ROUNDS {
            match self.round(errand, reply).await {
                Ok(()) => return Ok(()),
                Err((e, again)) => {
                    error = e;
                    let goes_on = reply.is_empty() || self.0.iter().any(|endpoint| endpoint.settings.resume);
                    if !again || !goes_on {
                        break;
                    }
                }
            }
            let Some(wait) = self.0.iter().filter_map(|endpoint| endpoint.availability.wait()).min() else {
                break;
            };
            let wait = wait.max(jittered(BACK_OFF * 2u32.pow(round)));
            if round + 1 == ROUNDS || Instant::now() + wait >= deadline {
                break;
            }
            sleep(wait).await;
        }
        Err(error)
    }

    /// Asks each server once. With the error comes whether asking again may help.
    async fn round(&self, errand: Errand<'_>, reply: &mut Reply) -> Result<(), (Error, bool)> {
        let mut again = false;
        let mut error = Error::new(ErrorKind::Offline, "no endpoint is configured");
        for endpoint in &self.0 {
            if !reply.is_empty() && !endpoint.settings.resume {
                continue;
            }
            if let Err(e) = endpoint.availability.check() {
                again |= e.kind().is_passing();
                error = e.at(&endpoint.settings.name);
                continue;
            }
            match endpoint.send(errand, reply).await {
                Ok(()) => return Ok(()),
                Err(e) if e.kind().is_final() => return Err((e, false)),
                Err(e) => {
                    again |= e.kind().is_passing();
                    error = e;
                }
            }
            if reply.text.is_empty() || errand.request.wants_whole() {
                *reply = Reply::default();
            } else {
                reply.calls.clear();
            }
        }
        Err((error, again))
    }
}

/// Between half of `wait` and all of it, so that those who were refused together do not come back together.
fn jittered(wait: Duration) -> Duration {
    let dice = RandomState::new().hash_one(0u8) as u32;
    wait.mul_f64(0.5 + 0.5 * f64::from(dice) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_differ_within_their_bounds() {
        let waits: Vec<_> = (0..50).map(|_| jittered(BACK_OFF)).collect();
        assert!(waits.iter().all(|wait| (BACK_OFF / 2..=BACK_OFF).contains(wait)));
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }
}
