use std::fmt;

use lorgnette_runtime::conversation::{Answer, Finish};
use lorgnette_runtime::mode::thinking::Thought;
use lorgnette_runtime::tool::local::Answered;
use serde::Serialize;

use crate::commands::tools;

/// An answer as a document.
#[derive(Serialize)]
pub(super) struct Document {
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning: String,
    /// Chains of thought that came to this answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    votes: Option<usize>,
    finish: &'static str,
    prompt_tokens: usize,
    image_tokens: usize,
    audio_tokens: usize,
    vision_passes: usize,
    audio_passes: usize,
    answer_tokens: usize,
    forgotten_tokens: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<tools::ToolCall>,
}

impl fmt::Display for Document {
    /// Only the end of the line: the text was shown as it came.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)
    }
}

impl From<Thought> for Document {
    fn from(Thought { reasoning, answer, votes, .. }: Thought) -> Self {
        Self {
            answer_tokens: answer.answer_tokens(),
            text: answer.text,
            reasoning,
            votes: Some(votes).filter(|votes| *votes > 0),
            finish: finish(answer.finish),
            prompt_tokens: answer.prompt_tokens,
            image_tokens: answer.prefilled_image_tokens,
            audio_tokens: answer.prefilled_audio_tokens,
            vision_passes: answer.vision_passes,
            audio_passes: answer.audio_passes,
            forgotten_tokens: answer.forgotten_tokens,
            tool_calls: Vec::new(),
        }
    }
}

impl From<Answered> for Document {
    /// Tokens and passes are those of all rounds; the prompt is the last one.
    fn from(answered: Answered) -> Self {
        let sum = |count: fn(&Answer) -> usize| answered.rounds.iter().map(count).sum();
        let [answer_tokens, image_tokens, audio_tokens, vision_passes, audio_passes, forgotten_tokens] = [
            sum(Answer::answer_tokens),
            sum(|round| round.prefilled_image_tokens),
            sum(|round| round.prefilled_audio_tokens),
            sum(|round| round.vision_passes),
            sum(|round| round.audio_passes),
            sum(|round| round.forgotten_tokens),
        ];
        Self {
            text: answered.text,
            reasoning: String::new(),
            votes: None,
            finish: finish(answered.finish),
            prompt_tokens: answered.rounds.last().map_or(0, |round| round.prompt_tokens),
            image_tokens,
            audio_tokens,
            vision_passes,
            audio_passes,
            answer_tokens,
            forgotten_tokens,
            tool_calls: answered.replies.into_iter().map(tools::ToolCall::from).collect(),
        }
    }
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::End => "end",
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ContextFull => "context_full",
        Finish::Cancelled => "cancelled",
    }
}
