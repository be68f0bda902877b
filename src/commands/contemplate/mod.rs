//! `ask --mode contemplating`: the device's model drafts, agents at the endpoints think.

mod draft;
mod show;

use std::error::Error;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use lorgnette_quant::Progress;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::conversation::{AnswerOptions, Conversation};
use lorgnette_runtime::mode::contemplating::{
    Asked, Config, Consents, Contemplator, Events, Kind, Ledger, Outcome as Answered, Portable, Telling, Term,
};
use lorgnette_runtime::model::chat_template::{Message, Part};
use lorgnette_runtime::tool::Toolbox;
use tokio::runtime::{Builder, Runtime};

use self::draft::local;
use self::show::{Document, Shown, spent};
use crate::console::{self, Outcome, Watch};
use crate::places;

/// Between two looks at whether Ctrl-C was pressed: a cancel has to be felt at once.
const LOOK: Duration = Duration::from_millis(20);

/// Room for what the device tells of pictures and sounds, beside question and answer.
pub(crate) const TOLD_TOKENS: usize = Telling::TOKENS + 64;

/// Whose help may be asked for, and with what.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// What may leave the device for this question; several may be given
    #[arg(long, value_name = "KIND", value_enum)]
    consent: Vec<Consent>,
}

/// What may leave the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Consent {
    /// The question, and the device's description of pictures
    Text,
    /// What was said, as the device writes it down
    Transcript,
    /// The pictures themselves
    Picture,
}

impl From<Consent> for Kind {
    fn from(consent: Consent) -> Self {
        match consent {
            Consent::Text => Self::Text,
            Consent::Transcript => Self::Transcript,
            Consent::Picture => Self::Picture,
        }
    }
}

/// What contemplating is told.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct ConfigFile {
    /// Endpoints, budgets and standing consents [default: lorgnette/cloud.toml in ~/.config]
    #[arg(long = "cloud", value_name = "FILE")]
    path: Option<PathBuf>,
}

impl ConfigFile {
    /// Whether a file is named.
    pub(crate) fn is_named(&self) -> bool {
        self.path.is_some()
    }

    /// The file that is named, or the usual one, if there is one.
    pub(crate) fn read(&self) -> lorgnette_runtime::Result<Config> {
        let usual = places::config().join("cloud.toml");
        match &self.path {
            Some(path) => Config::read(path),
            None if usual.exists() => Config::read(&usual),
            None => Ok(Config::default()),
        }
    }
}

/// Where the ledger is, in a folder that is there now.
pub(crate) fn kept_ledger(config: &Config) -> io::Result<PathBuf> {
    let path = ledger(config);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: cannot create: {e}", folder.display())))?;
    }
    Ok(path)
}

/// Where the ledger is.
pub(crate) fn ledger(config: &Config) -> PathBuf {
    config.ledger.clone().unwrap_or_else(|| places::data().join("ledger.sqlite"))
}

impl Arguments {
    /// Whether there are endpoints, and what is asked may be sent there.
    pub(crate) fn is_possible(&self) -> lorgnette_runtime::Result<bool> {
        let config = self.config.read()?;
        let may = self.consent.contains(&Consent::Text) || config.consent.always.contains(&Kind::Text);
        Ok(may && !config.endpoints.is_empty())
    }

    /// Answers the question, with the model in `conversation` for what the device can do.
    pub(crate) fn answer<B: Backend + 'static>(
        &self,
        mut conversation: Conversation<B>,
        tools: Option<Arc<Toolbox>>,
        question: &Message,
        options: &AnswerOptions,
        watch: &Watch,
        json: bool,
    ) -> Outcome {
        let config = self.config.read()?;
        let consents = self.consents(&config);
        let mut asked = asked(question)?;
        let contemplator =
            Contemplator::new(&config, Arc::new(consents), Ledger::open(&kept_ledger(&config)?)?)?;
        for telling in contemplator.tellings(&asked) {
            let told = telling.tell(&[], question, &mut conversation, options, &mut |_| {
                if watch.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            watch.check()?;
            told.into_iter().for_each(|told| asked.take(telling, told.text));
        }
        let contemplator = match tools {
            Some(tools) => contemplator.with_tools(tools),
            None => contemplator,
        };
        let local = local(conversation, question.clone(), options.clone());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let answered = runtime.block_on(async {
            let (events, heard) = Events::channel();
            let mut shown = Shown::new(heard, json);
            // Done with the answer, the sender of its events is gone, and so ends who shows them.
            let answering = async { contemplator.contemplate(&asked, local, &{ events }).await };
            let both = async { tokio::join!(answering, shown.run()) };
            tokio::select! {
                (answered, shown) = both => shown.map(|()| Some(answered)),
                () = cancelled(watch) => Ok(None),
            }
        });
        // Looking up a name, which may still go on, holds up nobody.
        Runtime::shutdown_background(runtime);
        drop(contemplator);
        finish(answered?.transpose()?, watch, json)
    }

    fn consents(&self, config: &Config) -> Consents {
        let consents = config.consents();
        for consent in &self.consent {
            consents.allow((*consent).into(), Term::Once);
        }
        consents
    }
}

fn finish(answered: Option<Answered>, watch: &Watch, json: bool) -> Outcome {
    let Some(answered) = answered else {
        watch.check()?;
        return Ok(());
    };
    let spending = answered.spending;
    console::print(&Document::from(answered), json)?;
    spent(spending);
    Ok(())
}

/// What is asked, of a message with words or sounds, and pictures.
fn asked(question: &Message) -> Result<Asked, Box<dyn Error>> {
    let mut asked = Asked::default();
    for part in &question.content {
        match part {
            Part::Text(text) => asked.words += text,
            Part::Image(image) => asked.pictures.push(Arc::new(Portable::new(image.picture().clone()))),
            Part::Audio(_) => asked.spoken = true,
        }
    }
    if asked.spoken && !asked.words.is_empty() {
        return Err("--mode contemplating takes a question in text or in sound, not in both".into());
    }
    Ok(asked)
}

async fn cancelled(watch: &Watch) {
    while !watch.cancelled() {
        tokio::time::sleep(LOOK).await;
    }
}
