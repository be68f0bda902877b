//! The parts of a model's name: `SmolLM2-360M-Instruct` is a base name, a size label and a finetune. Source: the
//! GGUF naming convention and the heuristics of `gguf-py/gguf/metadata.py`.

use super::naming::title;

/// What a model's name says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NameParts {
    pub(super) name: Option<String>,
    pub(super) organization: Option<String>,
    pub(super) basename: Option<String>,
    pub(super) finetune: Option<String>,
    pub(super) version: Option<String>,
    pub(super) size_label: Option<String>,
}

/// What a part of a name may be; several at once.
#[derive(Default)]
struct Kinds {
    basename: bool,
    size: bool,
    finetune: bool,
    version: bool,
    encoding: bool,
}

impl Kinds {
    fn count(&self) -> usize {
        [self.basename, self.size, self.finetune, self.version, self.encoding]
            .iter()
            .filter(|&&kind| kind)
            .count()
    }
}

impl NameParts {
    /// Reads `organization/model-id`, or the name of a directory. `params` is the number of the model's parameters,
    /// which tells a size from a context length.
    pub(super) fn read(model_id: &str, params: u64) -> Self {
        if model_id.contains(' ') {
            return Self { name: Some(title(model_id)), ..Self::default() };
        }
        let (organization, full_name) = match model_id.split_once('/') {
            Some((organization, name)) => (Some(organization).filter(|o| !o.starts_with('.')), name),
            None => (None, model_id),
        };
        let mut parts: Vec<_> = full_name
            .split('-')
            .filter(|part| !part.is_empty())
            .map(|part| (part.to_owned(), Kinds::default()))
            .collect();
        for (i, (part, kinds)) in parts.iter_mut().enumerate() {
            classify(part, kinds, i > 0, params);
        }
        drop_word_sizes(&mut parts);
        mark_basename(&mut parts);

        let join = |is: fn(&Kinds) -> bool| {
            let chosen: Vec<_> = parts.iter().filter(|(_, k)| is(k)).map(|(part, _)| part.as_str()).collect();
            (!chosen.is_empty()).then(|| chosen.join("-"))
        };
        let mut sizes: Vec<&str> = Vec::new();
        for (part, _) in parts.iter().filter(|(_, kinds)| kinds.size) {
            if !sizes.contains(&part.as_str()) {
                sizes.push(part);
            }
        }
        let size_label = (!sizes.is_empty()).then(|| sizes.join("-"));
        let finetune = join(|kinds| kinds.finetune);
        let version = join(|kinds| kinds.version && !kinds.basename);
        let telling = size_label.is_some() || finetune.is_some() || version.is_some();
        Self {
            name: Some(title(full_name)),
            organization: organization.map(title),
            basename: join(|kinds| kinds.basename).filter(|_| telling),
            finetune,
            version,
            size_label,
        }
    }
}

fn classify(part: &mut String, kinds: &mut Kinds, after_first: bool, params: u64) {
    let lower = part.to_ascii_lowercase();
    if is_version(&lower) {
        kinds.version = true;
    } else if is_encoding(&lower) {
        kinds.encoding = true;
        *part = part.to_uppercase();
    } else if after_first && is_size(&lower) {
        *part = normalized_size(part);
        if is_context_length(part, params) {
            kinds.finetune = true;
            lower_last(part);
        } else {
            kinds.size = true;
        }
    } else if after_first && ["chat", "instruct", "vision", "lora"].contains(&lower.as_str()) {
        kinds.finetune = true;
    }
}

/// `small` beside `1B` is no size.
fn drop_word_sizes(parts: &mut [(String, Kinds)]) {
    let numbered = |part: &str| part.contains(|c: char| c.is_ascii_digit());
    if parts.iter().any(|(part, kinds)| kinds.size && numbered(part)) {
        for (part, kinds) in parts {
            kinds.size &= !part.chars().all(char::is_alphabetic);
        }
    }
}

/// The base name is what stands first, with its versions, but without those at the end.
fn mark_basename(parts: &mut [(String, Kinds)]) {
    let mut at_start = true;
    for (part, kinds) in parts.iter_mut() {
        at_start &= kinds.version || (kinds.count() == 0 && part.starts_with(char::is_alphabetic));
        kinds.basename = at_start;
        kinds.finetune |= kinds.count() == 0;
    }
    for (_, kinds) in parts.iter_mut().rev() {
        if !kinds.basename || kinds.count() < 2 {
            break;
        }
        kinds.basename = false;
    }
}

fn digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// `2`, `v0.3`, `iter1`.
pub(super) fn is_version(part: &str) -> bool {
    let number = part.strip_prefix('v').or_else(|| part.strip_prefix("iter")).unwrap_or(part);
    number.split('.').all(|section| digits(section) == Some(""))
}

/// `q4_k_m`, `iq3_s`, `bf16`, `fp32`.
fn is_encoding(part: &str) -> bool {
    let float = |name: &str| {
        let name = name.strip_prefix('f')?;
        Some(["16", "32"].contains(&name.strip_prefix('p').unwrap_or(name)))
    };
    let quantized = |name: &str| {
        let rest = name.strip_prefix('q')?.strip_prefix(|c: char| c.is_ascii_digit())?;
        let mut letters = rest.split('_');
        Some(letters.next() == Some("") && letters.all(|l| l.len() == 1 && l != "_"))
    };
    float(part.strip_prefix('b').unwrap_or(part)) == Some(true)
        || quantized(part.strip_prefix('i').unwrap_or(part)) == Some(true)
}

/// `360m`, `1.5b`, `7b1`, `8x7b`, `a3b`, `small`.
fn is_size(part: &str) -> bool {
    if ["small", "mini", "medium", "large", "xl", "xxl"].contains(&part) {
        return true;
    }
    let number = |text: &str| {
        let rest = digits(text)?;
        let rest = rest.strip_prefix(['.', '_']).map_or(Some(rest), digits)?;
        let rest = rest.strip_prefix(['k', 'm', 'b', 't'])?;
        Some(rest.is_empty() || (rest.len() == 1 && digits(rest).is_some()))
    };
    let experts = digits(part).and_then(|rest| rest.strip_prefix('x'));
    let rest = part.strip_prefix('a').or(experts).unwrap_or(part);
    number(rest) == Some(true)
}

/// `7b1` as `7.1B`, `1_5b` as `1.5B`.
fn normalized_size(part: &str) -> String {
    let mut chars: Vec<_> = part.replace('_', ".").chars().collect();
    if let [.., unit, last] = chars[..]
        && last.is_ascii_digit()
    {
        chars.truncate(chars.len() - 2);
        chars.extend(['.', last, unit]);
    }
    if let [.., before, unit] = &mut chars[..]
        && before.is_ascii_digit()
    {
        unit.make_ascii_uppercase();
    }
    chars.into_iter().collect()
}

/// Whether a size is too far from the number of parameters to be theirs.
fn is_context_length(size: &str, params: u64) -> bool {
    let Some(number) = size.get(..size.len().saturating_sub(1)).and_then(|n| n.parse::<f64>().ok()) else {
        return false;
    };
    let power = match size.chars().last() {
        Some('K') => 1,
        Some('M') => 2,
        Some('B') => 3,
        Some('T') => 4,
        _ => -1,
    };
    params != 0
        && (number * 1000f64.powi(power) - params as f64).abs() > (params.saturating_mul(7) / 8) as f64
}

fn lower_last(part: &mut String) {
    if let Some(last) = part.pop() {
        part.push(last.to_ascii_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_parts_as_in_gguf_py() {
        // What gguf-py makes of each: name, organization, base name, size, finetune, version.
        let rows = [
            (
                "HuggingFaceTB/SmolLM2-360M-Instruct",
                361_821_120,
                ["SmolLM2 360M Instruct", "HuggingFaceTB", "SmolLM2", "360M", "Instruct", ""],
            ),
            (
                "Llama-3.2-1B-Instruct",
                1_235_814_400,
                ["Llama 3.2 1B Instruct", "", "Llama-3.2", "1B", "Instruct", ""],
            ),
            (
                "SmolVLM2-256M-Video-Instruct",
                134_515_008,
                ["SmolVLM2 256M Video Instruct", "", "SmolVLM2", "", "256m-Video-Instruct", ""],
            ),
            (
                "SmolVLM2-500M-Video-Instruct",
                409_000_000,
                ["SmolVLM2 500M Video Instruct", "", "SmolVLM2", "500M", "Video-Instruct", ""],
            ),
            ("qwen3-0.6b", 596_049_920, ["Qwen3 0.6b", "", "qwen3", "0.6B", "", ""]),
            (
                "ultravox-v0_5-llama-3_2-1b",
                0,
                ["Ultravox V0_5 Llama 3_2 1b", "", "ultravox-v0_5-llama", "1B", "3_2", ""],
            ),
            ("bloom-7b1", 560, ["Bloom 7b1", "", "bloom", "", "7.1b", ""]),
            ("model", 0, ["Model", "", "", "", "", ""]),
            ("tiny-v1.0", 0, ["Tiny v1.0", "", "tiny", "", "", "v1.0"]),
            ("Mixtral-8x7B-v0.1", 46_700_000_000, ["Mixtral 8x7B v0.1", "", "Mixtral", "8x7B", "", "v0.1"]),
            (
                "Phi-3-mini-4k-instruct",
                3_800_000_000,
                ["Phi 3 Mini 4k Instruct", "", "Phi-3", "mini", "4k-instruct", ""],
            ),
            (
                "Qwen2.5-0.5B-Instruct-q4_k_m",
                494_000_000,
                ["Qwen2.5 0.5B Instruct Q4_K_M", "", "Qwen2.5", "0.5B", "Instruct", ""],
            ),
            ("some model", 7, ["Some Model", "", "", "", "", ""]),
            ("./x-1B", 1_000_000_000, ["X 1B", "", "x", "1B", "", ""]),
            ("gemma-2-2b-it-bf16", 2_600_000_000, ["Gemma 2 2b It Bf16", "", "gemma-2", "2B", "it", ""]),
            ("my--odd-", 3, ["My Odd", "", "", "", "", ""]),
            ("2-b", 3, ["2 B", "", "", "", "", ""]),
            ("a-small-1B", 1_000_000_000, ["A Small 1B", "", "a-small", "1B", "", ""]),
            ("x-A3B-30B", 30_000_000_000, ["X A3B 30B", "", "x", "A3B-30B", "", ""]),
            ("iter2-foo-v2", 5, ["Iter2 Foo v2", "", "iter2-foo", "", "", "v2"]),
        ];
        for (id, params, expected) in rows {
            let NameParts { name, organization, basename, finetune, version, size_label } =
                NameParts::read(id, params);
            let found = [name, organization, basename, size_label, finetune, version];
            assert_eq!(found.map(Option::unwrap_or_default), expected, "{id}");
        }
    }
}
