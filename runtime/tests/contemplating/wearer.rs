//! Who asks: a device with consents, a ledger and a configuration for the server of the tests.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lorgnette_runtime::Result;
use lorgnette_runtime::mode::contemplating::{
    Asked, Config, Consents, Contemplator, Event, Events, Kind, Ledger, Local, Outcome, Portable, Record,
    Term,
};
use lorgnette_runtime::model::vision::Picture;
use serde_json::json;
use tempfile::TempDir;

use crate::server::{Reaction, Seen};

pub(crate) const PARTS: [&str; 4] = ["Where?", "When?", "With whom?", "How?"];
pub(crate) const ANSWER: &str = "Go to Miami in May.\nNot sure: the weather.";
pub(crate) const DRAFT: &str = "The device says Orlando.";
/// A test that takes longer hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(60);

pub(crate) struct Wearer {
    pub(crate) consents: Arc<Consents>,
    pub(crate) contemplator: Contemplator,
    pub(crate) folder: TempDir,
}

impl Wearer {
    /// Allows text, and asks the servers at `ports`. `more` goes into each endpoint's table, `head` to the top.
    pub(crate) fn new(ports: &[u16], head: &str, more: &str) -> Self {
        let urls: Vec<_> = ports.iter().map(|port| format!("http://127.0.0.1:{port}/v1")).collect();
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.sqlite");
        Self::in_folder(folder, &urls, head, more, &ledger)
    }

    /// As `new`, for the server with this address.
    pub(crate) fn at(url: &str, head: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.sqlite");
        Self::in_folder(folder, &[url.to_owned()], head, more, &ledger)
    }

    /// With a ledger that outlives it.
    pub(crate) fn with_ledger(port: u16, ledger: &Path) -> Self {
        let url = format!("http://127.0.0.1:{port}/v1");
        Self::in_folder(tempfile::tempdir().unwrap(), &[url], "", "", ledger)
    }

    fn in_folder(folder: TempDir, urls: &[String], head: &str, more: &str, ledger: &Path) -> Self {
        let mut text = String::from(head);
        if !head.contains("[budget]") {
            text += "\n[budget]\nseconds = 8\nagent_seconds = 3\n";
        }
        let models = "{ planner = \"planner\", critic = \"critic\", writer = \"writer\" }";
        for url in urls {
            write!(
                text,
                "\n[[endpoint]]\nname = \"{url}\"\nurl = \"{url}\"\nmodel = \"agent\"\nmodels = {models}\n"
            )
            .unwrap();
            let waits = [("first_byte_seconds", "0.4"), ("stall_seconds", "0.4")];
            for (name, seconds) in waits.iter().filter(|(name, _)| !more.contains(name)) {
                writeln!(text, "{name} = {seconds}").unwrap();
            }
            writeln!(text, "{more}").unwrap();
        }
        let path = folder.path().join("cloud.toml");
        std::fs::write(&path, text).unwrap();
        let consents = Arc::new(Consents::default());
        consents.allow(Kind::Text, Term::Always);
        let ledger = Ledger::open(ledger).unwrap();
        let contemplator =
            Contemplator::new(&Config::read(&path).unwrap(), Arc::clone(&consents), ledger).unwrap();
        Self { consents, contemplator, folder }
    }

    pub(crate) async fn ask(&self, asked: &Asked) -> (Outcome, Vec<Event>) {
        let (events, mut heard) = Events::channel();
        let listening = async {
            let mut all = Vec::new();
            while let Some(event) = heard.recv().await {
                all.push(event);
            }
            all
        };
        let answering = async move { self.contemplator.contemplate(asked, local(), &events).await };
        let both = async { tokio::join!(answering, listening) };
        let (outcome, events) = tokio::time::timeout(HANGS, both).await.unwrap();
        let outcome = outcome.unwrap();
        let said: String = events
            .iter()
            .filter_map(|event| match event {
                Event::Piece { text } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(said, outcome.text, "what was shown is what was answered");
        (outcome, events)
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        Ledger::read(&self.folder.path().join("ledger.sqlite")).unwrap()
    }
}

/// The device's answer, in two pieces.
pub(crate) fn local() -> Box<dyn Local> {
    Box::new(|on: &mut dyn FnMut(&str) -> ControlFlow<()>| -> Result<()> {
        let (first, second) = DRAFT.split_at(10);
        if on(first).is_continue() {
            let _ = on(second);
        }
        Ok(())
    })
}

pub(crate) fn written() -> Asked {
    Asked { words: "Plan a weekend in Florida.".to_owned(), ..Asked::default() }
}

/// With a picture of one colour, and a description.
pub(crate) fn seeing() -> Asked {
    let picture = Picture::new(64, 48, vec![200; 64 * 48 * 3]).unwrap();
    let pictures = vec![Arc::new(Portable::new(picture))];
    Asked { pictures, description: Some("a beach".to_owned()), ..written() }
}

/// What a good server does, by the model that is asked.
pub(crate) fn good(seen: &Seen) -> Reaction {
    let parts = PARTS.map(|part| json!({"role": format!("expert of {part}"), "question": part}));
    Reaction::Stream(match seen.model() {
        "planner" => json!({"parts": parts}).to_string(),
        "critic" => json!({"doubts": ["May is far away."]}).to_string(),
        "writer" => ANSWER.to_owned(),
        _ => {
            let part = PARTS.iter().position(|part| seen.text().ends_with(part));
            format!("Fact {}.", part.map_or(9, |part| part))
        }
    })
}
