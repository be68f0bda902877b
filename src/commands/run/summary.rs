use std::fmt;

use serde::Serialize;

use super::ears::Sound;
use super::eyes::Frames;

/// What was seen and heard; none of what is not there.
#[derive(Default, Serialize)]
pub(super) struct Summary {
    pub(super) camera: Option<Frames>,
    pub(super) microphone: Option<Sound>,
}

/// Characters of the level meter, from -60 dB to full scale.
const METER: usize = 20;

impl Summary {
    /// How things stand, in one line.
    pub(super) fn line(&self) -> String {
        let camera = self.camera.map(|seen| {
            let Frames { width, height, frames, dropped, let_through, .. } = seen;
            format!(
                "{width}x{height} {:.1} fps, {dropped} dropped, {let_through} of {frames} worth encoding",
                seen.rate()
            )
        });
        let microphone = self.microphone.map(|heard| {
            let filled = ((heard.rms_dbfs + 60.0) / 60.0 * METER as f32).clamp(0.0, METER as f32) as usize;
            format!("[{:<METER$}] {:>6.1} dB", "#".repeat(filled), heard.rms_dbfs.max(-99.0))
        });
        microphone.into_iter().chain(camera).collect::<Vec<_>>().join("  ")
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(seen) = &self.camera {
            let Frames { width, height, frames, dropped, let_through, damaged, seconds } = seen;
            writeln!(
                f,
                "camera      {width}x{height}, {frames} frames in {seconds:.1} s ({:.1} fps), {dropped} dropped, \
                 {damaged} damaged, {let_through} worth encoding",
                seen.rate()
            )?;
        }
        if let Some(heard) = &self.microphone {
            let peak = heard.peak_dbfs.map_or("silence".to_owned(), |peak| format!("peak {peak:.1} dB"));
            writeln!(f, "microphone  {:.1} s, {peak}, {} overruns", heard.seconds, heard.overruns)?;
        }
        Ok(())
    }
}
