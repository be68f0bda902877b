//! Which microphones there are.

use std::fmt;
use std::ops::RangeInclusive;

use ::cpal::traits::{DeviceTrait, HostTrait};
use ::cpal::{Device, SampleFormat, SupportedBufferSize, SupportedStreamConfigRange};

use crate::error::{Error, ErrorKind, Result, printable};
use crate::microphone::Format;

/// A microphone, or something else that sound can be had from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What programs call it, such as `alsa:hw:CARD=0,DEV=0`; the same after a restart.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether it is listened to when none is chosen.
    pub is_default: bool,
    /// In what formats it can be listened to, or why in none: somebody else may be listening.
    pub formats: Result<Vec<DeviceFormat>, String>,
}

/// Formats of one device that differ only in their rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFormat {
    /// Samples in a frame.
    pub channels: u16,
    /// Frames a second.
    pub rates: RangeInclusive<u32>,
    /// What a sample is.
    pub samples: SampleType,
}

/// What a sample is on its way from the device: an integer or a floating-point number of so many bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleType(pub(super) SampleFormat);

impl SampleType {
    /// 16-bit integers.
    pub const I16: Self = Self(SampleFormat::I16);
    /// 32-bit floats.
    pub const F32: Self = Self(SampleFormat::F32);

    /// # Errors
    /// [`ErrorKind::Unsupported`] for pulse density and 64-bit integers, which no microphone gives.
    pub(super) fn of(format: SampleFormat) -> Result<Self> {
        if format.is_dsd() || matches!(format, SampleFormat::I64 | SampleFormat::U64 | SampleFormat::U24) {
            return Err(Error::new(ErrorKind::Unsupported, format!("cannot take samples of {format}")));
        }
        Ok(Self(format))
    }
}

/// As in `i16`, `f32`.
impl fmt::Display for SampleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The microphones of this machine, the default one first. Asking for their formats opens each for a moment; those that
/// are not there although somebody has set them up are left out.
///
/// # Errors
/// [`ErrorKind::NotFound`] where there is no sound system, [`ErrorKind::Io`] for what else it says.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    quiet();
    let host = ::cpal::default_host();
    let default = host.default_input_device();
    let others = host.input_devices().map_err(super::at_opening)?.filter(|it| Some(it) != default.as_ref());
    let default_info = default.iter().filter_map(|device| info(device, true));
    Ok(default_info.chain(others.filter_map(|device| info(&device, false))).collect())
}

/// The device with that id or name, or the default one.
pub(super) fn choose(choice: Option<&str>) -> Result<Device> {
    let host = ::cpal::default_host();
    let Some(choice) = choice else {
        let none = || Error::new(ErrorKind::NotFound, "there is no default microphone");
        return host.default_input_device().ok_or_else(none);
    };
    let mut devices = host.input_devices().map_err(super::at_opening)?;
    let is_meant = |device: &Device| name(device) == choice || id(device).as_deref() == Some(choice);
    devices
        .find(is_meant)
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such microphone").of(choice))
}

/// How many frames a block of that format may have on a device.
///
/// # Errors
/// [`ErrorKind::Unsupported`] when the device does not give that format.
pub(super) fn offer(device: &Device, format: Format, samples: SampleType) -> Result<SupportedBufferSize> {
    let mut configs = device.supported_input_configs().map_err(super::at_opening)?;
    let fits = |config: &SupportedStreamConfigRange| {
        (config.channels(), config.sample_format()) == (format.channels, samples.0)
            && config.contains_rate(format.rate)
    };
    let Format { rate, channels } = format;
    let missing = || format!("the device does not give {channels} channels of {samples} at {rate} Hz");
    let config = configs.find(fits).ok_or_else(|| Error::new(ErrorKind::Unsupported, missing()))?;
    Ok(*config.buffer_size())
}

/// Keeps alsa-lib from writing to stderr what it also returns, in this thread.
pub(super) fn quiet() {
    #[cfg(target_os = "linux")]
    drop(alsa::Output::local_error_handler());
}

/// What there is to say of a device; nothing of one that is not there or only plays, and of ALSA's source of silence.
fn info(device: &Device, is_default: bool) -> Option<DeviceInfo> {
    let id = id(device).filter(|id| id != "alsa:null")?;
    let formats = match device.supported_input_configs() {
        Ok(configs) => Ok(configs.filter_map(|config| format(&config)).collect()),
        Err(error) => match super::category(error.kind()) {
            ErrorKind::Gone | ErrorKind::Unsupported => return None,
            _ => Err(printable(&error.to_string())),
        },
    };
    Some(DeviceInfo { id, name: name(device), is_default, formats })
}

/// A format that can be taken.
fn format(config: &SupportedStreamConfigRange) -> Option<DeviceFormat> {
    Some(DeviceFormat {
        channels: config.channels(),
        rates: config.min_sample_rate()..=config.max_sample_rate(),
        samples: SampleType::of(config.sample_format()).ok()?,
    })
}

fn id(device: &Device) -> Option<String> {
    device.id().ok().map(|id| printable(&id.to_string()))
}

/// What people call a device.
pub(super) fn name(device: &Device) -> String {
    printable(&device.to_string())
}
