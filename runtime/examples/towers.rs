//! Seconds of one pass of a vision tower, stage by stage: `towers MMPROJ.gguf [ROUNDS]`, the best of all rounds.

#![allow(clippy::print_stdout, reason = "an example prints what it measured")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::cpu::{Cpu, KvCache, Rows, Weights};
use lorgnette_runtime::backend::{
    AttentionInput, Backend, Candidates, Dense, FeedForwardInput, Heads, KvShape, Linear, Matrix, Norm,
    Output, Place, Sight,
};
use lorgnette_runtime::model::vision::{self, Tile, VisionTower};
use lorgnette_runtime::{Error, ErrorKind, Result, TokenId};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = || Error::new(ErrorKind::Argument, "", "usage: towers MMPROJ.gguf [ROUNDS]");
    let path = args.next().ok_or_else(usage)?;
    let rounds = args.next().map_or(Ok(5), |arg| arg.parse().map_err(|_| usage()))?;
    let clock = Clock::default();
    let tower = VisionTower::load(clock.clone(), &Arc::new(Gguf::open(&path)?))?.ok_or_else(usage)?;
    let tile = tile(tower.preprocessor().tile());
    let mut best = (Duration::MAX, BTreeMap::new());
    for _ in 0..rounds {
        clock.take();
        let start = Instant::now();
        tower.encode(&tile)?;
        let pass = start.elapsed();
        let stages = clock.take();
        if pass < best.0 {
            best = (pass, stages);
        }
    }
    println!("{:.3} s a pass", best.0.as_secs_f64());
    for (stage, spent) in best.1 {
        println!("{stage:>16} {:.3} s", spent.as_secs_f64());
    }
    Ok(())
}

/// A tile of `side` pixels that are not alike.
fn tile(side: usize) -> Tile {
    let values = (0..3 * side * side).map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0).collect();
    Tile { place: vision::Place::Overview, side, values }
}

/// The processor, with a clock at each stage.
#[derive(Clone, Default)]
struct Clock {
    spent: Arc<Mutex<BTreeMap<&'static str, Duration>>>,
}

impl Clock {
    /// What was spent since the last call.
    fn take(&self) -> BTreeMap<&'static str, Duration> {
        self.spent.lock().map(|mut spent| std::mem::take(&mut *spent)).unwrap_or_default()
    }

    fn time<T>(&self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        if let Ok(mut spent) = self.spent.lock() {
            *spent.entry(stage).or_default() += start.elapsed();
        }
        done
    }
}

impl Backend for Clock {
    type Weights = Weights;
    type Rows = Rows;
    type KvCache = KvCache;
    type Token = TokenId;

    fn load(&self, matrix: Matrix) -> Result<Weights> {
        Cpu.load(matrix)
    }

    fn kv_cache(&self, shape: KvShape, positions: usize) -> Result<KvCache> {
        self.time("kv_cache", || Cpu.kv_cache(shape, positions))
    }

    fn copy_kv(&self, from: &Self::KvCache, positions: usize, to: &mut Self::KvCache) -> Result<()> {
        Cpu.copy_kv(from, positions, to)
    }

    fn embed(&self, table: &Weights, tokens: &[TokenId]) -> Result<Rows> {
        self.time("embed", || Cpu.embed(table, tokens))
    }

    fn embed_chosen(&self, table: &Weights, token: &TokenId) -> Result<Rows> {
        self.time("embed", || Cpu.embed_chosen(table, token))
    }

    fn attention_input(
        &self,
        stage: &AttentionInput<Weights>,
        rows: &Rows,
        cache: &mut KvCache,
        at: Place,
    ) -> Result<Rows> {
        self.time("attention_input", || Cpu.attention_input(stage, rows, cache, at))
    }

    fn attention(
        &self,
        heads: &Heads,
        queries: &Rows,
        cache: &KvCache,
        at: Place,
        sight: Sight,
    ) -> Result<Rows> {
        self.time("attention", || Cpu.attention(heads, queries, cache, at, sight))
    }

    fn project_onto(&self, linear: &Linear<Weights>, rows: &Rows, residual: &mut Rows) -> Result<()> {
        self.time("project_onto", || Cpu.project_onto(linear, rows, residual))
    }

    fn feed_forward_input(&self, stage: &FeedForwardInput<Weights>, rows: &Rows) -> Result<Rows> {
        self.time("feed_forward_input", || Cpu.feed_forward_input(stage, rows))
    }

    fn logits(&self, stage: &Output<'_, Weights>, rows: &Rows, first: usize) -> Result<Rows> {
        self.time("logits", || Cpu.logits(stage, rows, first))
    }

    fn likeliest(&self, logits: &Rows, allowed: Option<&[u32]>) -> Result<TokenId> {
        Cpu.likeliest(logits, allowed)
    }

    fn token(&self, token: &TokenId) -> Result<TokenId> {
        Cpu.token(token)
    }

    fn candidates(&self, logits: Rows, allowed: Option<&[u32]>, count: usize) -> Result<Candidates> {
        Cpu.candidates(logits, allowed, count)
    }

    fn finish(&self) -> Result<()> {
        Cpu.finish()
    }

    fn upload(&self, width: usize, values: Vec<f32>) -> Result<Rows> {
        self.time("upload", || Cpu.upload(width, values))
    }

    fn download(&self, rows: Rows) -> Result<Vec<f32>> {
        self.time("download", || Cpu.download(rows))
    }

    fn concat(&self, parts: &[&Rows]) -> Result<Rows> {
        self.time("concat", || Cpu.concat(parts))
    }

    fn norm(&self, norm: &Norm<Weights>, rows: &Rows) -> Result<Rows> {
        self.time("norm", || Cpu.norm(norm, rows))
    }

    fn dense(&self, stage: &Dense<Weights>, rows: &Rows) -> Result<Rows> {
        self.time("dense", || Cpu.dense(stage, rows))
    }

    fn add_positions(&self, table: &Weights, first: usize, rows: &mut Rows) -> Result<()> {
        self.time("add_positions", || Cpu.add_positions(table, first, rows))
    }

    fn gather(&self, rows: &Rows, sources: &[Option<usize>], group: usize) -> Result<Rows> {
        self.time("gather", || Cpu.gather(rows, sources, group))
    }

    fn mean_pool(&self, rows: &Rows, count: usize) -> Result<Rows> {
        self.time("mean_pool", || Cpu.mean_pool(rows, count))
    }
}
