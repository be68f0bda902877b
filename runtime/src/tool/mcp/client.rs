//! What a server is told of us, and what it offers.

use std::time::Duration;

use rmcp::ClientHandler;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, Tool};
use rmcp::service::{ClientInitializeError, Peer, RoleClient, ServiceError};
use serde_json::Value;

use crate::tool::observation::hides;
use crate::tool::{ToolError, ToolErrorKind};

/// Tools of a server that are looked at.
const MOST_TOOLS: usize = 500;
/// Characters of a description that are kept.
const LONGEST_DESCRIPTION: usize = 1024;

/// Offers a server nothing.
pub(super) struct Client;

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let us = Implementation::new("lorgnette", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), us)
    }
}

/// All tools of a server.
pub(super) async fn tools(peer: &Peer<RoleClient>) -> Result<Vec<Tool>, ToolError> {
    let (mut tools, mut cursor) = (Vec::new(), None);
    loop {
        let page = PaginatedRequestParams::default().with_cursor(cursor.take());
        let page = peer.list_tools(Some(page)).await.map_err(broken)?;
        // A page without tools that names another is a loop.
        let goes_on = !page.tools.is_empty() && page.next_cursor.is_some();
        tools.extend(page.tools);
        if tools.len() > MOST_TOOLS {
            let detail = format!("found more than {MOST_TOOLS} tools");
            return Err(ToolError::new(ToolErrorKind::Protocol, detail));
        }
        if !goes_on {
            return Ok(tools);
        }
        cursor = page.next_cursor;
    }
}

/// What a server says of itself, for a model to read: bounded, on one line, without what could begin a mark.
pub(super) fn described(text: &str) -> String {
    let plain = |c: char| match c {
        '<' => '‹',
        c if hides(c) => ' ',
        c => c,
    };
    text.chars().map(plain).take(LONGEST_DESCRIPTION).collect()
}

/// The same in a schema.
pub(super) fn describe_schema(schema: &mut Value) {
    match schema {
        Value::Array(values) => values.iter_mut().for_each(describe_schema),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "description" || name == "title" => {
                        *text = described(text);
                    }
                    value => describe_schema(value),
                }
            }
        }
        _ => {}
    }
}

/// Why a request came to nothing.
pub(super) fn broken(error: ServiceError) -> ToolError {
    let kind = match &error {
        ServiceError::McpError(_) => ToolErrorKind::Failed,
        ServiceError::Timeout { .. } => ToolErrorKind::TimedOut,
        ServiceError::TransportClosed | ServiceError::TransportSend(_) | ServiceError::Cancelled { .. } => {
            ToolErrorKind::Unavailable
        }
        _ => ToolErrorKind::Protocol,
    };
    ToolError::new(kind, described(&error.to_string()))
}

/// Why there is no connection.
pub(super) fn no_connection(error: ClientInitializeError) -> ToolError {
    ToolError::new(ToolErrorKind::Unavailable, described(&error.to_string()))
}

/// That a server did not answer in time.
pub(super) fn late(time: Duration) -> ToolError {
    ToolError::new(ToolErrorKind::TimedOut, format!("expected an answer within {} s", time.as_secs_f32()))
}
