//! The file that says which tools there are.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::tool::{Effect, Limits};
use crate::{Error, ErrorKind, Result};

/// Which tools a model may call, as a TOML file says it; `docs/tools.md` has an example.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Tools of the device, by their names.
    pub tools: Vec<String>,
    /// Bounds of a turn.
    limits: LimitsConfig,
    /// Servers of tools.
    #[serde(rename = "server")]
    pub servers: Vec<ServerConfig>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsConfig {
    calls: Option<usize>,
    seconds: Option<u32>,
    bytes: Option<usize>,
}

/// A server, and which of its tools may be called. It has either a command or an address.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// What errors call it.
    pub name: String,
    /// The program and its arguments, for a server over stdio.
    pub command: Vec<String>,
    /// Variables of its environment, beside `PATH`, `HOME`, `LANG` and `TMPDIR`; it gets no others.
    pub env: BTreeMap<String, String>,
    /// The address of a server over streamable HTTP: `https`, or `http` on this machine.
    pub url: String,
    /// The variable of our environment that has the token for it.
    pub token_env: Option<String>,
    /// The tools that may be called, and what each does: `reads`, `changes`, `sends` or `spends`.
    pub tools: BTreeMap<String, Effect>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// What the disk says; [`ErrorKind::Malformed`] with line and column, for keys that are not known too.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", e).in_file(path))?;
        Self::parse(&text).map_err(|e| e.in_file(path))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let malformed = |e: toml::de::Error| Error::new(ErrorKind::Malformed, "tools", e.to_string());
        let config: Self = toml::from_str(text).map_err(malformed)?;
        config.servers.iter().try_for_each(ServerConfig::check)?;
        Ok(config)
    }

    /// Bounds of a turn.
    pub fn limits(&self) -> Limits {
        let default = Limits::default();
        let LimitsConfig { calls, seconds, bytes } = self.limits;
        Limits {
            calls: calls.unwrap_or(default.calls),
            time: seconds.map_or(default.time, |seconds| Duration::from_secs(seconds.into())),
            bytes: bytes.unwrap_or(default.bytes),
        }
    }
}

impl ServerConfig {
    fn check(&self) -> Result<()> {
        let malformed = |field: &str, found: &str, expected: &str| {
            Err(Error::malformed(format!("server {:?} {field}", self.name), found, expected))
        };
        if self.name.is_empty() {
            return malformed("name", "none", "one");
        }
        if self.command.is_empty() == self.url.is_empty() {
            return malformed("command", "it and url, or neither", "one of them");
        }
        if !self.url.is_empty() && !self.is_local() && !self.url.starts_with("https://") {
            return malformed("url", &self.url, "https, or http on this machine");
        }
        if self.tools.is_empty() {
            return malformed("tools", "none", "those that may be called");
        }
        Ok(())
    }

    /// Whether what it is told stays on this machine, unless the server sends it on.
    pub(super) fn is_local(&self) -> bool {
        let rest = ["http://", "https://"].iter().find_map(|scheme| self.url.strip_prefix(scheme));
        let authority = rest.unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
        let host = host.map_or(authority, |(host, _)| host);
        self.url.is_empty() || ["localhost", "127.0.0.1", "[::1]"].contains(&host)
    }
}

impl<'de> Deserialize<'de> for Effect {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Self::ALL.into_iter().find(|effect| effect.name() == name);
        found
            .ok_or_else(|| serde::de::Error::unknown_variant(&name, &["reads", "changes", "sends", "spends"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_which_tools_there_are() {
        let text = "tools = [\"timer\"]\nlimits = { calls = 2, seconds = 5 }\n[[server]]\nname = \"time\"\n\
                    command = [\"mcp-server-time\"]\ntools = { get_current_time = \"reads\" }\n";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.limits(), Limits { calls: 2, time: Duration::from_secs(5), ..Limits::default() });
        assert_eq!(config.servers[0].tools["get_current_time"], Effect::Reads);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let server = |rest: &str| format!("[[server]]\nname = \"a\"\n{rest}\n");
        let cases = [
            ("tool = [\"timer\"]".to_owned(), "unknown field `tool`"),
            (server("tools = { x = \"reads\" }"), "server \"a\" command: found it and url, or neither"),
            (server("command = [\"x\"]"), "server \"a\" tools: found none"),
            (server("command = [\"x\"]\ntools = { x = \"helps\" }"), "unknown variant `helps`"),
            (server("url = \"http://example.com\"\ntools = { x = \"reads\" }"), "expected https"),
            (server("url = \"http://localhost@example.com\"\ntools = { x = \"reads\" }"), "expected https"),
            (server("url = \"http://127.0.0.1.example.com\"\ntools = { x = \"reads\" }"), "expected https"),
        ];
        for (text, expected) in cases {
            let error = Config::parse(&text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
