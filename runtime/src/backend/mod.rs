//! Where a model is computed.
//!
//! A model is a sequence of *stages*, five a layer, and not of single operators: so that a device with costly
//! dispatches has few of them, and a processor can keep a row in its cache from norm to projection.

#[cfg(feature = "gpu")]
pub mod auto;
pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
mod matrix;
mod stage;

pub use self::matrix::Matrix;
pub use self::stage::{
    Activation, AttentionInput, Dense, FeedForwardInput, Heads, KvElement, KvShape, LayerNorm, Linear, Norm,
    Output, Pairing, Place, RmsNorm, Rotary, Sight,
};
use crate::{Result, TokenId};

/// What a token is chosen from.
#[derive(Clone, Debug, PartialEq)]
pub enum Candidates {
    /// The logits of all tokens; negative infinity where they are not allowed.
    All(Vec<f32>),
    /// The likeliest tokens with their logits: all others are less likely, or as likely and later.
    Likeliest(Vec<(TokenId, f32)>),
}

/// Computes the stages. Activations are rows of f32, one row a token.
///
/// A clone computes in the same place: what one has loaded the other can use.
pub trait Backend: Clone + Send + Sync {
    /// A tensor of weights, wherever and however the backend keeps it.
    type Weights: Send + Sync;
    /// Rows of activations.
    type Rows: Send + Sync;
    /// Keys and values of all layers of one sequence.
    type KvCache: Send;
    /// A token that was chosen, and that the host need not know yet.
    type Token: Send;

    /// Takes over a matrix. Blocks that are mapped stay so, or are repacked once.
    fn load(&self, matrix: Matrix) -> Result<Self::Weights>;

    /// A cache for `positions` tokens.
    fn kv_cache(&self, shape: KvShape, positions: usize) -> Result<Self::KvCache>;

    /// Copies keys and values of the first `positions` from one cache to another of the same shape. Both have room for
    /// so many.
    fn copy_kv(&self, from: &Self::KvCache, positions: usize, to: &mut Self::KvCache) -> Result<()>;

    /// Rows `tokens` of the table: `[tokens][width]`.
    fn embed(&self, table: &Self::Weights, tokens: &[TokenId]) -> Result<Self::Rows>;

    /// The row of the table for a token that was chosen: `[1][width]`.
    fn embed_chosen(&self, table: &Self::Weights, token: &Self::Token) -> Result<Self::Rows>;

    /// Norm; queries, keys and values; their norm by head; rotary. Keys and values of the rows go into `cache` at
    /// positions from `start` on, the queries come back: `[rows][heads * head_len]`.
    fn attention_input(
        &self,
        stage: &AttentionInput<Self::Weights>,
        rows: &Self::Rows,
        cache: &mut Self::KvCache,
        at: Place,
    ) -> Result<Self::Rows>;

    /// Each query over the keys that are in `sight`: `[rows][heads * head_len]`.
    fn attention(
        &self,
        heads: &Heads,
        queries: &Self::Rows,
        cache: &Self::KvCache,
        at: Place,
        sight: Sight,
    ) -> Result<Self::Rows>;

    /// The stages [`attention_input`](Self::attention_input) and [`attention`](Self::attention) for rows that each go on
    /// with a sequence of its own: row `i` with the cache `sequences[i]`, at the position beside it.
    fn attention_apart(
        &self,
        stage: &AttentionInput<Self::Weights>,
        rows: &Self::Rows,
        sequences: &mut [(&mut Self::KvCache, usize)],
        layer: usize,
    ) -> Result<Self::Rows> {
        let attend = |(row, (cache, start)): (usize, &mut (&mut Self::KvCache, usize))| {
            let at = Place { layer, start: *start };
            let row = self.gather(rows, &[Some(row)], 1)?;
            let queries = self.attention_input(stage, &row, cache, at)?;
            self.attention(&stage.heads, &queries, cache, at, Sight::Causal)
        };
        let attended = sequences.iter_mut().enumerate().map(attend).collect::<Result<Vec<_>>>()?;
        self.concat(&attended.iter().collect::<Vec<_>>())
    }

    /// Projection, added to `residual`.
    fn project_onto(
        &self,
        linear: &Linear<Self::Weights>,
        rows: &Self::Rows,
        residual: &mut Self::Rows,
    ) -> Result<()>;

    /// Norm; gate and up; SiLU of the one times the other: `[rows][feed_forward]`.
    fn feed_forward_input(
        &self,
        stage: &FeedForwardInput<Self::Weights>,
        rows: &Self::Rows,
    ) -> Result<Self::Rows>;

    /// Norm and output matrix over the rows from `first` on: `[rows - first][vocabulary]`.
    fn logits(
        &self,
        stage: &Output<'_, Self::Weights>,
        rows: &Self::Rows,
        first: usize,
    ) -> Result<Self::Rows>;

    /// The first of the tokens with the largest logit in the last row, among those whose bit is set in `allowed`: token
    /// `i` is bit `i % 32` of word `i / 32`.
    fn likeliest(&self, logits: &Self::Rows, allowed: Option<&[u32]>) -> Result<Self::Token>;

    /// Which token it is.
    fn token(&self, token: &Self::Token) -> Result<TokenId>;

    /// Starts all that was asked for, and puts `token` on its way to the host: [`token`](Self::token) then waits for
    /// no more than that.
    fn send(&self, _token: &mut Self::Token) -> Result<()> {
        Ok(())
    }

    /// Whether stages return before they are computed, so that more can be asked for meanwhile.
    fn is_queue(&self) -> bool {
        false
    }

    /// Starts all that was asked for.
    fn start(&self) -> Result<()> {
        Ok(())
    }

    /// Goes on by about a slice of time with what was asked for, and says whether there is more.
    fn go_on(&self) -> Result<bool> {
        Ok(false)
    }

    /// Forgets what was asked for since [`start`](Self::start) and was not begun with. Rows, keys and values that it
    /// would have made are whatever they were before.
    fn abandon(&self) {}

    /// At least the `count` likeliest tokens of the last row, as [`likeliest`](Self::likeliest) compares them, with
    /// their logits.
    fn candidates(&self, logits: Self::Rows, allowed: Option<&[u32]>, count: usize) -> Result<Candidates>;

    /// Waits until all that was asked for is computed.
    fn finish(&self) -> Result<()>;

    /// Bytes of the device's memory that are taken, where it has memory of its own.
    fn device_memory(&self) -> Option<u64> {
        None
    }

    /// Rows from the host: `values` is `[rows][width]`.
    fn upload(&self, width: usize, values: Vec<f32>) -> Result<Self::Rows>;

    /// Rows back to the host: `[rows][width]`.
    fn download(&self, rows: Self::Rows) -> Result<Vec<f32>>;

    /// Rows of `parts` put one after the other.
    fn concat(&self, parts: &[&Self::Rows]) -> Result<Self::Rows>;

    /// The norm of each row.
    fn norm(&self, norm: &Norm<Self::Weights>, rows: &Self::Rows) -> Result<Self::Rows>;

    /// Norm, projection and activation of each row.
    fn dense(&self, stage: &Dense<Self::Weights>, rows: &Self::Rows) -> Result<Self::Rows>;

    /// Adds rows `first`, `first + 1`, .. of the table to those of `rows`.
    fn add_positions(&self, table: &Self::Weights, first: usize, rows: &mut Self::Rows) -> Result<()>;

    /// Row `i` is the rows numbered `sources[i * group..][..group]` side by side, zeros where there is `None`:
    /// `[sources / group][group * width]`. Windows of a convolution, stacked frames and shuffled pixels are such.
    fn gather(&self, rows: &Self::Rows, sources: &[Option<usize>], group: usize) -> Result<Self::Rows>;

    /// Row `i` is the mean of rows `i * count..(i + 1) * count`; rows that are left over at the end are dropped.
    fn mean_pool(&self, rows: &Self::Rows, count: usize) -> Result<Self::Rows>;
}
