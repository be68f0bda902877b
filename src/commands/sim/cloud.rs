use std::error::Error;

use clap::Args;
use lorgnette_sim::cloud::Cloud;
use lorgnette_sim::input;

use crate::commands::contemplate::{ConfigFile, Consent, kept_ledger};

/// Whose help may be asked for in the mode `contemplating`, and with what.
#[derive(Args)]
#[group(skip)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// What may leave the device in the mode contemplating, until it is taken back; several may be given
    #[arg(long, value_name = "KIND", value_enum)]
    consent: Vec<Consent>,
}

impl Arguments {
    /// The cloud that is configured.
    pub(super) fn open(&self) -> Result<Cloud, Box<dyn Error>> {
        let config = self.config.read()?;
        if config.endpoints.is_empty() {
            return Ok(Cloud::default());
        }
        let cloud = Cloud::open(&config, &kept_ledger(&config)?)?;
        let given = |kind| self.consent.contains(&kind).then_some(true);
        let [text, transcript, picture] = [Consent::Text, Consent::Transcript, Consent::Picture].map(given);
        cloud.allow(cloud.allowed().changed(input::Consent { text, transcript, picture }));
        Ok(cloud)
    }

    /// The cloud of a file that is named: what comes of a scenario does not depend on what else this machine has.
    pub(super) fn open_named(&self) -> Result<Cloud, Box<dyn Error>> {
        if self.config.is_named() { self.open() } else { Ok(Cloud::default()) }
    }
}
