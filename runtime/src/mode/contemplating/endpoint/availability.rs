use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::super::error::{Error, ErrorKind, Result};

/// For how long a server that could not be reached is not tried again.
pub const OFFLINE: Duration = Duration::from_secs(30);
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Whether a server is worth asking, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Availability(Mutex<Option<Shut>>);

#[derive(Clone, Copy, Debug)]
struct Shut {
    until: Instant,
    why: ErrorKind,
}

impl Availability {
    /// # Errors
    /// Why it should not be asked now.
    pub(super) fn check(&self) -> Result<()> {
        match self.shut() {
            Some(shut) => Err(Error::new(shut.why, "as it was shortly before")),
            None => Ok(()),
        }
    }

    /// How long to wait before it can be asked; `None` when it is out of reach.
    pub(super) fn wait(&self) -> Option<Duration> {
        match self.shut() {
            Some(Shut { why: ErrorKind::Offline | ErrorKind::Portal, .. }) => None,
            Some(shut) => Some(shut.until.saturating_duration_since(Instant::now())),
            None => Some(Duration::ZERO),
        }
    }

    /// Keeps in mind what came of a request. `wait` is what the server asked for.
    pub(super) fn learn(&self, outcome: Result<(), ErrorKind>, wait: Option<Duration>) {
        let (why, time) = match (outcome, wait) {
            (Err(why @ (ErrorKind::Offline | ErrorKind::Portal)), _) => (why, OFFLINE),
            (Err(why), Some(wait)) => (why, wait.min(LONGEST_WAIT)),
            _ => return,
        };
        let shut = Shut { until: Instant::now() + time, why };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(shut);
    }

    /// Forgets what was.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn shut(&self) -> Option<Shut> {
        let shut = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shut.filter(|shut| shut.until > Instant::now())
    }
}

/// What a `Retry-After` header asks for: seconds, or a date.
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(Duration::from_secs(seconds_of_date(value)?).saturating_sub(now))
}

/// Seconds from 1970 to a date like `Sun, 06 Nov 1994 08:49:37 GMT`.
fn seconds_of_date(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = date.split_once(", ")?;
    let mut words = date.split(' ');
    let day: u64 = words.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok().filter(|year| (1970..=9999).contains(year))?;
    let mut time = words.next()?.split(':').map(|part| part.parse::<u64>().ok().filter(|part| *part < 61));
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    // March is the first month, so that the day that is sometimes missing comes last (Howard Hinnant, `days_from_civil`).
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_of_years = 365 * shifted_year + shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    let days = days_of_years + (153 * shifted_month + 2) / 5 + day - 1;
    // From 1 March of the year 0 to 1970.
    let days = days.checked_sub(719_468)?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(seconds_of_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds_of_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds_of_date("Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        for wrong in ["", "soon", "-3", "Sun, 06 Nov", "Sun, 99 Nov 1994 08:49:37 GMT", "x, 1 Jan 1 1:1:1"] {
            assert_eq!(retry_after(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_could_not_be_reached_is_left_alone_for_a_while() {
        let availability = Availability::default();
        availability.learn(Err(ErrorKind::Failing), None);
        assert!(availability.check().is_ok());
        availability.learn(Err(ErrorKind::RateLimited), Some(Duration::from_secs(90)));
        assert!(availability.wait() > Some(Duration::from_secs(80)));
        availability.learn(Err(ErrorKind::Offline), None);
        assert_eq!(availability.check().unwrap_err().kind(), ErrorKind::Offline);
        assert_eq!(availability.wait(), None);
        availability.forget();
        assert!(availability.check().is_ok());
    }
}
