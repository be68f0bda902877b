//! Where the time of a turn went: a timeline of what was done, without what was seen, heard or said.

use std::io::{self, Write};

use lorgnette_device::Timestamp;
use serde::Serialize;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// A frame or a chunk of sound was on its way from the sensor. Counts one; bytes of a frame.
    Capture,
    /// A frame was compared with the last one that was encoded. Counts one if it is worth encoding.
    Gate,
    /// Somebody spoke. Counts samples.
    Voice,
    /// The vision tower ran. Counts passes.
    See,
    /// The audio tower ran. Counts blocks.
    Hear,
    /// Prompt was computed. Counts positions.
    Prefill,
    /// A job waited for the engine. Counts one.
    Queue,
    /// Tokens of the answer were made. Counts tokens.
    Decode,
    /// Agents were asked. Counts requests.
    Contemplate,
}

/// A stretch of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// What was done.
    pub stage: Stage,
    /// When it began.
    #[serde(serialize_with = "microseconds")]
    pub start: Timestamp,
    /// When it was over.
    #[serde(serialize_with = "microseconds")]
    pub end: Timestamp,
    /// How much, see [`Stage`].
    pub count: usize,
    /// Bytes that were moved, where that is known.
    pub bytes: usize,
}

impl Span {
    /// A stretch whose bytes nobody counts.
    pub fn new(stage: Stage, start: Timestamp, end: Timestamp, count: usize) -> Self {
        Self { stage, start, end, count, bytes: 0 }
    }

    /// The same with `bytes`.
    #[must_use]
    pub fn with_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }
}

/// The timeline of one turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The number of the turn, from 1.
    pub turn: u64,
    /// What was done, as it ended.
    pub spans: Vec<Span>,
    /// When the wearer stopped speaking, or typed.
    #[serde(serialize_with = "optional_microseconds")]
    pub question_end: Option<Timestamp>,
    /// When the first piece of the answer could be shown.
    #[serde(serialize_with = "optional_microseconds")]
    pub first_piece: Option<Timestamp>,
}

impl Trace {
    /// How much was done at a stage, over all its spans that began at `from` or later.
    pub fn count(&self, stage: Stage, from: Timestamp) -> usize {
        let spans = self.spans.iter().filter(|span| span.stage == stage && span.start >= from);
        spans.map(|span| span.count).sum()
    }
}

fn microseconds<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.since_start().as_micros() as u64)
}

fn optional_microseconds<S: serde::Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => microseconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// Writes `traces` in the format of Chrome's trace viewer, which Perfetto reads: a row for each stage.
///
/// # Errors
/// What `out` says.
pub fn write_perfetto(traces: &[Trace], out: &mut dyn Write) -> io::Result<()> {
    let micros = |time: Timestamp| time.since_start().as_micros() as u64;
    let mut events = Vec::new();
    for trace in traces {
        for span in &trace.spans {
            events.push(serde_json::json!({
                "name": span.stage, "cat": "turn", "ph": "X", "pid": 1, "tid": span.stage as u32 + 1,
                "ts": micros(span.start), "dur": span.end.since(span.start).as_micros() as u64,
                "args": {"turn": trace.turn, "count": span.count, "bytes": span.bytes},
            }));
        }
        let moments = [("question_end", trace.question_end), ("first_piece", trace.first_piece)];
        for (name, moment) in moments.into_iter().filter_map(|(name, moment)| Some((name, moment?))) {
            events.push(serde_json::json!({
                "name": name, "cat": "turn", "ph": "i", "s": "p", "pid": 1, "tid": 0,
                "ts": micros(moment), "args": {"turn": trace.turn},
            }));
        }
    }
    serde_json::to_writer(out, &serde_json::json!({"displayTimeUnit": "ms", "traceEvents": events}))
        .map_err(io::Error::from)
}
