//! Names for people, sizes and files, as llama.cpp's converter forms them.

use super::name_parts::{NameParts, is_version};

/// `1.7B` for a number of parameters, two digits at least.
pub(super) fn size_label(params: u64) -> String {
    let params = params as f64;
    let (scaled, unit) = match params {
        p if p > 1e12 => (p * 1e-12, 'T'),
        p if p > 1e9 => (p * 1e-9, 'B'),
        p if p > 1e6 => (p * 1e-6, 'M'),
        p => (p * 1e-3, 'K'),
    };
    let whole = scaled.round_ties_even();
    let whole_digits = if whole == 0.0 { 0 } else { whole.to_string().len() };
    format!("{scaled:.*}{unit}", 2usize.saturating_sub(whole_digits))
}

/// The name of the file without `.gguf`.
pub(super) fn file_stem(parts: &NameParts, size_label: Option<&str>, encoding: &str) -> String {
    let word = |text: &str| text.trim().replace([' ', '/', '\\'], "-");
    let name = parts.basename.as_deref().or(parts.name.as_deref()).unwrap_or("ggml-model");
    let mut stem = word(name);
    let tail = [size_label, parts.finetune.as_deref(), parts.version.as_deref(), Some(encoding)];
    for part in tail.into_iter().flatten() {
        stem.push('-');
        stem.push_str(&word(part));
    }
    stem
}

/// Words for reading: `smollm2-360m-chat` as `Smollm2 360m Chat`. Sizes, versions and acronyms stay.
pub(super) fn title(id: &str) -> String {
    let capitalized = |word: &str| {
        let lower = word.chars().any(char::is_lowercase) && !word.chars().any(char::is_uppercase);
        let numbered =
            word.starts_with(|c: char| c.is_ascii_digit()) || (word.starts_with('v') && is_version(word));
        if lower && !numbered { title_case(word) } else { word.to_owned() }
    };
    id.replace('-', " ").split_whitespace().map(capitalized).collect::<Vec<_>>().join(" ")
}

fn title_case(word: &str) -> String {
    let mut after_letter = false;
    let mut out = String::new();
    for c in word.chars() {
        if after_letter {
            out.push(c);
        } else {
            out.extend(c.to_uppercase());
        }
        after_letter = c.is_alphabetic();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_digits() {
        assert_eq!(size_label(134_515_008), "135M");
        assert_eq!(size_label(1_711_376_384), "1.7B");
        assert_eq!(size_label(5_120), "5.1K");
        assert_eq!(size_label(99), "0.10K");
        assert_eq!(size_label(999_999), "1000K");
        assert_eq!(size_label(9_995_000), "10M");
    }
}
