//! The display: an answer in lines, scrolled, and drawn as the panel would show it.

use std::convert::Infallible;

use embedded_graphics::Drawable;
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_10X20;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::text::{Baseline, Text};
use serde::Serialize;

use super::panel::{CELL, Panel, wrap};
use crate::{Error, ErrorKind, Result};

/// What the wearer is doing, or the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Nobody says anything.
    #[default]
    Idle,
    /// The wearer speaks.
    Listening,
    /// The question is over, and nothing is shown yet.
    Thinking,
    /// The answer is shown as it comes.
    Answering,
}

/// What stands on the display.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Hud {
    /// The lines that are seen.
    pub lines: Vec<String>,
    /// What is being done.
    pub status: Phase,
    /// Characters in a line.
    pub columns: usize,
    /// The number of the first line that is seen.
    pub first: usize,
    /// Lines of the whole answer.
    pub total: usize,
}

/// A display and what it was told to show.
#[derive(Clone, Debug, Default)]
pub struct Display {
    panel: Panel,
    text: String,
    phase: Phase,
    /// The first line that is seen, once somebody scrolled.
    scrolled: Option<usize>,
    /// Whether it is dark.
    off: bool,
}

impl Display {
    /// A display that shows nothing.
    pub fn new(panel: Panel) -> Self {
        Self { panel, ..Self::default() }
    }

    /// What kind it is.
    pub fn panel(&self) -> Panel {
        self.panel
    }

    /// The same content on another one.
    pub fn set_panel(&mut self, panel: Panel) {
        self.panel = panel;
        self.scrolled = None;
    }

    /// Whether it is dark.
    pub fn set_off(&mut self, off: bool) {
        self.off = off;
    }

    /// What is being done.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Something else is being done. A question that begins takes the last answer away.
    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        if phase == Phase::Listening {
            self.text.clear();
            self.scrolled = None;
        }
    }

    /// More of the answer.
    pub fn push(&mut self, piece: &str) {
        self.phase = Phase::Answering;
        self.text.push_str(piece);
    }

    /// Goes so many lines further, or back.
    pub fn scroll(&mut self, lines: isize) {
        let hud = self.hud();
        let last = hud.total.saturating_sub(self.panel.measures().lines);
        self.scrolled = Some(hud.first.saturating_add_signed(lines).min(last));
    }

    /// What is seen: the end of the answer, unless somebody scrolled.
    pub fn hud(&self) -> Hud {
        let measures = self.panel.measures();
        let all = wrap(&self.text, measures.columns);
        let last = all.len().saturating_sub(measures.lines);
        let first = self.scrolled.unwrap_or(last).min(last);
        let total = all.len();
        let lines =
            if self.off { Vec::new() } else { all.into_iter().skip(first).take(measures.lines).collect() };
        Hud { lines, status: self.phase, columns: measures.columns, first, total }
    }

    /// A PNG in the pixels of the panel, green on black.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be written into memory.
    pub fn png(&self) -> Result<Vec<u8>> {
        let measures = self.panel.measures();
        let mut canvas = Canvas::new(measures.width, measures.height);
        let style = MonoTextStyle::new(&FONT_10X20, BinaryColor::On);
        for (row, line) in self.hud().lines.iter().enumerate() {
            let y = row as i32 * CELL.1 as i32 + (CELL.1 as i32 - 20) / 2;
            match Text::with_baseline(line, Point::new(0, y), style, Baseline::Top).draw(&mut canvas) {
                Ok(_) => {}
                Err(never) => match never {},
            }
        }
        canvas.png().map_err(|error| Error::new(ErrorKind::Io, "display", error))
    }
}

/// Pixels that are on or off: `[height][width]`.
struct Canvas {
    size: Size,
    on: Vec<u8>,
}

impl Canvas {
    fn new(width: u32, height: u32) -> Self {
        Self { size: Size::new(width, height), on: vec![0; (width * height) as usize] }
    }

    fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.size.width, self.size.height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(vec![0, 0, 0, 64, 255, 128]);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.on)?;
        writer.finish()?;
        Ok(bytes)
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Canvas {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, colour) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { continue };
            if x < self.size.width && y < self.size.height {
                self.on[(y * self.size.width + x) as usize] = u8::from(colour.is_on());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> Display {
        let mut display = Display::new(Panel::EvenG1);
        display.set_phase(Phase::Listening);
        display.push(text);
        display
    }

    /// Pixels that are lit in rows `from..to` of the picture.
    fn lit(display: &Display, from: usize, to: usize) -> usize {
        let png = display.png().unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (576, 136));
        pixels[from * 576..to * 576].iter().filter(|pixel| **pixel != 0).count()
    }

    #[test]
    fn the_end_of_a_long_answer_is_seen_until_somebody_scrolls() {
        let mut display = answered(&(1..=9).map(|i| format!("line {i}\n")).collect::<String>());
        assert_eq!(display.hud().lines, ["line 5", "line 6", "line 7", "line 8", "line 9"]);
        display.scroll(-1);
        display.push("line 10");
        let hud = display.hud();
        assert_eq!((hud.first, hud.total, hud.lines[0].as_str()), (3, 10, "line 4"));
        display.scroll(-100);
        assert_eq!(display.hud().first, 0);
        display.scroll(100);
        assert_eq!(display.hud().first, 5);
    }

    #[test]
    fn each_line_is_drawn_in_its_place() {
        let display = answered("one\ntwo");
        assert!(lit(&display, 0, 25) > 20 && lit(&display, 25, 50) > 20);
        assert_eq!(lit(&display, 50, 136), 0);
        assert_ne!(lit(&answered("W"), 0, 25), lit(&answered("i"), 0, 25));
    }

    #[test]
    fn a_display_that_is_off_is_dark() {
        let mut display = answered("one");
        display.set_off(true);
        assert_eq!((lit(&display, 0, 136), display.hud().lines.len()), (0, 0));
    }

    #[test]
    fn a_new_question_takes_the_last_answer_away() {
        let mut display = answered("one");
        display.set_phase(Phase::Listening);
        assert_eq!(display.hud().total, 0);
    }
}
