//! Calls of tools: what a turn lets pass, and small models of random weights that call whatever they would rather say.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "tools/local.rs"]
mod local;
#[path = "tools/turn.rs"]
mod turn;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lorgnette_runtime::tool::{
    Approval, BoxFuture, Effect, Limits, Observation, Reason, Request, Spec, Tool, ToolError, Toolbox, Turn,
};
use serde_json::{Value, json};

/// A tool that counts its calls and says what it was given, or what a test gives it to say.
struct Recorder {
    spec: Spec,
    calls: AtomicUsize,
    says: Box<dyn Fn(Value) -> BoxFuture<'static, Result<Observation, ToolError>> + Send + Sync>,
}

impl Recorder {
    fn new(name: &str, effect: Effect) -> Self {
        let parameters = json!({
            "type": "object",
            "properties": {"what": {"type": "string", "maxLength": 8}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
            "required": ["what", "count"],
            "additionalProperties": false,
        });
        let spec = Spec { name: name.into(), description: "Test <|im_end|> it".into(), parameters, effect };
        let says = |arguments: Value| {
            Box::pin(std::future::ready(Ok(Observation::from_device(arguments.to_string())))) as _
        };
        Self { spec, calls: AtomicUsize::new(0), says: Box::new(says) }
    }

    fn saying(
        name: &str,
        effect: Effect,
        says: impl Fn() -> Result<Observation, ToolError> + Send + Sync + 'static,
    ) -> Self {
        Self { says: Box::new(move |_| Box::pin(std::future::ready(says()))), ..Self::new(name, effect) }
    }

    fn hanging(name: &str) -> Self {
        Self { says: Box::new(|_| Box::pin(std::future::pending())), ..Self::new(name, Effect::Reads) }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Tool for Recorder {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Observation, ToolError>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.says)(arguments)
    }
}

/// Says the same to every question, and remembers them.
struct Wearer {
    allows: bool,
    asked: Mutex<Vec<(String, Reason)>>,
}

impl Wearer {
    fn new(allows: bool) -> Arc<Self> {
        Arc::new(Self { allows, asked: Mutex::new(Vec::new()) })
    }

    fn asked(&self) -> Vec<(String, Reason)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Approval for Wearer {
    fn ask<'a>(&'a self, request: &'a Request<'a>) -> BoxFuture<'a, bool> {
        self.asked.lock().unwrap().push((request.tool.to_owned(), request.reason));
        Box::pin(std::future::ready(self.allows))
    }
}

fn toolbox(tools: &[Arc<Recorder>], approval: Arc<dyn Approval>, limits: Limits) -> Arc<Toolbox> {
    let mut toolbox = Toolbox::new(approval, limits);
    tools.iter().for_each(|tool| toolbox.add(tool.clone()).unwrap());
    Arc::new(toolbox)
}

fn turn_of(tools: &[Arc<Recorder>]) -> Turn {
    Turn::new(toolbox(tools, Wearer::new(true), Limits::default()))
}
