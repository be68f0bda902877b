//! What a simulator tells of itself.

use std::collections::VecDeque;

use lorgnette_runtime::conversation::Finish;
use lorgnette_runtime::live::{Effort, Presence, Report, Stage, Trace};
use lorgnette_runtime::mode::Mode;
use serde::Serialize;

use crate::glasses::{Glasses, Hud, Phase};
use crate::input::Input;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happened {
    /// A turn begins.
    Listening {
        /// Its number, from 1.
        turn: u64,
    },
    /// The question is over.
    Heard {
        /// Of this turn.
        turn: u64,
    },
    /// What was asked, where that is known.
    Question {
        /// In this turn.
        turn: u64,
        /// The words.
        text: String,
        /// Whether they were said, and not typed.
        spoken: bool,
    },
    /// How hard it is thought about, where nobody chose that.
    Routed {
        /// The question of this turn.
        turn: u64,
        /// What it gets.
        mode: &'static str,
    },
    /// The next piece of the answer.
    Piece {
        /// Of this turn.
        turn: u64,
        /// It.
        text: String,
    },
    /// The answer is over.
    Answer(Answer),
    /// The turn was given up before it was answered.
    Dropped {
        /// This one.
        turn: u64,
    },
    /// Where the time of a turn went.
    Timeline(Trace),
    /// Something went wrong.
    Failed {
        /// What.
        error: String,
    },
    /// The display changed.
    Hud(Hud),
    /// How loud it is.
    Level(Level),
    /// A turn looked at a frame.
    Gate(Gate),
    /// A device is lost or back.
    Device {
        /// `camera` or `microphone`.
        device: &'static str,
        /// Whether it is there.
        there: bool,
    },
    /// The model does not keep up with what the wearer says.
    Behind {
        /// Seconds of sound that wait for it.
        seconds: f64,
    },
    /// What is done for a question from this turn on.
    Effort {
        /// `full`, `small_frames`, `large_blocks` or `small_model`: each leaves out more.
        effort: &'static str,
    },
    /// Somebody did something.
    Input {
        /// What.
        input: Input,
    },
    /// Something that was asked for was not done.
    Refused {
        /// Why.
        error: String,
    },
    /// An agent of contemplating did something.
    Agent {
        /// As the runtime tells it.
        update: serde_json::Value,
    },
    /// A recording began or ended.
    Recording {
        /// Its name while it goes on.
        name: Option<String>,
    },
}

/// An answer, and what it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Of this turn.
    pub turn: u64,
    /// What the wearer was shown.
    pub text: String,
    /// What the model thought before.
    pub reasoning: String,
    /// How hard it thought.
    pub mode: &'static str,
    /// Why it ended.
    pub finish: &'static str,
    /// Tokens of it.
    pub tokens: usize,
    /// Positions of the prompt that were computed after the question.
    pub prefilled: usize,
    /// Passes of the vision tower after the question.
    pub vision_passes: usize,
    /// Passes of the audio tower after the question.
    pub audio_passes: usize,
}

/// How loud it is, in decibels of full scale; none in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Level {
    /// On average.
    pub rms_dbfs: Option<f32>,
    /// At most.
    pub peak_dbfs: Option<f32>,
    /// Whether that is taken for speech.
    pub speech: bool,
}

/// What the gate decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Whether the last frame showed something new.
    pub new: bool,
    /// Frames that were looked at.
    pub judged: u64,
    /// Those of them that were new.
    pub let_through: u64,
}

/// Shows what a talk reports on the glasses, and says what happened.
pub struct Watcher {
    glasses: Glasses,
    turn: u64,
    /// Turns whose answers are not over: that of one which was broken off is told after the next began.
    heard: VecDeque<u64>,
    gate: Gate,
    asked: Option<(String, bool)>,
}

impl Watcher {
    /// Watches a talk through `glasses`.
    pub fn new(glasses: Glasses) -> Self {
        Self { glasses, turn: 0, heard: VecDeque::new(), gate: Gate::default(), asked: None }
    }

    /// The number of the last turn that began.
    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// What the gate decided so far.
    pub fn gate(&self) -> Gate {
        self.gate
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
            Report::Effort(effort) => on(Happened::Effort { effort: effort_name(effort) }),
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

fn answer(turn: u64, answered: lorgnette_runtime::live::Answered) -> Answer {
    let lorgnette_runtime::live::Answered { mode, answer, reasoning, .. } = answered;
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

/// What a mode is called.
pub fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Instant => "instant",
        Mode::Thinking { .. } => "thinking",
        #[allow(unreachable_patterns, reason = "the feature `cloud` of the runtime has one more")]
        _ => "contemplating",
    }
}
