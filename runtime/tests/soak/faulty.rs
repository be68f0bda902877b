//! An engine of which jobs break down now and then, before they begin or half-way.

use std::panic::resume_unwind;

use lorgnette_runtime::backend::cpu::Cpu;
use lorgnette_runtime::live::{Cancel, Done, Engine, Job, Worker};
use lorgnette_runtime::model::chat_template::Message;

use crate::scenes::Dice;
use crate::script::engine;

/// What the panics say.
pub(crate) const MADE: &str = "made to break";

/// Of so many jobs one breaks.
const ONE_OF: u64 = 150;

pub(crate) struct Faulty {
    engine: Engine<Cpu>,
    dice: Option<Dice>,
}

impl Faulty {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { engine: engine(), dice: Some(dice) }
    }

    pub(crate) fn cancel(&self) -> Cancel {
        self.engine.cancel()
    }

    pub(crate) fn recover(&mut self) {
        self.dice = None;
    }
}

impl Worker for Faulty {
    fn run(&mut self, job: Job, on: &mut dyn FnMut(Done)) {
        let is_answer = matches!(job, Job::Answer(..));
        // Answers are few among the jobs.
        let bound = if is_answer { ONE_OF / 5 } else { ONE_OF };
        let breaks = self.dice.as_mut().is_some_and(|dice| dice.below(bound) == 0);
        let mut left = self.dice.as_mut().filter(|_| breaks).map(|dice| dice.below(3));
        // As a panic, but that nothing is printed.
        let mut burn = || match &mut left {
            Some(0) => resume_unwind(Box::new(MADE)),
            Some(left) => *left -= 1,
            None => {}
        };
        burn();
        self.engine.run(job, &mut |done| {
            let is_last = matches!(done, Done::Answered(..) | Done::Failed(..));
            on(done);
            if !is_last {
                burn();
            }
        });
    }

    fn history(&self) -> &[Message] {
        self.engine.history()
    }
}
