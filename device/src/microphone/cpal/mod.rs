//! Microphones of this machine, by cpal: ALSA on Linux, and with it PulseAudio and PipeWire.

mod devices;

use std::sync::Arc;
use std::time::Duration;

use ::cpal::traits::{DeviceTrait, StreamTrait};
use ::cpal::{
    BufferSize, Device, FromSample, I24, InputCallbackInfo, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedBufferSize,
};

use super::ring::{Intake, Signals, ring};
use super::{CHUNK_TIME, Driver, Format, LiveMicrophone, Mute, Opened};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

pub use devices::{DeviceFormat, DeviceInfo, SampleType, devices};

/// Opens a microphone of this machine.
#[derive(Clone)]
pub struct CpalDriver {
    clock: Arc<dyn Clock>,
    choice: Option<String>,
    format: Option<(Format, SampleType)>,
    block: Duration,
}

/// How long cpal may wait for a device before it asks whether it is still there.
const TIMEOUT: Duration = Duration::from_millis(500);

impl CpalDriver {
    /// The default microphone, in the format that the system prefers for it.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, choice: None, format: None, block: CHUNK_TIME }
    }

    /// The microphone with this [`DeviceInfo::id`] or [`DeviceInfo::name`] instead of the default one.
    #[must_use]
    pub fn device(self, choice: impl Into<String>) -> Self {
        Self { choice: Some(choice.into()), ..self }
    }

    /// Another format.
    #[must_use]
    pub fn format(self, format: Format, samples: SampleType) -> Self {
        Self { format: Some((format, samples)), ..self }
    }

    /// Blocks that last about so long, as far as the device allows, instead of 20 ms. Sound is lost when the system
    /// comes later than a block lasts; where that happens, as in emulators, longer ones help.
    #[must_use]
    pub fn block(self, block: Duration) -> Self {
        Self { block, ..self }
    }

    /// The microphone.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such device; [`ErrorKind::Busy`], [`ErrorKind::Denied`] and
    /// [`ErrorKind::Unsupported`] as the system says; [`ErrorKind::Io`] for what else it says.
    pub fn microphone(self) -> Result<LiveMicrophone<Self>> {
        let clock = self.clock.clone();
        LiveMicrophone::new(self, clock)
    }

    fn config(&self, device: &Device) -> Result<(StreamConfig, SampleType)> {
        let (format, samples) = match self.format {
            Some(wanted) => wanted,
            None => {
                let config = device.default_input_config().map_err(at_opening)?;
                let format = Format { rate: config.sample_rate(), channels: config.channels() };
                (format, SampleType::of(config.sample_format())?)
            }
        };
        let buffer_size = self.buffer_size(devices::offer(device, format, samples)?, format);
        Ok((StreamConfig { channels: format.channels, sample_rate: format.rate, buffer_size }, samples))
    }

    /// A block in frames, within what a device offers.
    fn buffer_size(&self, offered: SupportedBufferSize, format: Format) -> BufferSize {
        let frames = (self.block.as_secs_f64() * f64::from(format.rate)) as u32;
        match offered {
            SupportedBufferSize::Range { min, max } => BufferSize::Fixed(frames.min(max).max(min)),
            SupportedBufferSize::Unknown => BufferSize::Default,
        }
    }

    fn stream(&self, device: &Device, mute: &Mute) -> Result<Opened> {
        let (config, samples) = self.config(device)?;
        let (intake, outlet) = ring(Format { rate: config.sample_rate, channels: config.channels }, mute)?;
        let clock = self.clock.clone();
        let stream = match samples.0 {
            SampleFormat::I8 => listen::<i8>(device, config, intake, clock),
            SampleFormat::I16 => listen::<i16>(device, config, intake, clock),
            SampleFormat::I24 => listen::<I24>(device, config, intake, clock),
            SampleFormat::I32 => listen::<i32>(device, config, intake, clock),
            SampleFormat::U8 => listen::<u8>(device, config, intake, clock),
            SampleFormat::U16 => listen::<u16>(device, config, intake, clock),
            SampleFormat::U32 => listen::<u32>(device, config, intake, clock),
            SampleFormat::F64 => listen::<f64>(device, config, intake, clock),
            _ => listen::<f32>(device, config, intake, clock),
        }?;
        Ok(Opened { device: devices::name(device), outlet, stream: Box::new(stream) })
    }
}

impl Driver for CpalDriver {
    fn open(&mut self, mute: &Mute) -> Result<Opened> {
        devices::quiet();
        let device = devices::choose(self.choice.as_deref())?;
        self.stream(&device, mute).map_err(|error| error.of(devices::name(&device)))
    }
}

/// Lets a device fill a ring.
fn listen<S>(
    device: &Device,
    config: StreamConfig,
    mut intake: Intake,
    clock: Arc<dyn Clock>,
) -> Result<Stream>
where
    S: SizedSample,
    f32: FromSample<S>,
{
    let signals = intake.signals();
    let on_block = move |block: &[S], info: &InputCallbackInfo| {
        let ago = info.timestamp().callback.duration_since(info.timestamp().capture);
        intake.push_now(block, ago, &*clock, |&sample| sample.to_sample::<f32>());
    };
    let stream = device
        .build_input_stream(config, on_block, move |error| report(&signals, error.kind()), Some(TIMEOUT))
        .map_err(at_opening)?;
    stream.play().map_err(at_opening)?;
    Ok(stream)
}

/// Passes on what cpal says of a running stream.
fn report(signals: &Signals, kind: ::cpal::ErrorKind) {
    match kind {
        ::cpal::ErrorKind::Xrun => signals.overrun(),
        ::cpal::ErrorKind::DeviceChanged => signals.rerouted(),
        // The stream runs, if not as smoothly.
        ::cpal::ErrorKind::RealtimeDenied => {}
        kind => signals.lost(category(kind)),
    }
}

fn category(kind: ::cpal::ErrorKind) -> ErrorKind {
    use ::cpal::ErrorKind as Cpal;
    match kind {
        Cpal::DeviceBusy => ErrorKind::Busy,
        Cpal::DeviceNotAvailable | Cpal::HostUnavailable | Cpal::StreamInvalidated => ErrorKind::Gone,
        Cpal::PermissionDenied => ErrorKind::Denied,
        Cpal::UnsupportedConfig | Cpal::UnsupportedOperation => ErrorKind::Unsupported,
        Cpal::InvalidInput => ErrorKind::Argument,
        _ => ErrorKind::Io,
    }
}

/// What cpal says of a device that is not open yet: what is not there was never there.
fn at_opening(error: ::cpal::Error) -> Error {
    let kind = match category(error.kind()) {
        ErrorKind::Gone => ErrorKind::NotFound,
        kind => kind,
    };
    Error::new(kind, format!("cannot listen: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Format, Mute, report, ring};
    use crate::ErrorKind;
    use crate::clock::ManualClock;

    #[test]
    fn what_cpal_reports_is_sorted_into_overruns_reroutes_and_losses() {
        use ::cpal::ErrorKind as Cpal;
        let mute = Mute::new(Arc::new(ManualClock::default()));
        let after = |kind| {
            let (intake, _outlet) = ring(Format { rate: 48_000, channels: 2 }, &mute).unwrap();
            report(&intake.signals(), kind);
            let signals = intake.signals();
            (signals.overruns(), signals.reroutes(), signals.loss())
        };
        assert_eq!(after(Cpal::Xrun), (1, 0, None));
        assert_eq!(after(Cpal::DeviceChanged), (0, 1, None));
        assert_eq!(after(Cpal::RealtimeDenied), (0, 0, None));
        assert_eq!(after(Cpal::DeviceNotAvailable), (0, 0, Some(ErrorKind::Gone)));
        assert_eq!(after(Cpal::StreamInvalidated), (0, 0, Some(ErrorKind::Gone)));
        assert_eq!(after(Cpal::PermissionDenied), (0, 0, Some(ErrorKind::Denied)));
        assert_eq!(after(Cpal::BackendError), (0, 0, Some(ErrorKind::Io)));
    }
}
