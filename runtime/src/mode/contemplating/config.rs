use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::budget::Budget;
use super::consent::{Consents, Kind, Term};
use super::endpoint::{Endpoints, Settings};
use crate::{Error, ErrorKind, Result};

/// What contemplating is told, as a TOML file has it. `docs/contemplating.md` has an example.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How the question is gone about.
    pub strategy: StrategyName,
    /// Without a round that looks for contradictions.
    pub no_critic: bool,
    /// What a question may take.
    pub budget: Budget,
    /// What the wearer allows always.
    pub consent: Standing,
    /// The servers, in the order in which they are asked.
    #[serde(rename = "endpoint")]
    pub endpoints: Vec<Settings>,
    /// Where the ledger is, when not at its usual place.
    pub ledger: Option<PathBuf>,
    #[serde(skip)]
    folder: PathBuf,
}

/// What the wearer allows always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Standing {
    /// To leave the device.
    pub always: Vec<Kind>,
}

/// The strategies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    /// Parts of the question are answered at the same time, and the answers merged.
    #[default]
    PlanAndMerge,
    /// The whole question is answered several times, and the answers vote.
    Vote,
    /// The device drafts, a larger model mends.
    Refine,
}

impl Config {
    /// Reads a file. Files that it names are looked for in its folder.
    ///
    /// # Errors
    /// What the system says; [`ErrorKind::Malformed`] with the line for what is no such file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|e| Error::io("read", e).in_file(path))?;
        let mut config = Self::parse(&text).map_err(|e| e.in_file(path))?;
        config.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        config.ledger = config.ledger.map(|ledger| config.folder.join(ledger));
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self> {
        // Only the message: what stands in the line may be a key that somebody put there.
        let malformed = |e: toml::de::Error| {
            let line =
                e.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count()) + 1;
            Error::new(ErrorKind::Malformed, format!("line {line}"), e.message())
        };
        let config: Self = toml::from_str(text).map_err(malformed)?;
        config.budget.check()?;
        Ok(config)
    }

    /// The servers.
    ///
    /// # Errors
    /// As [`Endpoints::new`].
    pub fn endpoints(&self) -> Result<Endpoints> {
        Endpoints::new(self.endpoints.clone(), &self.folder)
    }

    /// What is allowed always.
    pub fn consents(&self) -> Consents {
        let consents = Consents::default();
        self.consent.always.iter().for_each(|kind| consents.allow(*kind, Term::Always));
        consents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
            strategy = "vote"
            [budget]
            seconds = 20
            [consent]
            always = ["text"]
            [[endpoint]]
            name = "home"
            url = "https://home.example/v1"
            model = "large"
            models = { planner = "small" }
            key = { env = "HOME_KEY" }
            extra = { reasoning_effort = "low", chat_template_kwargs = { enable_thinking = false } }
        "#;
        let config = Config::parse(text).unwrap();
        assert_eq!((config.strategy, config.budget.seconds), (StrategyName::Vote, 20.0));
        assert_eq!(config.consent.always, [Kind::Text]);
        assert_eq!(config.endpoints[0].extra["chat_template_kwargs"]["enable_thinking"], false);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_without_what_stands_there() {
        for (text, line) in [
            ("strategy = \"vote\"\nkey = \"sk-secret\"", "line 2: "),
            ("[[endpoint]]\nname = \"a\"\nurl = \"u\"\nmodel = \"m\"\nkey = { sk-secret = 1 }", "line 5: "),
            ("[budget]\nseconds = 0", "budget.seconds: found 0, expected 0.1 to 3600"),
            ("[budget]\nagents = 7", "budget.agents: found 7, expected 1 to 6"),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(line) && !error.contains("\"sk-secret"), "{error}");
        }
    }
}
