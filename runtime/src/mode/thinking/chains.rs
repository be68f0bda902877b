//! Several chains of thought at the same time, and a vote.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::Thought;
use super::marks::{CLOSE, Marks};
use crate::backend::Backend;
use crate::conversation::{
    Answer, AnswerOptions, Branches, Conversation, Event, Finish, Sampler, Sampling, StopStrings,
};
use crate::model::chat_template::Message;
use crate::model::tokenizer::Decoder;
use crate::{Result, TokenId};

/// How warm the other chains are where the first is greedy.
const WARM: f32 = 0.7;

/// As [`super::answer`], with `options` that open the reasoning.
pub(super) fn answer<B: Backend>(
    conversation: &mut Conversation<B>,
    messages: &[Message],
    options: &AnswerOptions,
    (budget, marks): (usize, Marks),
    on: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Thought> {
    let count = options.chains.min(budget);
    let room = budget.div_ceil(count) + marks.close(conversation.model()).len() + options.max_tokens;
    let (mut answer, branches) = conversation.branches(messages, options, (count, room), on)?;
    let Some(mut branches) = branches else { return Ok(broken_off(answer, &[])) };
    let close = [CLOSE.to_owned()];
    let chain = |number| {
        // What does not go round is shared out by the first ones.
        let share = budget / count + usize::from(number < budget % count);
        Chain::new(number, share, &branches, options, &close)
    };
    let mut chains: Vec<_> = (0..count).map(chain).collect();
    loop {
        let next = chains
            .iter_mut()
            .map(|chain| chain.next(&mut branches, options, marks))
            .collect::<Result<Vec<_>>>()?;
        if next.iter().all(Option::is_none) {
            break;
        }
        // Those who watch see the first one think.
        let thought = std::mem::take(&mut chains[0].news);
        if on(Event::Thought(&thought)).is_break() {
            return Ok(broken_off(answer, &chains));
        }
        branches.advance(&next)?;
    }
    let (winner, votes) = elect(&chains);
    answer.text.clone_from(&winner.said);
    answer.finish = winner.finish.unwrap_or(Finish::End);
    answer.tokens.clone_from(&winner.answer);
    // What comes after the end cannot be broken off any more.
    let _ = if answer.text.is_empty() { ControlFlow::Continue(()) } else { on(Event::Piece(&answer.text)) };
    Ok(Thought {
        reasoning: winner.thought.trim().to_owned(),
        reasoning_tokens: chains.iter().map(|chain| chain.reasoning).sum(),
        answer,
        votes,
    })
}

fn broken_off(answer: Answer, chains: &[Chain<'_>]) -> Thought {
    let reasoning = chains.first().map_or(String::new(), |chain| chain.thought.clone());
    let reasoning_tokens = chains.iter().map(|chain| chain.reasoning).sum();
    Thought { reasoning, reasoning_tokens, answer, votes: 0 }
}

/// The first of the chains whose answer most have, and how many those are. Case, spaces and a last stop make no
/// difference; who says nothing has no vote, unless all do.
fn elect<'a, 'b>(chains: &'a [Chain<'b>]) -> (&'a Chain<'b>, usize) {
    let votes = |chain: &Chain<'_>| {
        let answer = plain(&chain.said);
        if answer.is_empty() { 0 } else { chains.iter().filter(|other| plain(&other.said) == answer).count() }
    };
    let mut winner = (&chains[0], votes(&chains[0]));
    for chain in &chains[1..] {
        let found = votes(chain);
        if found > winner.1 {
            winner = (chain, found);
        }
    }
    winner
}

fn plain(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// One chain: what it thought, and what it said after that.
struct Chain<'a> {
    number: usize,
    sampler: Sampler,
    /// All tokens, those of the prompt among them.
    all: Vec<TokenId>,
    decoder: Decoder,
    stop: StopStrings<'a>,
    /// Tokens it may think yet; `None` once it speaks.
    left: Option<usize>,
    /// Tokens that come next, whatever the model would say.
    forced: VecDeque<TokenId>,
    reasoning: usize,
    thought: String,
    /// What of it was not shown.
    news: String,
    answer: Vec<TokenId>,
    said: String,
    finish: Option<Finish>,
}

impl<'a> Chain<'a> {
    fn new<B: Backend>(
        number: usize,
        share: usize,
        branches: &Branches<B>,
        options: &AnswerOptions,
        close: &'a [String],
    ) -> Self {
        let sampling = options.sampling;
        let temperature = if sampling.temperature > 0.0 { sampling.temperature } else { WARM };
        let seed = sampling.seed.wrapping_add(number as u64);
        let others = Sampling { temperature, seed, ..sampling };
        Self {
            number,
            sampler: Sampler::new(if number == 0 { sampling } else { others }),
            all: branches.prompt().to_vec(),
            decoder: branches.model().tokenizer().decoder(),
            stop: StopStrings::new(close),
            left: Some(share),
            forced: VecDeque::new(),
            reasoning: 0,
            thought: String::new(),
            news: String::new(),
            answer: Vec::new(),
            said: String::new(),
            finish: None,
        }
    }

    /// The token after the last one; `None` when the answer is over.
    fn next<B: Backend>(
        &mut self,
        branches: &mut Branches<B>,
        options: &'a AnswerOptions,
        marks: Marks,
    ) -> Result<Option<TokenId>> {
        if self.finish.is_some() {
            return Ok(None);
        }
        if branches.is_full(self.number) {
            return Ok(self.end(Finish::ContextFull));
        }
        let token = match (self.forced.pop_front(), self.left) {
            (Some(token), _) => Some(token),
            (None, Some(left)) => self.think(left, branches, options, marks)?,
            (None, None) => self.speak(branches, options)?,
        };
        self.all.extend(token);
        Ok(token)
    }

    fn think<B: Backend>(
        &mut self,
        left: usize,
        branches: &mut Branches<B>,
        options: &'a AnswerOptions,
        marks: Marks,
    ) -> Result<Option<TokenId>> {
        let token = match left {
            0 => None,
            _ => Some(branches.choose(self.number, &mut self.sampler, &self.all)?),
        };
        let Some(token) = token.filter(|token| !branches.model().tokenizer().is_end(*token)) else {
            self.forced.extend(marks.close(branches.model()));
            self.begin_answer(branches, options)?;
            return Ok(self.forced.pop_front());
        };
        self.reasoning += 1;
        self.left = Some(left - 1);
        let (text, closed) = self.stop.push(&self.decoder.push(token).unwrap_or_default());
        self.thought.push_str(&text);
        self.news.push_str(&text);
        if closed {
            self.forced.extend(marks.gap(branches.model()));
            self.begin_answer(branches, options)?;
        }
        Ok(Some(token))
    }

    fn begin_answer<B: Backend>(
        &mut self,
        branches: &mut Branches<B>,
        options: &'a AnswerOptions,
    ) -> Result<()> {
        let rest = std::mem::replace(&mut self.stop, StopStrings::new(&options.stop)).finish();
        self.thought.push_str(&rest);
        self.decoder = branches.constrain(self.number, options.constraint.as_ref())?;
        self.left = None;
        Ok(())
    }

    fn speak<B: Backend>(
        &mut self,
        branches: &mut Branches<B>,
        options: &AnswerOptions,
    ) -> Result<Option<TokenId>> {
        if self.answer.len() == options.max_tokens {
            return Ok(self.end(Finish::Length));
        }
        let token = branches.choose(self.number, &mut self.sampler, &self.all)?;
        if branches.model().tokenizer().is_end(token) {
            return Ok(self.end(Finish::End));
        }
        self.answer.push(token);
        let complete = branches.take(self.number, token)?;
        let (text, stopped) = self.stop.push(&self.decoder.push(token).unwrap_or_default());
        self.said.push_str(&text);
        if stopped {
            self.finish = Some(Finish::Stop);
            return Ok(None);
        }
        Ok(if complete { self.end(Finish::End) } else { Some(token) })
    }

    fn end(&mut self, finish: Finish) -> Option<TokenId> {
        let (text, _) = self.stop.push(&self.decoder.clone().finish().unwrap_or_default());
        self.said.push_str(&text);
        let rest = std::mem::replace(&mut self.stop, StopStrings::new(&[])).finish();
        self.said.push_str(&rest);
        self.finish = Some(finish);
        None
    }
}
