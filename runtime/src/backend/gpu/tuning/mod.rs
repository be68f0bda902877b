//! Which kernels are right on an adapter, and which of those that compute the same is fastest.
//!
//! A kernel is tested before it is first used, and what is wrong is left out. Where several are left for a matrix, they
//! are timed on it when it is loaded. What was found is kept for the next start.

mod record;
mod self_test;
mod speeds;
mod store;
mod timing;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use wgpu::Features;

pub use self::record::{Decode, Record, Test, Timing};
pub use self::speeds::Speeds;
use self::store::Store;
pub use self::store::cache_folder;
use super::Gpu;
use super::adapter::{Options, Traits};
use super::device::lock;
use super::format::Format;
use super::product::Variant;
use super::ways::candidates;
use crate::backend::KvShape;
use crate::{Error, Result};

/// What was found about the kernels of an adapter.
pub(super) struct Tuning {
    /// Whether kernels are tested and timed at all.
    on: bool,
    store: Option<Store>,
    limit: Option<Duration>,
    record: Mutex<Record>,
    /// What tests and timings took before the device was opened, in milliseconds.
    before: f64,
}

/// The limit that is usual.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

impl Tuning {
    pub(super) fn new(traits: &Traits, options: &Options) -> Self {
        let store = options.cache.as_ref().map(|folder| Store::new(folder, traits, &options.altered));
        let record = store.as_ref().and_then(Store::record).unwrap_or_default();
        Self {
            on: options.tuned,
            store,
            limit: options.limit,
            before: record.milliseconds,
            record: Mutex::new(record),
        }
    }

    /// What the driver compiled before, to go on with.
    pub(super) fn pipelines(&self, device: &wgpu::Device) -> Option<wgpu::PipelineCache> {
        let store = self.store.as_ref().filter(|_| device.features().contains(Features::PIPELINE_CACHE))?;
        let data = store.pipelines();
        let description =
            wgpu::PipelineCacheDescriptor { label: None, data: data.as_deref(), fallback: true };
        // SAFETY: the data is what `get_data` returned for this adapter and driver: the store has a file for each, and
        // a sum over it that it is whole.
        Some(unsafe { device.create_pipeline_cache(&description) })
    }

    pub(super) fn keep_pipelines(&self, data: &[u8]) {
        if let Some(store) = &self.store {
            store.keep_pipelines(data);
        }
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        let mut record = lock(&self.record);
        change(&mut record);
        if let Some(store) = &self.store {
            store.keep_record(&record);
        }
    }
}

impl Gpu {
    /// What tests and timings found so far, now or at an earlier start.
    pub fn record(&self) -> Record {
        lock(&self.0.tuning.record).clone()
    }

    /// Where that is kept.
    pub fn cache(&self) -> Option<PathBuf> {
        self.0.tuning.store.as_ref().map(Store::path)
    }

    /// Remembers how fast it decodes, beside the processor.
    pub fn keep_decode(&self, decode: Decode) {
        self.0.tuning.change(|record| record.decode = Some(decode));
    }

    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) when a stage that has but one kernel is computed wrongly.
    pub(super) fn test_stages(&self) -> Result<()> {
        if !self.0.tuning.on {
            return Ok(());
        }
        self_test::STAGES
            .iter()
            .try_for_each(|stage| self.require(&[self.test(stage.name, || stage.run(self))?]))
    }

    /// # Errors
    /// As [`test_stages`](Self::test_stages), for attention in a cache of this shape.
    pub(super) fn test_attention(&self, shape: KvShape) -> Result<()> {
        if !self.0.tuning.on {
            return Ok(());
        }
        let name = format!("attention, heads of {} in {:?}", shape.head_len, shape.element);
        self.require(&[self.test(&name, || self_test::attention(self, shape))?])
    }

    /// Tests the kernels of all formats, not only of those that were loaded.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) when the device was lost.
    pub fn test_formats(&self) -> Result<()> {
        for &format in Format::ALL.iter().filter(|format| !format.is_in_texels()) {
            self.test_embedding(format)?;
            for count in [1, 9] {
                let ways = candidates(&self.0.traits, format, count);
                ways.into_iter().try_for_each(|way| self.test_product(format, way, count).map(drop))?;
            }
        }
        Ok(())
    }

    fn test_embedding(&self, format: Format) -> Result<Test> {
        self.test(&format!("{} embedding", format.name()), || self_test::embedding(self, format))
    }

    fn test_product(&self, format: Format, way: Variant, count: usize) -> Result<Test> {
        self.test(&product_name(format, way), || self_test::product(self, format, way, count))
    }

    /// Whether there is time for what could be done without, or it was done before.
    fn has_time_for(&self, name: &str, is_done: impl Fn(&Record) -> bool) -> bool {
        let tuning = &self.0.tuning;
        let record = lock(&tuning.record);
        if is_done(&record) {
            return true;
        }
        let took = (record.milliseconds - tuning.before) / 1e3;
        let in_time = tuning.limit.is_none_or(|limit| took < limit.as_secs_f64());
        if in_time && !record.left_undone.contains(name) {
            return true;
        }
        drop(record);
        tuning.change(|record| record.left_undone.extend([name.to_owned()]));
        false
    }

    /// The test called `name`, which is done if it never was.
    ///
    /// # Errors
    /// When the device was lost; what else goes wrong is what the test finds.
    fn test(&self, name: &str, run: impl FnOnce() -> Result<Test>) -> Result<Test> {
        if let Some(known) = lock(&self.0.tuning.record).tests.get(name) {
            return Ok(known.clone());
        }
        let start = Instant::now();
        let test = match run() {
            Err(error) if self.0.is_lost() => return Err(error),
            Err(error) => Test::failed(&error),
            Ok(test) => test,
        };
        self.0.forgive();
        let test = Test { name: name.to_owned(), ..test };
        self.0.tuning.change(|record| {
            record.tests.insert(name.to_owned(), test.clone());
            record.took(start.elapsed());
        });
        Ok(test)
    }

    /// # Errors
    /// When none of the tests was passed.
    fn require(&self, tests: &[Test]) -> Result<()> {
        if tests.iter().any(Test::is_right) {
            return Ok(());
        }
        let tests: Vec<_> = tests.iter().map(ToString::to_string).collect();
        Err(self.wrong(&tests.join("; ")))
    }

    fn wrong(&self, tests: &str) -> Error {
        self.0.error(&format!("nothing computes this right: {tests}"))
    }
}

fn product_name(format: Format, way: Variant) -> String {
    format!("{} {way:?}", format.name())
}
