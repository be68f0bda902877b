use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{Error, ErrorKind, Result};

/// Below this an answer is of no use, and is not asked for.
const FEWEST_TOKENS: u32 = 32;

/// What one question may take.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Seconds from the question to the end of the answer.
    pub seconds: f64,
    /// Tokens read and written by all models together.
    pub tokens: u32,
    /// Money, in the currency in which the endpoints state their prices.
    pub cost: f64,
    /// Agents at most, from 1 to 6.
    pub agents: usize,
    /// Seconds for an agent.
    pub agent_seconds: f64,
    /// Tokens that an agent may write in one request.
    pub agent_tokens: u32,
    /// Tool calls of an agent.
    pub agent_calls: usize,
    /// Tokens of the answer.
    pub answer_tokens: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            seconds: 60.0,
            tokens: 40_000,
            cost: 0.1,
            agents: 4,
            agent_seconds: 25.0,
            agent_tokens: 1024,
            agent_calls: 4,
            answer_tokens: 400,
        }
    }
}

impl Budget {
    pub(super) fn check(&self) -> crate::Result<()> {
        let malformed = |field: &str, found: f64, expected: &str| {
            Err(crate::Error::malformed(format!("budget.{field}"), found, expected))
        };
        for (field, seconds) in [("seconds", self.seconds), ("agent_seconds", self.agent_seconds)] {
            if !(0.1..=3600.0).contains(&seconds) {
                return malformed(field, seconds, "0.1 to 3600");
            }
        }
        if !(1..=6).contains(&self.agents) {
            return malformed("agents", self.agents as f64, "1 to 6");
        }
        if !(self.cost.is_finite() && self.cost >= 0.0) {
            return malformed("cost", self.cost, "at least 0");
        }
        Ok(())
    }

    pub(super) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub(super) fn agent_time(&self) -> Duration {
        Duration::from_secs_f64(self.agent_seconds)
    }
}

/// What tokens cost, for a million of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Those that are read.
    pub input: f64,
    /// Those that are written.
    pub output: f64,
}

impl Price {
    fn of(self, tokens: Tokens) -> f64 {
        (f64::from(tokens.input) * self.input + f64::from(tokens.output) * self.output) / 1e6
    }
}

/// Tokens of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Those that are read.
    pub(super) input: u32,
    /// Those that are written.
    pub(super) output: u32,
}

/// What a question took so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spending {
    /// Requests that were sent.
    pub requests: u32,
    /// Tokens read: what servers reported, or an estimate for those that did not.
    pub input_tokens: u32,
    /// Tokens written, likewise.
    pub output_tokens: u32,
    /// Money.
    pub cost: f64,
}

/// Counts what a question takes, and holds it to its budget: what a request may take at most is set aside before it is
/// sent, so that those under way together cannot pass the bound.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tokens: u32,
    cost: f64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spent: Spending,
    reserved_tokens: u32,
    reserved_cost: f64,
}

impl Meter {
    pub(super) fn new(budget: &Budget) -> Self {
        Self(Arc::new(Inner { tokens: budget.tokens, cost: budget.cost, state: Mutex::default() }))
    }

    pub(super) fn spent(&self) -> Spending {
        self.state().spent
    }

    /// Tokens that are neither spent nor set aside.
    pub(super) fn tokens_left(&self) -> u32 {
        let state = self.state();
        let spent = state.spent.input_tokens.saturating_add(state.spent.output_tokens);
        self.0.tokens.saturating_sub(spent).saturating_sub(state.reserved_tokens)
    }

    /// Sets aside what a request takes that reads about `wanted.input` tokens and writes at most `wanted.output`; fewer
    /// where no more are left.
    pub(super) fn reserve(&self, price: Price, wanted: Tokens) -> Result<Reservation> {
        let left = self.tokens_left();
        let mut state = self.state();
        let mut output = left.saturating_sub(wanted.input).min(wanted.output);
        let money =
            self.0.cost - state.spent.cost - state.reserved_cost - price.of(Tokens { output: 0, ..wanted });
        if price.output > 0.0 {
            output = output.min((money / price.output * 1e6).clamp(0.0, f64::from(u32::MAX)) as u32);
        }
        if output < FEWEST_TOKENS.min(wanted.output) || money < 0.0 {
            let detail = format!("{left} of {} tokens are left", self.0.tokens);
            return Err(Error::new(ErrorKind::Budget, detail));
        }
        let tokens = Tokens { output, ..wanted };
        state.reserved_tokens += tokens.input + tokens.output;
        state.reserved_cost += price.of(tokens);
        Ok(Reservation { meter: self.clone(), price, reserved: tokens, spent: None })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is set aside for a request; what it took is counted when this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    meter: Meter,
    price: Price,
    reserved: Tokens,
    spent: Option<Tokens>,
}

impl Reservation {
    /// Tokens that may be written.
    pub(super) fn output(&self) -> u32 {
        self.reserved.output
    }

    /// Tokens that are read, as estimated.
    pub(super) fn input(&self) -> u32 {
        self.reserved.input
    }

    /// What was taken so far.
    pub(super) fn spend(&mut self, tokens: Tokens) {
        self.spent = Some(tokens);
    }

    /// Nothing was sent after all.
    pub(super) fn forget(&mut self) {
        self.spent = None;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.meter.state();
        state.reserved_tokens -= self.reserved.input + self.reserved.output;
        state.reserved_cost = (state.reserved_cost - self.price.of(self.reserved)).max(0.0);
        if let Some(spent) = self.spent {
            let total = &mut state.spent;
            total.requests += 1;
            total.input_tokens = total.input_tokens.saturating_add(spent.input);
            total.output_tokens = total.output_tokens.saturating_add(spent.output);
            total.cost += self.price.of(spent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(tokens: u32, cost: f64) -> Meter {
        Meter::new(&Budget { tokens, cost, ..Budget::default() })
    }

    #[test]
    fn requests_under_way_together_cannot_pass_the_bound() {
        let meter = meter(1000, 1.0);
        let wanted = Tokens { input: 200, output: 400 };
        let first = meter.reserve(Price::default(), wanted).unwrap();
        let second = meter.reserve(Price::default(), wanted).unwrap();
        assert_eq!((first.output(), second.output()), (400, 200));
        let third = meter.reserve(Price::default(), wanted).unwrap_err();
        assert_eq!(third.kind(), ErrorKind::Budget);
        drop((first, second));
        assert_eq!(meter.spent(), Spending::default());
        assert_eq!(meter.tokens_left(), 1000);
    }

    #[test]
    fn money_bounds_as_tokens_do() {
        let price = Price { input: 1.0, output: 10.0 };
        let meter = meter(u32::MAX, 0.002);
        let mut first = meter.reserve(price, Tokens { input: 1000, output: 1000 }).unwrap();
        assert_eq!(first.output(), 100);
        first.spend(Tokens { input: 1000, output: 50 });
        drop(first);
        assert!((meter.spent().cost - 0.0015).abs() < 1e-9);
        let refused = meter.reserve(price, Tokens { input: 1000, output: 1000 }).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Budget);
    }
}
