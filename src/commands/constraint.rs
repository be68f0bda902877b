use std::fs;
use std::path::{Path, PathBuf};

use lorgnette_quant::{Error, ErrorKind, Result};
use lorgnette_runtime::conversation::Constraint;

/// The form of the answer.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// The answer is JSON that fits this JSON Schema: a file, or the schema itself
    #[arg(long, value_name = "FILE|SCHEMA", conflicts_with = "grammar")]
    json_schema: Option<String>,
    /// The answer follows the grammar in this file, in llguidance's Lark
    #[arg(long, value_name = "FILE")]
    grammar: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn read(&self) -> Result<Option<Constraint>> {
        if let Some(path) = &self.grammar {
            return Ok(Some(Constraint::Grammar(read(path)?)));
        }
        let Some(schema) = &self.json_schema else { return Ok(None) };
        let malformed = |e: serde_json::Error| Error::new(ErrorKind::Malformed, "JSON schema", e.to_string());
        let schema = if schema.trim_start().starts_with('{') {
            serde_json::from_str(schema).map_err(malformed)?
        } else {
            let path = Path::new(schema);
            serde_json::from_str(&read(path)?).map_err(|e| malformed(e).in_file(path))?
        };
        Ok(Some(Constraint::JsonSchema(schema)))
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| Error::io("read", e).in_file(path))
}
