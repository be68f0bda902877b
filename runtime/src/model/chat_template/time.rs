//! The date as templates write it.

use std::fmt::Write;

/// A time on the wall where the user is. Rendering asks no clock: the same time gives the same prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// Year of the common era.
    pub year: u32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// Days of a common year before each month.
const BEFORE: [u32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

impl LocalTime {
    /// The time as C's `strftime` writes it in the C locale. A code that is not known stays as it is.
    pub(super) fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars().peekable();
        while let Some(char) = chars.next() {
            if char != '%' {
                out.push(char);
                continue;
            }
            let unpadded = chars.next_if_eq(&'-').is_some();
            match chars.next() {
                Some(code) => self.write_code(code, unpadded, &mut out),
                None => out.push('%'),
            }
        }
        out
    }

    fn write_code(&self, code: char, unpadded: bool, out: &mut String) {
        let mut number = |value: u32, width: usize| {
            let width = if unpadded { 0 } else { width };
            // Writing to a string does not fail.
            let _ = write!(out, "{value:0width$}");
        };
        let short = |name: &'static str| &name[..3];
        let text = match code {
            'Y' => return number(self.year, 4),
            'y' => return number(self.year % 100, 2),
            'm' => return number(self.month, 2),
            'd' => return number(self.day, 2),
            'H' => return number(self.hour, 2),
            'I' => return number((self.hour + 11) % 12 + 1, 2),
            'M' => return number(self.minute, 2),
            'S' => return number(self.second, 2),
            'j' => return number(self.day_of_year(), 3),
            'B' => self.month_name(),
            'b' | 'h' => short(self.month_name()),
            'A' => self.weekday(),
            'a' => short(self.weekday()),
            'p' => {
                if self.hour % 24 < 12 {
                    "AM"
                } else {
                    "PM"
                }
            }
            'F' => return out.push_str(&self.format("%Y-%m-%d")),
            'T' => return out.push_str(&self.format("%H:%M:%S")),
            '%' => "%",
            other => return out.extend(['%', other]),
        };
        out.push_str(text);
    }

    fn month_index(&self) -> usize {
        (self.month.clamp(1, 12) - 1) as usize
    }

    fn month_name(&self) -> &'static str {
        MONTHS[self.month_index()]
    }

    fn day_of_year(&self) -> u32 {
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        BEFORE[self.month_index()] + self.day + u32::from(leap && self.month > 2)
    }

    /// Days since 1 January of year 1, a Monday, in the Gregorian calendar.
    fn weekday(&self) -> &'static str {
        let years = u64::from(self.year.saturating_sub(1));
        let days = years * 365 + years / 4 - years / 100 + years / 400 + u64::from(self.day_of_year());
        DAYS[(days % 7) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_strftime_does() {
        let time = LocalTime { year: 2024, month: 7, day: 26, hour: 0, minute: 5, second: 9 };
        let cases = [
            ("%d %b %Y", "26 Jul 2024"),
            ("%A, %B %-d, %y %j", "Friday, July 26, 24 208"),
            ("%I:%M:%S %p 100%% %q %", "12:05:09 AM 100% %q %"),
        ];
        for (format, expected) in cases {
            assert_eq!(time.format(format), expected);
        }
        let new_year = LocalTime { year: 2000, month: 1, day: 1, ..time };
        assert_eq!(new_year.format("%a %F %T"), "Sat 2000-01-01 00:05:09");
    }
}
