//! A device with what was made on it: pipelines, bind groups, free buffers, and the work that waits to be submitted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::adapter::{self, Options, Traits};
use super::buffer::{Bound, Buffer, Memory, PADDING, Pool, next_id};
use super::counters::{Counters, Counts};
use super::kernel::{Access, Kernel};
use super::pace::Pace;
use super::tuning::Tuning;
use super::work::Work;
use crate::{Error, ErrorKind, Result};

/// Bytes of immediates that Vulkan has at least.
pub(super) const IMMEDIATES: u32 = 128;

pub(super) struct Device {
    pub(super) traits: Traits,
    pub(super) raw: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) pool: Pool,
    pub(super) counts: Counts,
    pub(super) work: Mutex<Work>,
    /// Held while work is taken and submitted.
    pub(super) turn: Mutex<()>,
    pub(super) pace: Mutex<Pace>,
    /// Buffers that the host can read, not in use.
    pub(super) staging: Mutex<Vec<wgpu::Buffer>>,
    pub(super) tuning: Tuning,
    options: Options,
    /// What the driver compiled, as it was found and as it grows.
    compiled: Option<wgpu::PipelineCache>,
    pipelines: Mutex<HashMap<Kernel, Arc<Pipeline>>>,
    groups: Mutex<HashMap<GroupKey, wgpu::BindGroup>>,
    /// Values that all layers share, by their bits.
    constants: Mutex<HashMap<Vec<u32>, Arc<Memory>>>,
    /// The first thing that went wrong on it.
    failure: Arc<Mutex<Option<String>>>,
    lost: Arc<AtomicBool>,
}

/// A kernel, compiled.
pub(super) struct Pipeline {
    pub(super) raw: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    bindings: Vec<(u32, Access)>,
    id: u64,
}

/// A pipeline and the memory bound to it.
type GroupKey = (u64, Vec<u64>);

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device {
    pub(super) fn open(options: Options) -> Result<Arc<Self>> {
        let (traits, raw, queue) = adapter::open(options.without)?;
        let (failure, lost) = (Arc::new(Mutex::new(None)), Arc::new(AtomicBool::new(false)));
        let uncaptured = Arc::clone(&failure);
        raw.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&uncaptured).get_or_insert_with(|| error.to_string());
        }));
        let (reason_lost, is_lost) = (Arc::clone(&failure), Arc::clone(&lost));
        raw.set_device_lost_callback(move |_, message| {
            is_lost.store(true, Ordering::Relaxed);
            lock(&reason_lost).get_or_insert_with(|| format!("it was lost: {message}"));
        });
        let tuning = Tuning::new(&traits, &options);
        let compiled = tuning.pipelines(&raw);
        let pace = Mutex::new(Pace::new(traits.software));
        Ok(Arc::new(Self {
            traits,
            raw,
            queue,
            tuning,
            options,
            compiled,
            pool: Pool::default(),
            counts: Counts::default(),
            work: Mutex::default(),
            turn: Mutex::default(),
            pace,
            staging: Mutex::default(),
            pipelines: Mutex::default(),
            groups: Mutex::default(),
            constants: Mutex::default(),
            failure,
            lost,
        }))
    }

    /// Whether it computes nothing any more.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Forgets what the device refused, unless it was lost: what was tried is not used.
    pub(super) fn forgive(&self) {
        if !self.is_lost() {
            lock(&self.failure).take();
        }
    }

    /// # Errors
    /// [`ErrorKind::Device`] from the first moment on at which the device refused something, or was lost.
    pub(super) fn check(&self) -> Result<()> {
        let failure = lock(&self.failure);
        failure.as_ref().map_or(Ok(()), |detail| Err(self.error(detail)))
    }

    pub(super) fn error(&self, detail: &str) -> Error {
        Error::new(ErrorKind::Device, format!("adapter {:?}", self.traits.name), detail)
    }

    pub(super) fn counters(&self) -> Counters {
        self.counts.read()
    }

    pub(super) fn create(&self, size: u64, usage: wgpu::BufferUsages, mapped: bool) -> wgpu::Buffer {
        self.counts.buffers_created.fetch_add(1, Ordering::Relaxed);
        let description = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: mapped };
        self.raw.create_buffer(&description)
    }

    pub(super) fn memory(&self, raw: wgpu::Buffer) -> Arc<Memory> {
        Arc::new(Memory { raw, id: next_id(), recorded: AtomicU64::new(0) })
    }

    /// A buffer of zeros.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] when it is larger than what can be bound, [`ErrorKind::Device`] when there is no room.
    pub(super) fn zeros(self: &Arc<Self>, field: &str, bytes: u64) -> Result<Buffer> {
        self.check_binding(field, bytes)?;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let raw = self.create(bytes.next_multiple_of(16).max(16), usage, false);
        self.check()?;
        Ok(Buffer::owned(self, raw))
    }

    /// A buffer of `bytes` and [`PADDING`] zeros, to be read by kernels.
    ///
    /// # Errors
    /// As [`zeros`](Self::zeros).
    pub(super) fn constant(self: &Arc<Self>, field: &str, bytes: &[u8]) -> Result<Buffer> {
        Ok(Buffer::owned(self, self.filled(field, bytes)?))
    }

    fn filled(&self, field: &str, bytes: &[u8]) -> Result<wgpu::Buffer> {
        let size = (bytes.len() as u64).next_multiple_of(16) + PADDING;
        self.check_binding(field, size)?;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM;
        let raw = self.create(size, usage, true);
        self.check()?;
        let mut view = raw.get_mapped_range_mut(..).map_err(|e| self.error(&e.to_string()))?;
        view.slice(..bytes.len()).copy_from_slice(bytes);
        drop(view);
        raw.unmap();
        Ok(raw)
    }

    /// A texture of 16 bytes a texel.
    ///
    /// # Errors
    /// [`ErrorKind::Device`] when there is no room.
    pub(super) fn texture(&self, width: u32, height: u32, bytes: &[u8]) -> Result<wgpu::TextureView> {
        let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        let texture = self.raw.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba32Uint,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        self.check()?;
        let layout =
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(16 * width), rows_per_image: None };
        self.queue.write_texture(texture.as_image_copy(), bytes, layout, size);
        self.check()?;
        Ok(texture.create_view(&wgpu::TextureViewDescriptor::default()))
    }

    fn check_binding(&self, field: &str, bytes: u64) -> Result<()> {
        let most = self.traits.max_binding;
        if bytes <= most {
            return Ok(());
        }
        let detail = format!("found {bytes} bytes, expected at most the {most} that the adapter can bind");
        Err(Error::new(ErrorKind::Argument, field, detail))
    }

    /// A buffer of `values`, the same for the same values.
    pub(super) fn shared(self: &Arc<Self>, values: &[f32]) -> Result<Arc<Buffer>> {
        let bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        if let Some(memory) = lock(&self.constants).get(&bits) {
            return Ok(Arc::new(Buffer::shared(self, memory)));
        }
        let raw = self.filled("constants", bytemuck::cast_slice(values))?;
        let memory = self.memory(raw);
        let buffer = Arc::new(Buffer::shared(self, &memory));
        lock(&self.constants).insert(bits, memory);
        Ok(buffer)
    }

    /// The kernel, compiled when it is first asked for.
    pub(super) fn pipeline(&self, kernel: &Kernel) -> Result<Arc<Pipeline>> {
        if let Some(pipeline) = lock(&self.pipelines).get(kernel) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(self.compile(kernel)?);
        lock(&self.pipelines).insert(kernel.clone(), Arc::clone(&pipeline));
        Ok(pipeline)
    }

    fn compile(&self, kernel: &Kernel) -> Result<Pipeline> {
        let (file, source) = kernel.source().map_err(|e| self.error(&format!("{kernel:?}: {e}")))?;
        let source = self.options.alter(file, source);
        let label = format!("{kernel:?}");
        let module = self.raw.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let bindings = kernel.bindings();
        let entries: Vec<_> = bindings.iter().map(|(binding, access)| entry(*binding, *access)).collect();
        let description = wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries };
        let layout = self.raw.create_bind_group_layout(&description);
        let pipeline_layout = self.raw.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: IMMEDIATES,
        });
        let raw = self.raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: self.compiled.as_ref(),
        });
        self.check()?;
        self.counts.kernels_compiled.fetch_add(1, Ordering::Relaxed);
        Ok(Pipeline { raw, layout, bindings, id: next_id() })
    }

    /// The group that binds `bound`, in the order of [`Kernel::bindings`].
    pub(super) fn group(&self, pipeline: &Pipeline, bound: &[Bound<'_>]) -> wgpu::BindGroup {
        debug_assert_eq!(bound.len(), pipeline.bindings.len());
        let key = (pipeline.id, bound.iter().map(|bound| bound.id()).collect());
        let mut groups = lock(&self.groups);
        let group = groups.entry(key).or_insert_with(|| {
            self.counts.groups_created.fetch_add(1, Ordering::Relaxed);
            let numbered = pipeline.bindings.iter().zip(bound);
            let entries: Vec<_> = numbered
                .map(|((binding, _), bound)| wgpu::BindGroupEntry {
                    binding: *binding,
                    resource: bound.resource(),
                })
                .collect();
            let layout = &pipeline.layout;
            self.raw.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
        });
        group.clone()
    }

    /// Drops the groups that hold memory which is no longer needed.
    pub(super) fn forget_groups_of(&self, memory: u64) {
        lock(&self.groups).retain(|(_, bound), _| !bound.contains(&memory));
    }
}

impl Drop for Device {
    /// Keeps what was compiled, for the next start.
    fn drop(&mut self) {
        let grown = self.counters().kernels_compiled > 0 && !self.is_lost();
        let data = self.compiled.as_ref().filter(|_| grown).and_then(wgpu::PipelineCache::get_data);
        if let Some(data) = data {
            self.tuning.keep_pipelines(&data);
        }
    }
}

fn entry(binding: u32, access: Access) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: match access {
            Access::Texels => wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Uint,
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            },
            Access::Uniform => wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Uniform,
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            Access::Read | Access::Write => wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: access == Access::Read },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
        },
        count: None,
    }
}
