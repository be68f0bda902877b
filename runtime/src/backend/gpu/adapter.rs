//! Which adapter computes, and what it can do.

use std::path::PathBuf;
use std::time::Duration;

use wgpu::{DeviceType, Features};

use crate::{Error, ErrorKind, Result};

/// What an adapter is and can do.
#[derive(Clone, Debug)]
pub struct Traits {
    /// As its driver calls it.
    pub name: String,
    /// The driver and its version.
    pub driver: String,
    /// Whether it is a program on the processor.
    pub software: bool,
    /// The least and the most threads of a subgroup, where there are subgroups.
    pub subgroups: Option<(u32, u32)>,
    /// Bytes that can be bound at once.
    pub max_binding: u64,
    /// Bytes of memory that a group of threads shares.
    pub group_memory: u32,
    /// Whether it computes in f16.
    pub f16: bool,
    /// The rows of square matrices of f16 that subgroups multiply together, with sums in f32.
    pub cooperative_matrices: Option<u32>,
}

/// How an adapter is opened. The default takes the kernels as they are.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is not to be used.
    pub without: Without,
    /// Whether kernels are tested before they are used, and those timed that compute the same.
    pub tuned: bool,
    /// After how long nothing is tested and timed any more that a model can do without. Without it there is no end.
    pub limit: Option<Duration>,
    /// The folder in which what was found is kept. Without one it is found anew.
    pub cache: Option<PathBuf>,
    /// Kernels that are other than they should be: for trying what a driver does that compiles them wrongly.
    pub altered: Vec<Alteration>,
}

/// One text in place of another in the WGSL of kernels.
#[derive(Clone, Debug)]
pub struct Alteration {
    /// The template, as `matmul/tile.wgsl`.
    pub file: &'static str,
    /// What is replaced wherever it is.
    pub from: &'static str,
    /// By what.
    pub to: &'static str,
}

impl Options {
    /// `source` is what the template `file` was expanded to.
    pub(super) fn alter(&self, file: &str, source: String) -> String {
        let altered = self.altered.iter().filter(|alteration| alteration.file == file);
        altered.fold(source, |source, alteration| source.replace(alteration.from, alteration.to))
    }
}

/// What is not to be used, though the adapter may have it: for trying how others fare.
#[derive(Clone, Copy, Debug, Default)]
pub struct Without {
    /// No subgroups.
    pub subgroups: bool,
    /// No more than so many bytes bound at once.
    pub bindings_above: Option<u64>,
}

/// All adapters that can compute, the one that is likely to be fastest first.
fn able() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
    let mut able: Vec<_> =
        adapters.into_iter().filter(|adapter| adapter.features().contains(Features::IMMEDIATES)).collect();
    able.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    able
}

/// What is known of each adapter that can compute. The first is the one that is opened.
pub fn adapters() -> Vec<Traits> {
    able().iter().map(|adapter| traits(adapter, Without::default())).collect()
}

/// The adapter that is likely to be fastest, with all features that kernels use.
pub(super) fn open(without: Without) -> Result<(Traits, wgpu::Device, wgpu::Queue)> {
    let adapter = able().into_iter().next();
    let adapter = adapter.ok_or_else(|| Error::missing("adapter", "one for Vulkan, with push constants"))?;
    let traits = traits(&adapter, without);
    let mut features = Features::IMMEDIATES;
    features.set(Features::SUBGROUP, traits.subgroups.is_some());
    features.set(Features::SHADER_F16, traits.f16);
    features.set(Features::EXPERIMENTAL_COOPERATIVE_MATRIX, traits.cooperative_matrices.is_some());
    features |= adapter.features() & Features::PIPELINE_CACHE;
    // SAFETY: the one such feature is used by one kernel, which is tested on the adapter before it is used.
    let experimental_features = unsafe { wgpu::ExperimentalFeatures::enabled() };
    let request = wgpu::DeviceDescriptor {
        label: Some("lorgnette"),
        required_features: features,
        required_limits: adapter.limits(),
        experimental_features,
        ..wgpu::DeviceDescriptor::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&request))
        .map_err(|e| Error::new(ErrorKind::Device, format!("adapter {:?}", traits.name), e.to_string()))?;
    Ok((traits, device, queue))
}

/// Lower is faster.
fn rank(kind: DeviceType) -> u8 {
    match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

fn traits(adapter: &wgpu::Adapter, without: Without) -> Traits {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let has_subgroups = adapter.features().contains(Features::SUBGROUP) && !without.subgroups;
    let max_binding = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    Traits {
        driver: format!("{} {}", info.driver, info.driver_info),
        software: info.device_type == DeviceType::Cpu,
        subgroups: has_subgroups.then_some((info.subgroup_min_size, info.subgroup_max_size)),
        max_binding: max_binding.min(without.bindings_above.unwrap_or(u64::MAX)),
        group_memory: limits.max_compute_workgroup_storage_size,
        f16: adapter.features().contains(Features::SHADER_F16),
        cooperative_matrices: cooperative_side(adapter),
        name: info.name,
    }
}

/// The larger of the squares that the kernel is made for.
fn cooperative_side(adapter: &wgpu::Adapter) -> Option<u32> {
    let properties = adapter.cooperative_matrix_properties();
    let is_offered = |side: &u32| {
        properties.iter().any(|offer| {
            [offer.m_size, offer.n_size, offer.k_size] == [*side; 3]
                && offer.ab_type == wgpu::CooperativeScalarType::F16
                && offer.cr_type == wgpu::CooperativeScalarType::F32
        })
    };
    let has_f16 = adapter.features().contains(Features::SHADER_F16);
    [16, 8].into_iter().filter(|_| has_f16).find(is_offered)
}
