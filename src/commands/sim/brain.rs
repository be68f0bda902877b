use std::sync::Arc;
use std::time::Duration;

use lorgnette_device::clock::Clock;
use lorgnette_quant::gguf::Gguf;
use lorgnette_runtime::backend::Backend;
use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::conversation::{AnswerOptions, LanguageModel};
use lorgnette_runtime::live::{Engine, Relay, Reserve};
use lorgnette_runtime::model::chat_template::{Message, Role};
use lorgnette_sim::brain::{Brain, Model, Script};
use lorgnette_sim::scenario::Scenario;

use super::Arguments;
use crate::commands::{backend, model};
use crate::console;

/// Between two words of what is said where no model is loaded.
const PACE: Duration = Duration::from_millis(40);

/// What answers a scenario where no model is loaded.
pub(super) fn script(scenario: &Scenario, clock: Arc<dyn Clock>) -> Brain {
    Script::new(scenario.script.clone(), Duration::ZERO, clock).into_brain()
}

/// What says on the page that no model is loaded.
pub(super) fn silent(clock: Arc<dyn Clock>) -> lorgnette_sim::Result<Brain> {
    Ok(Script::new(Vec::new(), PACE, clock).into_brain())
}

/// A loaded model, of which brains are made.
pub(super) struct Maker<B: Backend> {
    model: Arc<LanguageModel<B>>,
    about: Model,
    limits: Limits,
}

/// What engines are made with.
#[derive(Clone)]
struct Limits {
    files: model::Arguments,
    context: usize,
    max_tokens: usize,
    system: Vec<Message>,
}

impl<B: Backend + 'static> Maker<B> {
    pub(super) fn load(
        arguments: &Arguments,
        backend: B,
        place: &backend::Place,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let files = arguments.model.clone();
        let file = files.language().open()?;
        let name = match file.metadata().get::<&str>("general.name")? {
            Some(name) => name.to_owned(),
            None => files.language().stem(),
        };
        let parameters = parameters(&file) + files.towers()?.map_or(0, |towers| parameters(&towers));
        let model = Arc::new(files.load_from(backend, &file)?);
        let (sees, hears) = (model.vision().is_some(), model.audio().is_some());
        let about = Model { name, parameters, backend: place.name.to_owned(), sees, hears };
        let system = arguments.system.iter().map(|text| Message::text(Role::System, text)).collect();
        let limits = Limits { files, context: arguments.context, max_tokens: arguments.max_tokens, system };
        Ok(Self { model, about, limits })
    }

    pub(super) fn brain(&self, clock: Arc<dyn Clock>) -> lorgnette_sim::Result<Brain> {
        let system = self.limits.system.clone();
        let engine = self.limits.engine(Arc::clone(&self.model), system, clock.clone())?;
        let cancel = engine.cancel();
        let worker = Box::new(Relay::new(engine, self.limits.reserve(clock)));
        Ok(Brain { worker, cancel, model: Some(self.about.clone()) })
    }
}

fn parameters(file: &Gguf) -> u64 {
    file.tensors().map(|tensor| tensor.info.shape().elements() as u64).sum()
}

impl Limits {
    fn engine<B: Backend>(
        &self,
        model: Arc<LanguageModel<B>>,
        history: Vec<Message>,
        clock: Arc<dyn Clock>,
    ) -> lorgnette_runtime::Result<Engine<B>> {
        let capacity = self.context.min(model.decoder().config().context);
        let options = AnswerOptions { max_tokens: self.max_tokens, ..AnswerOptions::default() };
        Engine::new(model, capacity, history, options, clock)
    }

    /// An engine on the processor, for when the device is lost.
    fn reserve(&self, clock: Arc<dyn Clock>) -> Reserve<Cpu> {
        let limits = self.clone();
        Box::new(move |history| {
            console::warn("the device failed; from now on it is the processor that answers");
            let model = Arc::new(limits.files.load(Cpu)?);
            limits.engine(model, history, clock.clone())
        })
    }
}
