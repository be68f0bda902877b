//! What processors use, as RAPL counts it.

use std::collections::BTreeMap;
use std::path::Path;

use super::folder::Folder;

/// Adds up the counters of `class/powercap`, which start anywhere and wrap.
pub(super) struct Energy {
    /// The last value of each counter, in microjoules.
    last: BTreeMap<String, u64>,
    /// The sum, as long as it is known.
    microjoules: Option<u64>,
}

impl Energy {
    pub(super) fn new() -> Self {
        Self { last: BTreeMap::new(), microjoules: Some(0) }
    }

    /// Joules since the first call; `None` where there are no counters or one of them cannot be read, and from when on
    /// one has wrapped without saying where or has started anew. A counter that goes more than half-way round between
    /// two calls is taken for one that has started anew; that takes about half an hour.
    pub(super) fn read(&mut self, root: &Path) -> Option<f64> {
        let counters = packages(root);
        let readings: Vec<(String, u64)> =
            counters.iter().map(|it| Some((it.name(), it.number("energy_uj")?))).collect::<Option<_>>()?;
        if readings.is_empty() {
            return None;
        }
        for (counter, (name, now)) in counters.iter().zip(readings) {
            let used = match self.last.insert(name, now) {
                None => Some(0),
                Some(last) if last <= now => Some(now - last),
                Some(last) => {
                    counter.number::<u64>("max_energy_range_uj").and_then(|max| wrapped(last, now, max))
                }
            };
            self.microjoules = self.microjoules.zip(used).map(|(sum, used)| sum.saturating_add(used));
        }
        self.microjoules.map(|sum| sum as f64 / 1e6)
    }
}

/// What a counter that wraps after `max` counted from `last` to a smaller `now`; `None` when it has not wrapped but
/// started anew, as after a sleep of the machine.
fn wrapped(last: u64, now: u64, max: u64) -> Option<u64> {
    max.checked_sub(last)?.checked_add(now).filter(|used| *used <= max / 2)
}

/// The counters of whole processors; those of their parts and of the platform count the same again.
fn packages(root: &Path) -> Vec<Folder> {
    let mut domains = Folder::all(&root.join("class/powercap"), "intel-rapl:");
    domains.retain(|domain| domain.text("name").is_some_and(|name| name.starts_with("package")));
    domains
}
