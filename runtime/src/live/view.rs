//! What the wearer looks at: the sharpest of the latest frames of the scene, and whether it shows something new.

use std::time::Duration;

use lorgnette_device::Timestamp;
use lorgnette_device::camera::Frame;
use lorgnette_device::gate::{Gate, GateOptions, Recent, Scenes, sharpness};

use super::trace::{Span, Stage};
use crate::model::media::{Detail, Image};
use crate::model::vision::Picture;
use crate::{Error, ErrorKind, Result};

/// How far back the sharpest frame is looked for.
const WINDOW: Duration = Duration::from_millis(500);

/// Frames that are kept for it.
const KEPT: usize = 8;

/// The latest frames, and the picture that was shown to the model last.
pub(super) struct View {
    recent: Recent,
    scenes: Scenes,
    gate: Gate,
    shown: Option<Image>,
    scratch: Vec<u8>,
}

impl View {
    pub(super) fn new() -> Self {
        let (recent, gate) = (Recent::new(WINDOW, KEPT), Gate::new(GateOptions::default()));
        Self { recent, scenes: Scenes::default(), gate, shown: None, scratch: Vec::new() }
    }

    /// Takes a frame. Its memory is swapped for that of an older one.
    pub(super) fn push(&mut self, frame: &mut Frame) -> Result<()> {
        let luma = frame.luma(&mut self.scratch).map_err(damaged)?;
        let sharpness = sharpness(luma);
        self.recent.forget_before(self.scenes.since(luma, frame.captured()));
        self.recent.push(frame, sharpness);
        Ok(())
    }

    /// What the wearer sees at `now`: the picture of last time where it still shows that, so that it is not encoded again;
    /// `None` without a frame of late. With it how that was decided. A new picture has at most `side` pixels on a side, if
    /// there is one.
    pub(super) fn look(
        &mut self,
        now: Timestamp,
        detail: Detail,
        side: Option<usize>,
    ) -> Result<(Option<Image>, Vec<Span>)> {
        let Some(frame) = self.recent.sharpest(now) else {
            self.gate.reset();
            self.shown = None;
            return Ok((None, Vec::new()));
        };
        let captured = frame.captured();
        let luma = frame.luma(&mut self.scratch).map_err(damaged)?;
        let is_new = self.shown.is_none() | self.gate.judge(luma, captured).is_worth_it();
        if is_new {
            let picture = frame.picture().map_err(damaged)?;
            let longest = picture.width().max(picture.height());
            let picture = match side {
                Some(side) if side < longest => picture.fit(side),
                _ => picture,
            };
            let picture = Picture::new(picture.width(), picture.height(), picture.into_rgb())?;
            self.shown = Some(Image::new(picture).with_detail(detail));
        }
        let spans = vec![
            Span::new(Stage::Capture, captured, now, 1).with_bytes(frame.bytes().len()),
            Span::new(Stage::Gate, now, now, usize::from(is_new)),
        ];
        Ok((self.shown.clone(), spans))
    }

    /// Forgets all frames: nothing from before is shown any more.
    pub(super) fn clear(&mut self) {
        self.recent.clear();
        self.scenes.reset();
        self.gate.reset();
        self.shown = None;
    }
}

fn damaged(error: lorgnette_device::Error) -> Error {
    Error::new(ErrorKind::Malformed, "frame", error.to_string())
}
