use std::collections::HashMap;
use std::path::PathBuf;

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::budget::Price;
use super::super::request::Role;
use super::key::KeySource;
use crate::{Error, Result};

/// A server, as configuration describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What it is called here.
    pub name: String,
    /// Where its API begins, with the version: `https://host/v1`.
    pub url: String,
    /// The model that answers.
    pub model: String,
    /// Models for single roles.
    #[serde(default)]
    pub models: HashMap<Role, String>,
    /// The key, if it wants one.
    pub key: Option<KeySource>,
    /// A file with further certificates to trust, in PEM.
    pub ca: Option<PathBuf>,
    /// Whether it may be spoken to without encryption though it is another machine.
    #[serde(default)]
    pub plain_http: bool,
    /// Whether its models see.
    #[serde(default)]
    pub pictures: bool,
    /// Pixels of the longer side of pictures at most.
    #[serde(default = "picture_side")]
    pub picture_side: usize,
    /// Whether it goes on with an answer that broke off (`continue_final_message`, as vLLM and llama-server have it).
    #[serde(default)]
    pub resume: bool,
    /// How it is asked for JSON.
    #[serde(default)]
    pub structured: Structured,
    /// What it calls the bound of the tokens it writes.
    #[serde(default = "tokens_field")]
    pub tokens_field: String,
    /// Further members of each request.
    #[serde(default)]
    pub extra: Map<String, Value>,
    /// What it costs.
    #[serde(default)]
    pub price: Price,
    /// Requests that it gets at the same time.
    #[serde(default = "at_once")]
    pub at_once: usize,
    /// Seconds until it begins to answer.
    #[serde(default = "first_byte_seconds")]
    pub first_byte_seconds: f64,
    /// Seconds without anything new within an answer.
    #[serde(default = "stall_seconds")]
    pub stall_seconds: f64,
}

fn picture_side() -> usize {
    1024
}

fn tokens_field() -> String {
    "max_tokens".to_owned()
}

fn at_once() -> usize {
    8
}

fn first_byte_seconds() -> f64 {
    30.0
}

fn stall_seconds() -> f64 {
    15.0
}

/// How a server is asked for JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Structured {
    /// JSON of a schema.
    #[default]
    JsonSchema,
    /// JSON of any kind; the instructions say which.
    JsonObject,
}

impl Structured {
    pub(in super::super) fn format(self, schema: &Value) -> Value {
        match self {
            Self::JsonSchema => {
                let named = json!({"name": "answer", "strict": true, "schema": schema});
                json!({"type": "json_schema", "json_schema": named})
            }
            Self::JsonObject => json!({"type": "json_object"}),
        }
    }
}

impl Settings {
    pub(in super::super) fn model(&self, role: Role) -> &str {
        self.models.get(&role).unwrap_or(&self.model)
    }

    /// Where chats are completed, once everything here was checked.
    pub(super) fn checked_url(&self) -> Result<Url> {
        let field = |name: &str| format!("endpoint \"{}\" {name}", self.name);
        for (name, seconds) in
            [("first_byte_seconds", self.first_byte_seconds), ("stall_seconds", self.stall_seconds)]
        {
            if !(0.01..=3600.0).contains(&seconds) {
                return Err(Error::malformed(field(name), seconds, "0.01 to 3600"));
            }
        }
        if !(1..=1000).contains(&self.at_once) {
            return Err(Error::malformed(field("at_once"), self.at_once, "1 to 1000"));
        }
        if !(16..=8192).contains(&self.picture_side) {
            return Err(Error::malformed(field("picture_side"), self.picture_side, "16 to 8192"));
        }
        self.url(&field("url"))
    }

    fn url(&self, field: &str) -> Result<Url> {
        let expected = "https://HOST[:PORT]/PATH, without a user, a query or a fragment";
        // What it holds is not said: somebody may have put a key there.
        let malformed = || Error::malformed(field, "something else", expected);
        let url = Url::parse(&self.url).map_err(|_| malformed())?;
        let bare = url.username().is_empty() && url.password().is_none();
        let whole = url.has_host() && url.query().is_none() && url.fragment().is_none();
        if !bare || !whole || !matches!(url.scheme(), "https" | "http") {
            return Err(malformed());
        }
        if url.scheme() == "http" && !self.plain_http && !is_this_machine(&url) {
            let expected = "https, or plain_http = true where the network is trusted";
            return Err(Error::malformed(field, "http", expected));
        }
        let path = format!("{}/chat/completions", self.url.trim_end_matches('/'));
        Url::parse(&path).map_err(|_| malformed())
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(url: &str, more: &str) -> Result<String> {
        let text = format!("name = \"a\"\nmodel = \"m\"\nurl = \"{url}\"\n{more}");
        toml::from_str::<Settings>(&text).unwrap().checked_url().map(String::from)
    }

    #[test]
    fn plain_http_leaves_this_machine_only_when_that_is_said() {
        assert_eq!(url("http://127.0.0.1:80/v1/", "").unwrap(), "http://127.0.0.1/v1/chat/completions");
        assert!(url("http://[::1]:8/v1", "").is_ok() && url("http://localhost:8/v1", "").is_ok());
        let refused = url("http://192.168.0.7:8000/v1", "").unwrap_err().to_string();
        assert_eq!(
            refused,
            "endpoint \"a\" url: found http, expected https, or plain_http = true where the network is trusted"
        );
        assert!(url("http://192.168.0.7:8000/v1", "plain_http = true").is_ok());
    }

    #[test]
    fn an_address_with_a_secret_in_it_is_refused_without_saying_it() {
        for secret in ["https://me:sk-1@host/v1", "https://host/v1?key=sk-1", "sk-1", "ftp://sk-1/"] {
            let error = url(secret, "").unwrap_err().to_string();
            assert!(!error.contains("sk-1"), "{error}");
        }
    }

    #[test]
    fn bounds_are_checked() {
        for wrong in ["at_once = 0", "stall_seconds = nan", "first_byte_seconds = 0", "picture_side = 1"] {
            assert!(url("https://host/v1", wrong).is_err(), "{wrong}");
        }
    }
}
