//! The calls of one turn, and who may make them.

use std::sync::Arc;

use serde_json::json;

use super::{
    Call, Effect, Observation, Origin, Reason, Request, Tool, ToolError, ToolErrorKind, Toolbox, within,
};
use crate::model::chat_template::{Message, Part, Role};

/// The calls of one turn: bounded, checked, and asked for.
pub struct Turn {
    toolbox: Arc<Toolbox>,
    calls_left: usize,
    untrusted: bool,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The call.
    pub call: Call,
    /// What the tool said, or why it could not.
    pub outcome: Result<Observation, ToolError>,
}

impl Turn {
    /// A turn in which nothing but the wearer's words came in yet.
    pub fn new(toolbox: Arc<Toolbox>) -> Self {
        let calls_left = toolbox.limits.calls;
        Self { toolbox, calls_left, untrusted: false }
    }

    /// A turn about `messages`. Pictures and what tools said are not the wearer's words; a sound is taken for the
    /// wearer's voice.
    pub fn about(toolbox: Arc<Toolbox>, messages: &[Message]) -> Self {
        let shows = |message: &Message| message.content.iter().any(|part| matches!(part, Part::Image(_)));
        let untrusted = messages.iter().any(|message| message.role == Role::Tool || shows(message));
        Self { untrusted, ..Self::new(toolbox) }
    }

    /// Says that text came in that is not the wearer's.
    pub fn saw_untrusted(&mut self) {
        self.untrusted = true;
    }

    /// Whether it did.
    pub fn has_seen_untrusted(&self) -> bool {
        self.untrusted
    }

    /// The tools.
    pub fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }

    /// Calls that may still be proposed.
    pub fn calls_left(&self) -> usize {
        self.calls_left
    }

    /// Makes a call that a model proposes, if it may be made. Dropping the future gives it up.
    pub async fn call(&mut self, call: Call) -> Reply {
        let outcome = self.outcome(&call).await.map_err(|e| e.of(&call.name));
        // What a server says in an error is not the wearer's either.
        let outside = match &outcome {
            Ok(observation) => observation.origin() == Origin::Outside,
            Err(error) => matches!(error.kind(), ToolErrorKind::Failed | ToolErrorKind::Protocol),
        };
        self.untrusted |= outside;
        Reply { call, outcome }
    }

    async fn outcome(&mut self, call: &Call) -> Result<Observation, ToolError> {
        let Some(left) = self.calls_left.checked_sub(1) else {
            let detail = format!("a turn has {}", self.toolbox.limits.calls);
            return Err(ToolError::new(ToolErrorKind::TooMany, detail));
        };
        self.calls_left = left;
        let tool = self.toolbox.check(call)?;
        self.allow(tool, call).await?;
        let limits = self.toolbox.limits;
        let made = within(limits.time, tool.call(call.arguments.clone())).await;
        let timed_out = || {
            let detail = format!("expected an end within {} s", limits.time.as_secs_f32());
            ToolError::new(ToolErrorKind::TimedOut, detail)
        };
        Ok(made.ok_or_else(timed_out)??.limited(limits.bytes))
    }

    async fn allow(&self, tool: &dyn Tool, call: &Call) -> Result<(), ToolError> {
        let effect = tool.spec().effect;
        let reason = match effect {
            Effect::Spends => Reason::Spends,
            Effect::Sends => Reason::Sends,
            Effect::Changes if self.untrusted => Reason::AfterUntrusted,
            Effect::Changes | Effect::Reads => return Ok(()),
        };
        let request = Request { tool: &call.name, arguments: &call.arguments, effect, reason };
        match self.toolbox.approval.ask(&request).await {
            true => Ok(()),
            false => Err(ToolError::new(ToolErrorKind::Denied, "do not try again, go on without it")),
        }
    }
}

impl Reply {
    /// What the model is told: one line of JSON that nothing in the result can break out of.
    pub fn to_data(&self) -> String {
        match &self.outcome {
            Ok(observation) => observation.to_data(),
            Err(error) => error.to_data(),
        }
    }

    /// The message of the tool, for templates that have a place for one.
    pub fn to_message(&self) -> Message {
        let mut message = Message::text(Role::Tool, self.to_data());
        message.members.insert("name".to_owned(), json!(self.call.name));
        message.members.insert("tool_call_id".to_owned(), json!(self.call.id));
        message
    }
}
