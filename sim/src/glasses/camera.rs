//! The camera of the glasses, at the other end of the link.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lorgnette_device::camera::{Camera, Event, Frame, Layout, Mode, PixelFormat};
use lorgnette_device::clock::Clock;
use lorgnette_device::{Error, ErrorKind, Timestamp};

use super::body::Body;
use super::lock;
use super::other_end::{Change, Taken};

/// How long nothing is to be expected.
const NAP: Duration = Duration::from_millis(5);

/// The camera of simulated glasses: gives the newest frame that came over the link.
pub struct GlassesCamera {
    body: Arc<Mutex<Body>>,
    clock: Arc<dyn Clock>,
    /// The number of the frame behind the last one given out.
    unseen: u64,
    /// The size of the last one.
    size: (usize, usize),
}

enum News {
    Taken(Taken),
    Lost,
    Back(Mode),
}

impl GlassesCamera {
    pub(super) fn new(body: Arc<Mutex<Body>>, clock: Arc<dyn Clock>) -> Self {
        // What happened before is of no interest.
        let mut state = lock(&body);
        (state.other_end.newest, state.other_end.changes) = (None, Default::default());
        drop(state);
        Self { body, clock, unseen: 0, size: (0, 0) }
    }

    fn news(&self) -> Option<News> {
        let mut body = lock(&self.body);
        let mode =
            || Mode { format: PixelFormat::Mjpg, width: self.size.0, height: self.size.1, rate: body.mode() };
        match body.other_end.changes.front() {
            Some(Change::Lost) => body.other_end.changes.pop_front().map(|_| News::Lost),
            Some(Change::Back) => {
                let mode = mode();
                body.other_end.changes.pop_front().map(|_| News::Back(mode))
            }
            None => body.other_end.newest.take().map(News::Taken),
        }
    }

    fn fill(&mut self, frame: &mut Frame, taken: &Taken) -> Event {
        // A JPEG says itself how large it is.
        let layout = Layout::packed(PixelFormat::Mjpg, 1, 1);
        let filled =
            layout.and_then(|layout| frame.fill(layout, taken.captured, taken.sequence, taken.shot.jpeg()));
        if let Err(error) = filled {
            return Event::Damaged(error);
        }
        frame.set_dropped(taken.sequence.saturating_sub(self.unseen));
        self.unseen = taken.sequence + 1;
        self.size = (frame.width(), frame.height());
        Event::Frame
    }
}

impl Camera for GlassesCamera {
    fn next(&mut self, frame: &mut Frame, deadline: Timestamp) -> Event {
        loop {
            match self.news() {
                Some(News::Taken(taken)) => return self.fill(frame, &taken),
                Some(News::Lost) => {
                    return Event::Lost(Error::new(ErrorKind::Gone, "the camera is gone").of("glasses"));
                }
                Some(News::Back(mode)) => return Event::Reopened(mode),
                None => {}
            }
            let now = self.clock.now();
            if now >= deadline {
                return Event::Timeout;
            }
            self.clock.sleep_until(deadline.min(now + NAP));
        }
    }
}
