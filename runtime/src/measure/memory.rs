//! How much memory a process took.

/// Bytes of memory that this process had resident at most, mapped files among them: `VmHWM` of Linux. `None` where
/// the system does not say.
pub fn peak_memory() -> Option<u64> {
    high_water_mark(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn high_water_mark(status: &str) -> Option<u64> {
    let field = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    field.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_read_or_not_there() {
        assert_eq!(high_water_mark("Name:\tx\nVmPeak:\t  99 kB\nVmHWM:\t    12 kB\n"), Some(12 << 10));
        for odd in ["", "VmHWM:\n", "VmHWM: 12 MB\n", "VmHWM: -1 kB\n", "VmHWM: 18446744073709551615 kB\n"] {
            assert_eq!(high_water_mark(odd), None, "{odd}");
        }
    }
}
