//! From what a talk reports to what a simulator tells.

use std::collections::VecDeque;

use lorgnette_runtime::conversation::Finish;
use lorgnette_runtime::live::{Answered, Effort, Presence, Report, Stage, Trace};

use super::{Answer, Gate, Happened, mode_name};
use crate::glasses::{Glasses, Phase};

/// Shows what a talk reports on the glasses, and says what happened.
pub struct Watcher {
    glasses: Glasses,
    turn: u64,
    /// Turns whose answers are not over: that of one which was broken off is told after the next began.
    heard: VecDeque<u64>,
    gate: Gate,
    effort: Effort,
    asked: Option<(String, bool)>,
}

/// How far a talk is.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// The number of the last turn that began.
    pub turn: u64,
    /// What the gate decided so far.
    pub gate: Gate,
    /// What is done for questions.
    pub effort: &'static str,
}

impl Watcher {
    /// Watches a talk through `glasses`.
    pub fn new(glasses: Glasses) -> Self {
        let (heard, gate, effort) = (VecDeque::new(), Gate::default(), Effort::Full);
        Self { glasses, turn: 0, heard, gate, effort, asked: None }
    }

    /// How far it is.
    pub fn watched(&self) -> Watched {
        Watched { turn: self.turn, gate: self.gate, effort: effort_name(self.effort) }
    }

    /// The words of the question that comes next.
    pub fn asks(&mut self, text: &str, spoken: bool) {
        self.asked = Some((text.to_owned(), spoken));
    }

    /// Takes a report. `on` hears what happened.
    pub fn take(&mut self, report: Report, on: &mut dyn FnMut(Happened)) {
        let before = self.glasses.with_display(|display| display.hud());
        self.tell(report, on);
        let hud = self.glasses.with_display(|display| display.hud());
        if hud != before {
            on(Happened::Hud(hud));
        }
    }

    fn tell(&mut self, report: Report, on: &mut dyn FnMut(Happened)) {
        let turn = self.turn;
        match report {
            Report::Listening => {
                self.turn += 1;
                self.show(Phase::Listening);
                on(Happened::Listening { turn: self.turn });
            }
            Report::Heard => {
                self.heard.push_back(turn);
                self.show(Phase::Thinking);
                on(Happened::Heard { turn });
                if let Some((text, spoken)) = self.asked.take() {
                    on(Happened::Question { turn, text, spoken });
                }
            }
            Report::Routed(routed) => on(Happened::Routed { turn, mode: mode_name(routed.mode) }),
            Report::Piece(text) => {
                self.glasses.with_display(|display| display.push(&text));
                on(Happened::Piece { turn, text });
            }
            Report::Answered(answered) => {
                let answered_turn = self.heard.pop_front().unwrap_or(turn);
                if answered_turn == turn {
                    self.show(Phase::Idle);
                }
                on(Happened::Answer(answer(answered_turn, *answered)));
            }
            Report::Dropped => {
                self.show(Phase::Idle);
                on(Happened::Dropped { turn });
            }
            Report::Failed(error) => on(Happened::Failed { error: error.to_string() }),
            Report::Camera(presence) => on(device("camera", presence)),
            Report::Microphone(presence) => on(device("microphone", presence)),
            Report::SoundLost => on(Happened::Failed { error: "the microphone lost sound".to_owned() }),
            Report::Behind { by, .. } => on(Happened::Behind { seconds: by.as_secs_f64() }),
            Report::Effort(effort) => {
                self.effort = effort;
                on(Happened::Effort { effort: effort_name(effort) });
            }
            #[cfg(feature = "cloud")]
            Report::Agents(event) => {
                on(Happened::Agent { update: serde_json::to_value(event).unwrap_or_default() });
            }
            Report::Turn(trace) => self.timeline(trace, on),
            Report::Ended => {}
        }
    }

    fn timeline(&mut self, trace: Trace, on: &mut dyn FnMut(Happened)) {
        if self.heard.iter().any(|turn| *turn == trace.turn && *turn == self.turn) {
            // It failed.
            self.show(Phase::Idle);
        }
        self.heard.retain(|turn| *turn > trace.turn);
        for span in trace.spans.iter().filter(|span| span.stage == Stage::Gate) {
            let new = span.count > 0;
            self.gate = Gate {
                new,
                judged: self.gate.judged + 1,
                let_through: self.gate.let_through + u64::from(new),
            };
            on(Happened::Gate(self.gate));
        }
        on(Happened::Timeline(trace));
    }

    fn show(&self, phase: Phase) {
        self.glasses.with_display(|display| display.set_phase(phase));
    }
}

fn effort_name(effort: Effort) -> &'static str {
    match effort {
        Effort::Full => "full",
        Effort::SmallFrames => "small_frames",
        Effort::LargeBlocks => "large_blocks",
        Effort::SmallModel => "small_model",
    }
}

fn device(device: &'static str, presence: Presence) -> Happened {
    Happened::Device { device, there: presence == Presence::Back }
}

fn answer(turn: u64, answered: Answered) -> Answer {
    let Answered { mode, answer, reasoning, .. } = answered;
    Answer {
        turn,
        tokens: answer.answer_tokens(),
        text: answer.text,
        reasoning,
        mode: mode_name(mode),
        finish: match answer.finish {
            Finish::End => "end",
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::ContextFull => "context_full",
            Finish::Cancelled => "cancelled",
        },
        prefilled: answer.prefilled_tokens,
        vision_passes: answer.vision_passes,
        audio_passes: answer.audio_passes,
    }
}
