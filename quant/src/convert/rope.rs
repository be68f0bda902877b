//! Rotary position embeddings: which frequencies a model turns its heads by.

use super::json::Node;
use crate::error::Result;
use crate::gguf::Metadata;

/// The base of the frequencies where a configuration has none.
const DEFAULT_THETA: f32 = 10_000.0;

/// The rotary part of a configuration.
pub(super) struct Rope<'a> {
    theta: f32,
    scaling: Scaling<'a>,
}

/// How the frequencies are changed for contexts longer than the first training's.
enum Scaling<'a> {
    None,
    Linear { factor: f32 },
    Yarn { factor: f32, original_context: u32, config: Node<'a> },
    Llama3(Llama3),
}

/// Llama 3's scaling: long wavelengths are divided by `factor`, short ones stay, those between are blended.
struct Llama3 {
    factor: f32,
    low_freq_factor: f32,
    high_freq_factor: f32,
    original_context: f32,
}

impl<'a> Rope<'a> {
    /// Reads `rope_scaling` or `rope_parameters` of `config`, in the spelling of any release of transformers.
    pub(super) fn read(config: &Node<'a>, context: u32) -> Result<Self> {
        let theta = config.opt("rope_theta")?;
        let Some(scaling) = config.get("rope_scaling")?.or(config.get("rope_parameters")?) else {
            return Ok(Self { theta: theta.unwrap_or(DEFAULT_THETA), scaling: Scaling::None });
        };
        let theta = scaling.opt("rope_theta")?.or(theta).unwrap_or(DEFAULT_THETA);
        Ok(Self { theta, scaling: read_scaling(config, &scaling, context)? })
    }

    /// The keys of architecture `arch`.
    pub(super) fn set_keys(&self, metadata: &mut Metadata, arch: &str) -> Result<()> {
        let key = |name: &str| format!("{arch}.rope.{name}");
        match &self.scaling {
            Scaling::None | Scaling::Llama3(_) => {}
            Scaling::Linear { factor } => {
                metadata.set(key("scaling.type"), "linear");
                metadata.set(key("scaling.factor"), *factor);
            }
            Scaling::Yarn { factor, original_context, config } => {
                metadata.set(key("scaling.type"), "yarn");
                metadata.set(key("scaling.factor"), *factor);
                metadata.set(key("scaling.original_context_length"), *original_context);
                let attention: Option<f32> = config.opt("attention_factor")?.or(config.opt("attn_factor")?);
                let tuning = [
                    ("scaling.yarn_ext_factor", config.opt("extrapolation_factor")?),
                    ("scaling.yarn_attn_factor", attention),
                    ("scaling.yarn_beta_fast", config.opt("beta_fast")?),
                    ("scaling.yarn_beta_slow", config.opt("beta_slow")?),
                ];
                for (name, value) in tuning {
                    if let Some(value) = value {
                        metadata.set(key(name), value);
                    }
                }
            }
        }
        metadata.set(key("freq_base"), self.theta);
        Ok(())
    }

    /// What each frequency of a head of `head_dim` is divided by, where that is no one number for all.
    pub(super) fn factors(&self, head_dim: usize) -> Option<Vec<f32>> {
        let Scaling::Llama3(scaling) = &self.scaling else { return None };
        let exponents = (0..head_dim).step_by(2).map(|i| i as f32 / head_dim as f32);
        Some(exponents.map(|exponent| scaling.divisor(self.theta.powf(exponent).recip())).collect())
    }
}

impl Llama3 {
    fn divisor(&self, frequency: f32) -> f32 {
        let wavelength = frequency.recip() * std::f32::consts::TAU;
        if wavelength < self.original_context / self.high_freq_factor {
            1.0
        } else if wavelength > self.original_context / self.low_freq_factor {
            self.factor
        } else {
            let turns = wavelength.recip() * self.original_context;
            let smooth = (turns - self.low_freq_factor) / (self.high_freq_factor - self.low_freq_factor);
            ((1.0 - smooth) / self.factor + smooth).recip()
        }
    }
}

fn read_scaling<'a>(config: &Node<'a>, scaling: &Node<'a>, context: u32) -> Result<Scaling<'a>> {
    let Some(kind) = scaling.get("rope_type")?.or(scaling.get("type")?) else { return Ok(Scaling::None) };
    let original_context = || {
        let written = config.opt("original_max_position_embeddings")?;
        Ok(written.or(scaling.opt("original_max_position_embeddings")?).unwrap_or(context))
    };
    Ok(match kind.to()? {
        // The dynamic kind changes nothing within the trained context.
        "default" | "dynamic" => Scaling::None,
        "linear" => Scaling::Linear { factor: scaling.need("factor")? },
        "yarn" => Scaling::Yarn {
            factor: scaling.need("factor")?,
            original_context: original_context()?,
            config: scaling.clone(),
        },
        "llama3" => Scaling::Llama3(Llama3 {
            factor: scaling.opt("factor")?.unwrap_or(8.0),
            low_freq_factor: scaling.opt("low_freq_factor")?.unwrap_or(1.0),
            high_freq_factor: scaling.opt("high_freq_factor")?.unwrap_or(4.0),
            original_context: original_context()? as f32,
        }),
        _ => return Err(kind.unsupported("default, dynamic, linear, yarn, llama3")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_keeps_short_waves_and_stretches_long_ones() {
        let scaling =
            Llama3 { factor: 32.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 8192.0 };
        let rope = Rope { theta: 500_000.0, scaling: Scaling::Llama3(scaling) };
        let factors = rope.factors(64).unwrap();
        assert_eq!(factors.len(), 32);
        assert_eq!(factors[0], 1.0);
        assert_eq!(factors[31], 32.0);
        assert!(factors.windows(2).all(|pair| pair[0] <= pair[1]), "{factors:?}");
    }
}
