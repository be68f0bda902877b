//! A tool of a server.

use std::sync::Arc;

use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::client::{broken, describe_schema, described};
use super::host::Connection;
use crate::tool::{BoxFuture, Effect, Observation, Spec, Tool, ToolError, ToolErrorKind};

/// A tool of a server, which lives as long as one of its tools.
pub(super) struct Served {
    spec: Spec,
    /// As the server calls it.
    name: String,
    connection: Arc<Connection>,
}

impl Served {
    pub(super) fn new(tool: rmcp::model::Tool, effect: Effect, connection: Arc<Connection>) -> Self {
        let mut parameters = Value::Object(tool.input_schema.as_ref().clone());
        describe_schema(&mut parameters);
        let spec = Spec {
            name: tool.name.to_string(),
            description: described(tool.description.as_deref().unwrap_or_default()),
            parameters,
            effect,
        };
        Self { spec, name: tool.name.into_owned(), connection }
    }
}

impl Tool for Served {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Observation, ToolError>> {
        let mut params = CallToolRequestParams::new(self.name.clone());
        if let Value::Object(arguments) = arguments {
            params = params.with_arguments(arguments);
        }
        let peer = self.connection.peer();
        let call = self.connection.handle().spawn(async move { peer.call_tool_once(params).await });
        Box::pin(async move {
            let mut call = AbortOnDrop(call);
            match (&mut call.0).await {
                Ok(Ok(CallToolResponse::Complete(result))) => observed(&result),
                Ok(Ok(_)) => {
                    let detail = "it asks for what it was not offered";
                    Err(ToolError::new(ToolErrorKind::Protocol, detail))
                }
                Ok(Err(error)) => Err(broken(error)),
                Err(error) => Err(ToolError::new(ToolErrorKind::Unavailable, error.to_string())),
            }
        })
    }
}

/// Takes a call back, which tells the server too.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn observed(result: &CallToolResult) -> Result<Observation, ToolError> {
    let mut texts: Vec<_> = result.content.iter().map(text).collect();
    if let (true, Some(structured)) = (texts.is_empty(), &result.structured_content) {
        texts.push(structured.to_string());
    }
    let text = texts.join("\n");
    match result.is_error {
        Some(true) => Err(ToolError::new(ToolErrorKind::Failed, text)),
        _ => Ok(Observation::from_outside(text)),
    }
}

fn text(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(_) => "(a picture, left out)".to_owned(),
        ContentBlock::Audio(_) => "(a sound, left out)".to_owned(),
        _ => "(a resource, left out)".to_owned(),
    }
}
