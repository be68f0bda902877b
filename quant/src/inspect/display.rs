//! An inspection as text for people.

use std::fmt;

use super::{Inspection, Kind, Summary};
use crate::printable::Printable;

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} (GGUF version {}, {})",
            Printable(&self.files.join(" + ")),
            self.version,
            Bytes(self.file_bytes)
        )?;
        self.summary.fmt(f)?;

        writeln!(f, "\nmetadata, {} keys", self.metadata.len())?;
        let width = self.metadata.iter().map(|e| e.key.len()).max().unwrap_or(0);
        for entry in &self.metadata {
            writeln!(
                f,
                "  {:width$}  {:<4}  {}",
                Printable(&entry.key),
                entry.value_type,
                Shown(&entry.value)
            )?;
        }

        writeln!(f, "\ntensors, {}", self.tensors.len())?;
        let width = self.tensors.iter().map(|t| t.name.len()).max().unwrap_or(0);
        for tensor in &self.tensors {
            let shape = tensor.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
            writeln!(
                f,
                "  {:width$}  {:<6}  {shape:>16}  {:>11}",
                Printable(&tensor.name),
                tensor.ty,
                Bytes(tensor.bytes)
            )?;
        }

        writeln!(f, "\nby type")?;
        for (name, total) in &self.types {
            writeln!(
                f,
                "  {name:<6}  {:>4} tensors  {:>12} weights  {:>11}",
                total.tensors,
                total.weights,
                Bytes(total.bytes)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Text => "text model",
            Kind::Mmproj => "mmproj: towers and projectors",
            Kind::Imatrix => "importance matrix",
            Kind::Adapter => "adapter",
            Kind::Other => "unknown kind of file",
        };
        let architecture = Printable(self.architecture.as_deref().unwrap_or("no architecture"));
        writeln!(f, "  {kind}, {architecture}, {}", Printable(self.name.as_deref().unwrap_or("no name")))?;
        let mix = self.mix.map(|m| format!(", {m}")).unwrap_or_default();
        writeln!(f, "  {} weights at {:.3} bits{mix}", self.weights, self.bits_per_weight)?;
        if let Some(t) = &self.text {
            writeln!(
                f,
                "  {} layers of width {}, {} heads, {} for keys and values, context {}",
                t.layers, t.width, t.heads, t.kv_heads, t.context
            )?;
            let template = if t.chat_template { "with" } else { "without" };
            let tokenizer = Printable(t.tokenizer.as_deref().unwrap_or("no tokenizer"));
            writeln!(f, "  {tokenizer}, {} tokens, {template} chat template", t.vocabulary.unwrap_or(0))?;
        }
        if let Some(v) = &self.vision {
            writeln!(
                f,
                "  vision: {}, {} layers, {size}x{size} pixels in patches of {} become {} embeddings",
                Printable(&v.projector),
                v.layers,
                v.patch_size,
                v.tokens,
                size = v.image_size
            )?;
        }
        if let Some(a) = &self.audio {
            writeln!(
                f,
                "  audio: {}, {} layers, {} mel bins",
                Printable(&a.projector),
                a.layers,
                a.mel_bins
            )?;
        }
        let m = &self.memory;
        write!(f, "  memory: {} of weights", Bytes(m.weights))?;
        if m.kv_per_token > 0 {
            write!(
                f,
                ", {} a token in f16, {} with the context full",
                Bytes(m.kv_per_token),
                Bytes(m.total)
            )?;
        }
        writeln!(f)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "  note: {}", Printable(note)))
    }
}

/// Bytes in a unit that fits.
struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            n if n < 1 << 10 => format!("{n} B"),
            n if n < 1 << 20 => format!("{:.2} KiB", n as f64 / 1024.0),
            n if n < 1 << 30 => format!("{:.2} MiB", n as f64 / 1_048_576.0),
            n => format!("{:.2} GiB", n as f64 / 1_073_741_824.0),
        };
        f.pad(&text)
    }
}

/// A metadata value on one line of bearable length.
struct Shown<'a>(&'a serde_json::Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 100;
        if let (Some(of), Some(len), Some(first)) = (self.0.get("of"), self.0.get("len"), self.0.get("first"))
        {
            let more = if len.as_u64() > first.as_array().map(|a| a.len() as u64) { " ..." } else { "" };
            return write!(f, "{len} {}: {first}{more}", of.as_str().unwrap_or_default());
        }
        let text = self.0.to_string();
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "{} ... ({} bytes)", Printable(&text[..end]), text.len()),
            None => Printable(&text).fmt(f),
        }
    }
}
