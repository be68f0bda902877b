use serde::Deserialize;
use serde_json::{Value, json};

use super::super::budget::Tokens;
use super::super::error::{Error, ErrorKind, Result};

/// Bytes for a token at most, beside some thousand: what is longer is no answer to what was asked.
const TOKEN_BYTES: usize = 32;
const SPARE_BYTES: usize = 4096;
/// Calls that an answer may propose.
const MOST_CALLS: usize = 32;

/// What a model answered, as much as came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The text, without control characters but for line ends and tabs.
    pub(crate) text: String,
    /// The tools it wants to call.
    pub(crate) calls: Vec<ProposedCall>,
    /// Why it ended; `None` when it broke off.
    pub(crate) finish: Option<Finish>,
    /// Why it broke off, if it did.
    pub(crate) broken: Option<Error>,
    /// What the server counted.
    pub(super) usage: Option<Tokens>,
    /// Bytes that came, of thoughts too.
    pub(super) bytes: usize,
    most_bytes: usize,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The model was done.
    End,
    /// There were as many tokens as it may have.
    Length,
    /// It waits for what comes of its calls.
    Calls,
}

/// A call as it came: nothing of it was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProposedCall {
    /// Tells it from others.
    pub(crate) id: String,
    /// The tool.
    pub(crate) name: String,
    /// JSON, if all is well.
    pub(crate) arguments: String,
}

impl ProposedCall {
    pub(in super::super) fn to_json(&self) -> Value {
        let function = json!({"name": self.name, "arguments": self.arguments});
        json!({"id": self.id, "type": "function", "function": function})
    }
}

/// An event of a stream, or a whole answer.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    #[serde(alias = "reasoning")]
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionDelta>,
}

#[derive(Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
}

impl Reply {
    /// Room for an answer of so many tokens.
    pub(super) fn of_at_most(tokens: u32) -> Self {
        let most_bytes = SPARE_BYTES + TOKEN_BYTES * usize::try_from(tokens).unwrap_or(usize::MAX >> 8);
        Self { most_bytes, ..Self::default() }
    }

    /// Whether nothing of use came.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.calls.is_empty()
    }

    /// Takes an event of a stream, or a whole answer, and gives the text that is new.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] for what is no such event, [`ErrorKind::TooLong`], and [`ErrorKind::Failing`] with what
    /// the server says.
    pub(super) fn push(&mut self, event: &str) -> Result<String> {
        let malformed = |e: serde_json::Error| Error::new(ErrorKind::Malformed, e.to_string());
        let completion: Completion = serde_json::from_str(event).map_err(malformed)?;
        if let Some(error) = completion.error {
            return Err(Error::new(ErrorKind::Failing, said(&error)));
        }
        if let Some(usage) = completion.usage {
            self.usage = Some(Tokens { input: usage.prompt_tokens, output: usage.completion_tokens });
        }
        let Some(choice) = completion.choices.into_iter().next() else { return Ok(String::new()) };
        let text = choice.delta.map_or(Ok(String::new()), |delta| self.push_delta(delta))?;
        self.finish = match choice.finish_reason.as_deref() {
            None => self.finish,
            Some("length") => Some(Finish::Length),
            Some(_) if !self.calls.is_empty() => Some(Finish::Calls),
            Some(_) => Some(Finish::End),
        };
        Ok(text)
    }

    fn push_delta(&mut self, delta: Delta) -> Result<String> {
        let text = delta.content.unwrap_or_default();
        let calls = delta.tool_calls.unwrap_or_default();
        let arguments = |call: &CallDelta| {
            call.function.as_ref().and_then(|f| f.arguments.as_ref()).map_or(0, String::len)
        };
        let came = text.len() + delta.reasoning_content.map_or(0, |thought| thought.len());
        self.bytes += came + calls.iter().map(arguments).sum::<usize>();
        if self.bytes > self.most_bytes {
            return Err(Error::new(ErrorKind::TooLong, format!("more than {} bytes", self.most_bytes)));
        }
        calls.into_iter().try_for_each(|call| self.push_call(call))?;
        let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        self.text += &text;
        Ok(text)
    }

    fn push_call(&mut self, delta: CallDelta) -> Result<()> {
        let index = delta.index.unwrap_or(self.calls.len());
        if index > self.calls.len() || index >= MOST_CALLS {
            let detail = format!("tool_calls.index: found {index}, expected at most {}", self.calls.len());
            return Err(Error::new(ErrorKind::Malformed, detail));
        }
        if index == self.calls.len() {
            self.calls.push(ProposedCall::default());
        }
        let call = &mut self.calls[index];
        if let Some(id) = delta.id {
            call.id = id;
        }
        if let Some(function) = delta.function {
            call.name += function.name.as_deref().unwrap_or_default();
            call.arguments += function.arguments.as_deref().unwrap_or_default();
        }
        Ok(())
    }
}

/// What a server says went wrong: `error.message`, `message`, or the text itself, cut.
pub(super) fn said(error: &Value) -> String {
    let message = error["error"]["message"].as_str().or(error["message"].as_str()).or(error.as_str());
    let text = message.map_or_else(|| error.to_string(), str::to_owned);
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(events: &[&str]) -> Result<Reply> {
        let mut reply = Reply::of_at_most(10);
        events.iter().try_for_each(|event| reply.push(event).map(drop))?;
        Ok(reply)
    }

    #[test]
    fn calls_come_in_pieces() {
        let events = [
            r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"find","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"go","arguments":"{}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}],"usage":null}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5}}"#,
        ];
        let reply = reply(&events).unwrap();
        let call = |id: &str, name: &str, arguments: &str| ProposedCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        };
        assert_eq!(reply.calls, [call("a", "find", "{\"x\":1}"), call("b", "go", "{}")]);
        assert_eq!((reply.finish, reply.usage), (Some(Finish::Calls), Some(Tokens { input: 7, output: 5 })));
    }

    #[test]
    fn what_could_steer_a_terminal_is_left_out() {
        let reply = reply(&[r#"{"choices":[{"delta":{"content":"a\u001b[2Jb\n\tc\u009b"}}]}"#]).unwrap();
        assert_eq!(reply.text, "a[2Jb\n\tc");
    }

    #[test]
    fn what_is_no_event_and_what_has_no_end_is_said() {
        let long = format!(r#"{{"choices":[{{"delta":{{"reasoning":"{}"}}}}]}}"#, "x".repeat(4417));
        for (event, kind) in [
            ("[]", ErrorKind::Malformed),
            ("{\"choices\": 3}", ErrorKind::Malformed),
            (r#"{"choices":[{"delta":{"tool_calls":[{"index":9}]}}]}"#, ErrorKind::Malformed),
            (r#"{"error":{"message":"out of memory"}}"#, ErrorKind::Failing),
            (&long, ErrorKind::TooLong),
        ] {
            assert_eq!(reply(&[event]).unwrap_err().kind(), kind, "{event}");
        }
    }
}
