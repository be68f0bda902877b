//! The GPU, through wgpu: kernels in WGSL, each beside its host side.
//!
//! Stages record kernels, and what was recorded is submitted when something is read: a token is one pass and one
//! submission, and the next one is being computed when it is read. Weights stay in their blocks; activations, keys, values and the chosen token stay on the device.

mod adapter;
mod attention;
mod buffer;
mod choice;
mod counters;
mod device;
mod format;
mod kernel;
mod matmul;
mod pace;
mod product;
mod reading;
mod rows;
mod submit;
mod template;
mod texels;
mod tuning;
mod ways;
mod weights;
mod work;

use std::sync::Arc;
use std::time::Duration;

pub use self::adapter::{Alteration, Options, Traits, Without, adapters};
pub use self::attention::KvCache;
pub use self::choice::Token;
pub use self::counters::Counters;
use self::device::Device;
use self::matmul::Input;
use self::rows::NormOf;
pub use self::rows::Rows;
pub use self::tuning::{Decode, Record, Speeds, Test, Timing, cache_folder};
pub use self::weights::Weights;
use super::{
    Activation, AttentionInput, Backend, Candidates, Dense, FeedForwardInput, Heads, KvShape, Linear, Matrix,
    Norm, Output, Place, Sight,
};
use crate::{Result, TokenId};

/// Computes on an adapter. Clones share it, and what was compiled for it.
#[derive(Clone)]
pub struct Gpu(Arc<Device>);

impl Gpu {
    /// Opens the adapter that is likely to be fastest. Kernels are tested before they are used, and timed; what was
    /// found is kept in [`cache_folder`].
    ///
    /// # Errors
    /// [`ErrorKind::Missing`](crate::ErrorKind::Missing) when there is none that Vulkan knows, and
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) when it cannot be opened, or computes a stage wrongly. Loading
    /// weights is such an error too where no kernel is right for them.
    pub fn open() -> Result<Self> {
        let limit = Some(tuning::LIMIT);
        Self::open_with(Options { tuned: true, limit, cache: cache_folder(), ..Options::default() })
    }

    /// As [`open`](Self::open), as if the adapter had less, and with the kernels as they are.
    ///
    /// # Errors
    /// As there.
    pub fn open_without(without: Without) -> Result<Self> {
        Self::open_with(Options { without, ..Options::default() })
    }

    /// As [`open`](Self::open), in the way that is told.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(options: Options) -> Result<Self> {
        let gpu = Device::open(options).map(Self)?;
        gpu.test_stages()?;
        Ok(gpu)
    }

    /// Gives the adapter up: all that is asked of it from now on is an [`ErrorKind::Device`](crate::ErrorKind::Device),
    /// as if it were lost.
    pub fn destroy(&self) {
        self.0.raw.destroy();
    }

    /// What the adapter is and can do.
    pub fn traits(&self) -> &Traits {
        &self.0.traits
    }

    /// How long a submission may take, where that can be foretold; a single kernel is cut where it multiplies matrices.
    pub fn set_slice(&self, slice: Duration) {
        device::lock(&self.0.pace).slice = slice;
    }

    /// What it was asked to do so far.
    pub fn counters(&self) -> Counters {
        self.0.counters()
    }
}

impl Backend for Gpu {
    type Weights = Weights;
    type Rows = Rows;
    type KvCache = KvCache;
    type Token = Token;

    fn load(&self, matrix: Matrix) -> Result<Weights> {
        self.tuned(Weights::new(&self.0, &matrix)?)
    }

    fn kv_cache(&self, shape: KvShape, positions: usize) -> Result<KvCache> {
        self.test_attention(shape)?;
        KvCache::new(&self.0, shape, positions)
    }

    fn copy_kv(&self, from: &KvCache, positions: usize, to: &mut KvCache) -> Result<()> {
        to.copy_from(&self.0, from, positions);
        Ok(())
    }

    fn embed(&self, table: &Weights, tokens: &[TokenId]) -> Result<Rows> {
        rows::check_tokens(table, tokens)?;
        rows::embed(&self.0, table, &rows::words(&self.0, tokens), tokens.len())
    }

    fn embed_chosen(&self, table: &Weights, token: &Token) -> Result<Rows> {
        rows::embed(&self.0, table, &token.buffer, 1)
    }

    fn attention_input(
        &self,
        stage: &AttentionInput<Weights>,
        rows: &Rows,
        cache: &mut KvCache,
        at: Place,
    ) -> Result<Rows> {
        attention::attention_input(&self.0, stage, rows, cache, at)
    }

    fn attention(
        &self,
        heads: &Heads,
        queries: &Rows,
        cache: &KvCache,
        at: Place,
        sight: Sight,
    ) -> Result<Rows> {
        attention::attention(&self.0, heads, queries, cache, at, sight)
    }

    fn project_onto(&self, linear: &Linear<Weights>, rows: &Rows, residual: &mut Rows) -> Result<()> {
        matmul::add_product(&self.0, rows, linear, residual)
    }

    fn feed_forward_input(&self, stage: &FeedForwardInput<Weights>, rows: &Rows) -> Result<Rows> {
        let input = Input { rows, first: 0, norm: Some(NormOf::Rms(&stage.norm)) };
        matmul::gated(&self.0, input, [&stage.gate, &stage.up], Activation::Silu)
    }

    fn logits(&self, stage: &Output<'_, Weights>, rows: &Rows, first: usize) -> Result<Rows> {
        matmul::logits(&self.0, stage, rows, first)
    }

    fn likeliest(&self, logits: &Rows, allowed: Option<&[u32]>) -> Result<Token> {
        choice::likeliest(&self.0, logits, allowed)
    }

    fn token(&self, token: &Token) -> Result<TokenId> {
        choice::token(&self.0, token)
    }

    fn send(&self, token: &mut Token) -> Result<()> {
        token.send(&self.0)
    }

    fn is_queue(&self) -> bool {
        true
    }

    fn start(&self) -> Result<()> {
        self.0.submit().map(drop)
    }

    fn go_on(&self) -> Result<bool> {
        self.0.go_on()
    }

    fn abandon(&self) {
        self.0.abandon();
    }

    fn candidates(&self, logits: Rows, allowed: Option<&[u32]>, count: usize) -> Result<Candidates> {
        if count > choice::MOST_CANDIDATES {
            return Ok(Candidates::All(self.download(logits)?));
        }
        choice::candidates(&self.0, &logits, allowed, count).map(Candidates::Likeliest)
    }

    fn finish(&self) -> Result<()> {
        self.0.finish()
    }

    fn device_memory(&self) -> Option<u64> {
        self.0.raw.generate_allocator_report().map(|report| report.total_allocated_bytes)
    }

    fn upload(&self, width: usize, values: Vec<f32>) -> Result<Rows> {
        rows::upload(&self.0, width, &values)
    }

    fn download(&self, rows: Rows) -> Result<Vec<f32>> {
        rows::download(&self.0, &rows)
    }

    fn concat(&self, parts: &[&Rows]) -> Result<Rows> {
        rows::concat(&self.0, parts)
    }

    fn norm(&self, norm: &Norm<Weights>, rows: &Rows) -> Result<Rows> {
        rows::normed(&self.0, norm.into(), rows, 0)
    }

    fn dense(&self, stage: &Dense<Weights>, rows: &Rows) -> Result<Rows> {
        let input = Input { rows, first: 0, norm: stage.norm.as_ref().map(NormOf::from) };
        matmul::products(&self.0, input, [&stage.linear], stage.activation)
    }

    fn add_positions(&self, table: &Weights, first: usize, rows: &mut Rows) -> Result<()> {
        rows::add_positions(&self.0, table, first, rows)
    }

    fn gather(&self, rows: &Rows, sources: &[Option<usize>], group: usize) -> Result<Rows> {
        rows::gather(&self.0, rows, sources, group)
    }

    fn mean_pool(&self, rows: &Rows, count: usize) -> Result<Rows> {
        rows::mean_pool(&self.0, rows, count)
    }
}
