//! How a text is cut into chunks, and models read them side by side.

use lorgnette_quant::Progress;

use crate::backend::Backend;
use crate::conversation::{LanguageModel, PREFILL};
use crate::model::decoder::{Decoder, Sequence, Wanted};
use crate::model::tokenizer::Special;
use crate::{Error, ErrorKind, Result, TokenId};

/// Positions whose logits are held at once: with a vocabulary of 128 000, 32 MiB for each model.
const POSITIONS: usize = 64;

/// The shortest chunk with a token to be scored.
const MIN_CONTEXT: usize = 3;

/// A text in chunks of as many tokens, as llama-perplexity cuts it. What is left over at the end is not read.
pub(super) struct Chunks {
    tokens: Vec<TokenId>,
    context: usize,
    /// Takes the place of the first token of each chunk.
    bos: Option<TokenId>,
}

impl Chunks {
    /// # Errors
    /// [`ErrorKind::Argument`] when a chunk would have no token to be scored, or the text has less than two chunks;
    /// [`ErrorKind::Malformed`] when the tokenizer has more tokens than the network.
    pub(super) fn of<B: Backend>(model: &LanguageModel<B>, text: &str, context: usize) -> Result<Self> {
        if context < MIN_CONTEXT {
            let detail = format!("found {context}, expected at least {MIN_CONTEXT}");
            return Err(Error::new(ErrorKind::Argument, "context", detail));
        }
        let tokenizer = model.tokenizer();
        let bos = tokenizer.bos().filter(|_| tokenizer.adds_bos());
        let mut tokens: Vec<_> = bos.into_iter().collect();
        tokens.extend(tokenizer.encode(text, Special::AsText));
        let least = context.saturating_mul(2);
        if tokens.len() < least {
            let detail = format!("found {} tokens, expected at least {least}, for two chunks", tokens.len());
            return Err(Error::new(ErrorKind::Argument, "text", detail));
        }
        let vocabulary = model.decoder().config().vocabulary;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= vocabulary) {
            return Err(Error::malformed("tokenizer.ggml.tokens", token, format!("less than {vocabulary}")));
        }
        Ok(Self { tokens, context, bos })
    }

    pub(super) fn count(&self) -> usize {
        self.tokens.len() / self.context
    }

    pub(super) fn context(&self) -> usize {
        self.context
    }

    fn iter(&self) -> impl Iterator<Item = Vec<TokenId>> {
        self.tokens.chunks_exact(self.context).map(|chunk| {
            let mut chunk = chunk.to_vec();
            if let Some(bos) = self.bos {
                chunk[0] = bos;
            }
            chunk
        })
    }
}

/// Reads `chunks` with `models`, which have one vocabulary, and calls `on` with the logits of each and the token that
/// came. Only the second half of a chunk is scored, where every token has some to look back on.
///
/// # Errors
/// As [`Decoder::sequence`] and [`Decoder::forward`], and [`ErrorKind::Cancelled`].
pub(super) fn read<B: Backend, const MODELS: usize>(
    models: [&Decoder<B>; MODELS],
    chunks: &Chunks,
    progress: &dyn Progress,
    mut on: impl FnMut([&[f32]; MODELS], TokenId),
) -> Result<()> {
    let vocabulary = models[0].config().vocabulary;
    let mut readers = Vec::new();
    for model in models {
        readers.push(Reader { model, sequence: model.exact_sequence(chunks.context)? });
    }
    for (number, chunk) in chunks.iter().enumerate() {
        progress.advance("perplexity", number as u64, chunks.count() as u64);
        let (first, scored) = chunk.split_at(chunks.context / 2);
        for reader in &mut readers {
            reader.start(first, progress)?;
        }
        // The logits after the last token say what nobody knows.
        let (fed, following) = (&scored[..scored.len() - 1], &scored[1..]);
        for (fed, following) in fed.chunks(POSITIONS).zip(following.chunks(POSITIONS)) {
            progress.check()?;
            let logits: Vec<_> =
                readers.iter_mut().map(|reader| reader.logits(fed)).collect::<Result<_>>()?;
            for (row, &token) in following.iter().enumerate() {
                on(std::array::from_fn(|model| &logits[model][row * vocabulary..][..vocabulary]), token);
            }
        }
    }
    progress.advance("perplexity", chunks.count() as u64, chunks.count() as u64);
    Ok(())
}

struct Reader<'a, B: Backend> {
    model: &'a Decoder<B>,
    sequence: Sequence<B>,
}

impl<B: Backend> Reader<'_, B> {
    /// Forgets the last chunk and reads the first half of another.
    fn start(&mut self, tokens: &[TokenId], progress: &dyn Progress) -> Result<()> {
        self.sequence.truncate(0);
        tokens.chunks(PREFILL).try_for_each(|piece| {
            progress.check()?;
            self.model.forward(&mut self.sequence, piece, Wanted::Last).map(drop)
        })
    }

    /// `[tokens][vocabulary]`.
    fn logits(&mut self, tokens: &[TokenId]) -> Result<Vec<f32>> {
        self.model.forward(&mut self.sequence, tokens, Wanted::All)
    }
}
