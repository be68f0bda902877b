//! The tools that a model may call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::schema::Schema;
use super::{Approval, Call, Spec, Tool, ToolError, ToolErrorKind};

/// Bounds of the calls of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls that may be proposed, whatever comes of them.
    pub calls: usize,
    /// For one call, without the time that the wearer takes to allow it.
    pub time: Duration,
    /// Of one result; the rest is cut off.
    pub bytes: usize,
}

impl Default for Limits {
    /// Eight calls of 20 s and 4 KiB.
    fn default() -> Self {
        Self { calls: 8, time: Duration::from_secs(20), bytes: 4 << 10 }
    }
}

/// The tools that a model may call, and no others.
pub struct Toolbox {
    tools: Vec<(Arc<dyn Tool>, Schema)>,
    pub(super) approval: Arc<dyn Approval>,
    pub(super) limits: Limits,
}

impl Toolbox {
    /// An empty one.
    pub fn new(approval: Arc<dyn Approval>, limits: Limits) -> Self {
        Self { tools: Vec::new(), approval, limits }
    }

    /// Puts a tool in.
    ///
    /// # Errors
    /// [`ToolErrorKind::Spec`] for a name that is not one or is taken, and for a schema that cannot be held.
    pub fn add(&mut self, tool: Arc<dyn Tool>) -> Result<(), ToolError> {
        let spec = tool.spec();
        let refuse = |detail: &str| ToolError::new(ToolErrorKind::Spec, detail).of(&spec.name);
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !(1..=64).contains(&spec.name.len()) || !spec.name.chars().all(fits) {
            return Err(refuse("its name is not 1 to 64 of letters, digits, _ and -"));
        }
        if self.get(&spec.name).is_some() {
            return Err(refuse("another tool has its name"));
        }
        let schema = Schema::new(&spec.parameters).map_err(|e| e.of(&spec.name))?;
        self.tools.push((tool, schema));
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// Bounds of the calls of one turn.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What the tools are, in the order in which they were put in.
    pub fn specs(&self) -> impl Iterator<Item = &Spec> {
        self.tools.iter().map(|(tool, _)| tool.spec())
    }

    /// The tools as chat templates and OpenAI-compatible servers take them.
    pub fn functions(&self) -> Vec<Value> {
        self.specs().map(Spec::to_function).collect()
    }

    /// The tool of a call whose arguments fit.
    pub(super) fn check(&self, call: &Call) -> Result<&dyn Tool, ToolError> {
        let Some((tool, schema)) = self.get(&call.name) else {
            let names: Vec<_> = self.specs().map(|spec| spec.name.as_str()).collect();
            let detail = format!("expected one of {}", names.join(", "));
            return Err(ToolError::new(ToolErrorKind::Unknown, detail).of(&call.name));
        };
        schema.check(&call.arguments).map_err(|e| e.of(&call.name))?;
        Ok(tool.as_ref())
    }

    fn get(&self, name: &str) -> Option<&(Arc<dyn Tool>, Schema)> {
        self.tools.iter().find(|(tool, _)| tool.spec().name == name)
    }
}
