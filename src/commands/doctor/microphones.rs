//! Microphones, and how they give sound.

use std::fmt;
use std::ops::RangeInclusive;

use lorgnette_device::microphone::cpal::{self, DeviceFormat, DeviceInfo};
use serde::Serialize;

/// All microphones, or why nobody can say which there are.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Microphones {
    Found(Vec<Microphone>),
    Error { error: String },
}

#[derive(Serialize)]
pub(super) struct Microphone {
    id: String,
    name: String,
    default: bool,
    #[serde(flatten)]
    offers: Offers,
}

/// How sound can be had, or why it cannot now.
#[derive(Serialize)]
#[serde(untagged)]
enum Offers {
    Formats { formats: Vec<Offer> },
    Error { error: String },
}

/// Formats with the same samples and rates.
#[derive(Serialize)]
struct Offer {
    samples: String,
    channels: Vec<u16>,
    hertz: RangeInclusive<u32>,
}

impl Microphones {
    pub(super) fn find() -> Self {
        match cpal::devices() {
            Ok(devices) => Self::Found(devices.into_iter().map(Microphone::from).collect()),
            Err(error) => Self::Error { error: error.to_string() },
        }
    }
}

impl From<DeviceInfo> for Microphone {
    fn from(device: DeviceInfo) -> Self {
        let offers = match device.formats {
            Ok(formats) => Offers::Formats { formats: by_samples(&formats) },
            Err(error) => Offers::Error { error },
        };
        Self { id: device.id, name: device.name, default: device.is_default, offers }
    }
}

/// Formats that come one after the other and differ only in their channels, as one offer.
fn by_samples(formats: &[DeviceFormat]) -> Vec<Offer> {
    let same = |a: &DeviceFormat, b: &DeviceFormat| (a.samples, &a.rates) == (b.samples, &b.rates);
    let offer = |formats: &[DeviceFormat]| Offer {
        samples: formats[0].samples.to_string(),
        channels: formats.iter().map(|format| format.channels).collect(),
        hertz: formats[0].rates.clone(),
    };
    formats.chunk_by(same).map(offer).collect()
}

impl fmt::Display for Microphones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(found) if found.is_empty() => writeln!(f, "  no microphone"),
            Self::Found(found) => found.iter().try_for_each(|microphone| microphone.fmt(f)),
            Self::Error { error } => writeln!(f, "  {error}"),
        }
    }
}

impl fmt::Display for Microphone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = if self.default { " (default)" } else { "" };
        writeln!(f, "  {}  {}{default}", self.id, self.name)?;
        match &self.offers {
            Offers::Formats { formats } => formats.iter().try_for_each(|offer| offer.fmt(f)),
            Offers::Error { error } => writeln!(f, "    {error}"),
        }
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = match &self.channels[..] {
            [1] => "1 channel".to_owned(),
            [first, .., last] => format!("{first} to {last} channels"),
            others => format!("{others:?} channels"),
        };
        let (low, high) = (self.hertz.start(), self.hertz.end());
        let hertz = if low == high { low.to_string() } else { format!("{low} to {high}") };
        writeln!(f, "    {}  {channels} at {hertz} Hz", self.samples)
    }
}
