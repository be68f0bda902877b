//! What comes out: answers to stdout, all else to stderr.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use lorgnette_runtime::live::{Effort, Presence, Report, Trace, write_perfetto};

use crate::commands::mode;
use crate::console::{Live, Outcome};

/// Traces of the last turns that are kept.
const TRACES: usize = 256;

/// Shows what is told, and keeps traces where somebody wants them.
pub(super) struct Show<'a> {
    live: &'a Live,
    trace: Option<PathBuf>,
    traces: VecDeque<Trace>,
}

impl<'a> Show<'a> {
    pub(super) fn new(live: &'a Live, trace: Option<PathBuf>) -> Self {
        Self { live, trace, traces: VecDeque::new() }
    }

    pub(super) fn hear(&mut self, report: Report) {
        let live = self.live;
        let mut out = io::stdout().lock();
        // With stdout gone there is nobody left to answer; Ctrl-C still ends it.
        let mut print = |text: &str| drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
        match report {
            Report::Piece(text) => print(&text),
            Report::Answered(_) => print("\n"),
            Report::Listening => live.show("listening"),
            Report::Heard | Report::Dropped => live.show(""),
            Report::Routed(routed) => live.say(mode::describe(&routed)),
            Report::Failed(error) => live.say(&error.to_string()),
            Report::Camera(presence) => live.say(&format!("camera: {}", name(presence))),
            Report::Microphone(presence) => live.say(&format!("microphone: {}", name(presence))),
            Report::SoundLost => live.say("microphone: sound was lost"),
            Report::Behind { by, next } => {
                let by = by.as_secs_f32();
                live.say(&format!("{by:.1} s behind; for the next question: {}", describe(next)));
            }
            Report::Effort(effort) => live.say(&format!("from now on: {}", describe(effort))),
            Report::Turn(trace) => self.keep(trace),
            Report::Ended => {}
            #[cfg(feature = "cloud")]
            Report::Agents(_) => {}
        }
    }

    fn keep(&mut self, trace: Trace) {
        if self.trace.is_some() {
            self.traces.push_back(trace);
            self.traces.drain(..self.traces.len().saturating_sub(TRACES));
        }
    }

    /// Writes the traces where they are wanted.
    pub(super) fn finish(mut self) -> Outcome {
        let traces = self.traces.make_contiguous();
        self.trace.as_deref().map_or(Ok(()), |path| write_trace(traces, path))
    }
}

fn describe(effort: Effort) -> &'static str {
    match effort {
        Effort::Full => "all there is",
        Effort::SmallFrames => "small pictures",
        Effort::LargeBlocks => "small pictures, and sound in large pieces",
        Effort::SmallModel => "the small model",
    }
}

fn name(presence: Presence) -> &'static str {
    match presence {
        Presence::Lost => "lost",
        Presence::Back => "back",
    }
}

fn write_trace(traces: &[Trace], path: &Path) -> Outcome {
    let named = |error: io::Error| format!("{}: {error}", path.display());
    let mut out = BufWriter::new(File::create(path).map_err(named)?);
    write_perfetto(traces, &mut out).and_then(|()| out.flush()).map_err(named)?;
    Ok(())
}
