//! The same talk on the threads that a device has: the loop on one, the engine on another, and the senses.

use std::sync::Arc;

use lorgnette_device::clock::{Clock, ManualClock};
use lorgnette_runtime::live::{EVENTS, Event, talk};
use tokio::sync::mpsc;

use crate::faulty::Faulty;
use crate::scenes::{Dice, Scene, scene};
use crate::script::session;
use crate::story::Story;
use crate::watchdog::Watchdog;

/// Talks until `length` milliseconds are over by the clock of the senses, which do not wait for the engine.
pub(crate) fn soak(seed: u64, length: u64) -> Story {
    let watchdog = Watchdog::start();
    let engine = Faulty::new(Dice(!seed));
    let session = session(engine.cancel());
    let (sender, events) = mpsc::channel(EVENTS);
    let (senses, clock) = (sender.clone(), Arc::new(ManualClock::default()));
    let times = Arc::clone(&clock);
    let mut story = Story::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let send = async move {
            let (mut dice, mut now) = (Dice(seed), 0);
            while now < length {
                let Scene { events, end, .. } = scene(&mut dice, now);
                now = end;
                for (_, stamp, event) in events {
                    times.sleep_until(stamp);
                    senses.send(event).await.unwrap();
                }
                // An engine that is far behind may have its say.
                tokio::task::yield_now().await;
            }
            senses.send(Event::Finish).await.unwrap();
        };
        let mut on = |report| {
            story.hear(&report);
            watchdog.pat();
        };
        let talk = talk(session, engine, clock, sender, events, &mut on);
        let (talked, ()) = tokio::join!(talk, send);
        talked.unwrap();
    });
    story
}
