//! Which of llama.cpp's pre-tokenizers cuts text as the one in `tokenizer.json` does.
//!
//! llama.cpp's converter looks up a hash of the encoding of a test text; the definition in the file says the same
//! without a tokenizer to run it.

use super::super::json::Node;
use crate::error::Result;

/// The expression of Llama 3 with the most digits that stand in one piece.
macro_rules! llama3_expression {
    ($digits:literal) => {
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
            $digits,
            r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
    };
}

/// What is known: llama.cpp's name, and the steps.
const KNOWN: [(&str, &[Step<'static>]); 3] = [
    ("llama-bpe", &[Step::Split(llama3_expression!("{1,3}")), Step::ByteLevel { gpt2_expression: false }]),
    ("qwen2", &[Step::Split(llama3_expression!("")), Step::ByteLevel { gpt2_expression: false }]),
    ("smollm", &[Step::SingleDigits, Step::ByteLevel { gpt2_expression: true }]),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    /// Matches of an expression stand alone.
    Split(&'a str),
    /// Each digit stands alone.
    SingleDigits,
    /// Bytes are written as characters, after a cut by the expression of GPT-2 or not.
    ByteLevel { gpt2_expression: bool },
}

/// llama.cpp's name for the pre-tokenizer of `tokenizer`.
///
/// # Errors
/// [`ErrorKind::Unsupported`](crate::ErrorKind) with the definition, when it is none of the known ones.
pub(super) fn name(tokenizer: &Node<'_>) -> Result<&'static str> {
    let definition = tokenizer.require("pre_tokenizer")?;
    let unknown = || definition.unsupported("the pre-tokenizers of llama-bpe, qwen2 and smollm");
    let steps = steps(&definition)?.ok_or_else(unknown)?;
    let known = KNOWN.iter().find(|(_, known)| *known == steps);
    known.map(|(name, _)| *name).ok_or_else(unknown)
}

/// The steps of a definition, or `None` when one of them is of no kind known here.
fn steps<'a>(definition: &Node<'a>) -> Result<Option<Vec<Step<'a>>>> {
    if definition.need::<&str>("type")? != "Sequence" {
        return Ok(step(definition)?.map(|step| vec![step]));
    }
    definition.require("pretokenizers")?.items()?.map(|part| step(&part)).collect()
}

fn step<'a>(definition: &Node<'a>) -> Result<Option<Step<'a>>> {
    let flag = |name: &str| definition.opt::<bool>(name);
    Ok(match definition.need::<&str>("type")? {
        "Split" => {
            let isolated = definition.opt("behavior")? == Some("Isolated") && flag("invert")? != Some(true);
            let expression = definition.require("pattern")?.opt("Regex")?;
            expression.filter(|_| isolated).map(Step::Split)
        }
        "Digits" if flag("individual_digits")? == Some(true) => Some(Step::SingleDigits),
        "ByteLevel" if flag("add_prefix_space")? != Some(true) => {
            Some(Step::ByteLevel { gpt2_expression: flag("use_regex")?.unwrap_or(true) })
        }
        _ => None,
    })
}
