//! From what is wanted to what a camera gives.

use super::kernel::{self, Device};
use super::{PIXEL_FORMATS, Wanted};
use crate::camera::{Layout, Mode, PixelFormat};
use crate::{Error, ErrorKind, Result};

/// What was agreed with a driver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreed {
    /// The mode that was asked for.
    pub(super) asked: Mode,
    /// The mode that the driver gives.
    pub(super) given: Mode,
    pub(super) layout: Layout,
}

/// Sets the mode nearest to what is wanted.
pub(super) fn negotiate(device: &Device, modes: &[Mode], wanted: &Wanted) -> Result<Agreed> {
    let mut refused = Vec::new();
    for mode in ranked(modes, wanted) {
        match set(device, mode) {
            Ok(agreed) => return Ok(agreed),
            // Another mode would not help.
            Err(error) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Denied | ErrorKind::Gone) => {
                return Err(error);
            }
            Err(error) => refused.push(error.to_string()),
        }
    }
    let detail = format!("gives nothing that can be read here: {}", refused.join("; "));
    Err(Error::new(ErrorKind::Unsupported, detail))
}

/// One mode for each format that is wanted, the best first.
fn ranked(modes: &[Mode], wanted: &Wanted) -> Vec<Mode> {
    let Wanted { format, width, height, rate } = *wanted;
    let formats = PIXEL_FORMATS.iter().map(|(offered, _)| *offered);
    let formats = formats.filter(|offered| format.is_none_or(|wanted| wanted == *offered));
    let mut best: Vec<_> = formats
        .filter_map(|format| {
            let unlisted = modes.is_empty().then_some(Mode { format, width, height, rate });
            let listed = modes.iter().filter(|mode| mode.format == format).copied();
            listed.chain(unlisted).min_by_key(|mode| cost(mode, wanted))
        })
        .collect();
    best.sort_by_key(|mode| cost(mode, wanted));
    best
}

/// How far a mode is from what is wanted: pixels that lack, frames that lack, then pixels and frames too many, then
/// what decoding costs.
fn cost(mode: &Mode, wanted: &Wanted) -> [u64; 5] {
    let lacking = |has: usize, needs: usize| needs.saturating_sub(has) as u64;
    let pixels = lacking(mode.width, wanted.width) + lacking(mode.height, wanted.height);
    let too_many = lacking(wanted.width, mode.width) + lacking(wanted.height, mode.height);
    let (rate, wanted_rate) = ((100.0 * mode.rate.as_f64()) as u64, (100.0 * wanted.rate.as_f64()) as u64);
    let decoding = u64::from(mode.format == PixelFormat::Mjpg);
    [pixels, wanted_rate.saturating_sub(rate), too_many, rate.saturating_sub(wanted_rate), decoding]
}

fn set(device: &Device, asked: Mode) -> Result<Agreed> {
    let fourcc = PIXEL_FORMATS.iter().find(|(format, _)| *format == asked.format).map(|(_, code)| *code);
    let fourcc = fourcc
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, format!("{} from a camera", asked.format)))?;
    let set = kernel::set_format(device, fourcc, asked.width as u32, asked.height as u32);
    let set = set.map_err(|e| Error::io("set the format", e))?;
    let Some((format, _)) = PIXEL_FORMATS.iter().find(|(_, code)| *code == set.fourcc) else {
        let found = set.fourcc.escape_ascii();
        return Err(Error::new(ErrorKind::Unsupported, format!("asked for {asked}, found {found}")));
    };
    let (width, height) = (set.width as usize, set.height as usize);
    let layout = Layout::with_stride(*format, width, height, set.stride as usize)?;
    // A driver that knows no rates is taken at the word of its list.
    let rate = kernel::set_rate(device, asked.rate).unwrap_or(asked.rate);
    let given = Mode { format: *format, width, height, rate };
    Ok(Agreed { asked, given, layout })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Rate;

    fn mode(format: PixelFormat, width: usize, height: usize, rate: u32) -> Mode {
        Mode { format, width, height, rate: Rate::per_second(rate) }
    }

    #[test]
    fn the_nearest_mode_is_taken_and_a_cheap_format_where_nothing_else_differs() {
        use PixelFormat::{Mjpg, Yuyv};
        let webcam = [
            mode(Yuyv, 640, 480, 30),
            mode(Yuyv, 1280, 720, 10),
            mode(Mjpg, 640, 480, 30),
            mode(Mjpg, 1280, 720, 30),
            mode(Mjpg, 1920, 1080, 30),
        ];
        let best = |format, width, height, rate| {
            let wanted = Wanted { format, width, height, rate: Rate::per_second(rate) };
            ranked(&webcam, &wanted)[0]
        };
        assert_eq!(best(None, 640, 480, 30), webcam[0]);
        assert_eq!(best(None, 1280, 720, 30), webcam[3]);
        assert_eq!(best(None, 1280, 720, 10), webcam[1]);
        assert_eq!(best(None, 800, 600, 15), webcam[3]);
        assert_eq!(best(None, 4000, 3000, 5), webcam[4]);
        assert_eq!(best(Some(Yuyv), 1920, 1080, 30), webcam[1]);
    }
}
