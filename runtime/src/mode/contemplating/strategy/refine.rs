use tokio::time::timeout_at;

use super::super::error::{Error, ErrorKind};
use super::super::event::Event;
use super::super::request::{Request, Role};
use super::{Desk, Strategy, Work, writer};

const INSTRUCTIONS: &str = "You write for a small display in front of the eyes of the one who asked: at most 80 words, \
    short lines, plain text without markup, the answer first. You are given the draft of a small model that saw what the \
    one who asks sees. Keep what it says of that, correct what is wrong, add what is missing. Name what is uncertain in \
    one last line, beginning with \"Not sure:\"; leave that line out when all is certain.";

/// The device drafts an answer, which is shown at once, and a larger model mends it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refine;

impl Strategy for Refine {
    fn contemplate<'a>(&'a self, desk: &'a Desk<'a>) -> Work<'a> {
        Box::pin(async move {
            if !desk.question.may_carry_text() {
                return Err(Error::new(ErrorKind::NoConsent, "for the draft, which is text"));
            }
            let request = Request::new(desk.question, Role::Writer, INSTRUCTIONS, desk.budget.answer_tokens);
            let draft = timeout_at(desk.writing_begins(), desk.draft.text()).await;
            let request = match draft {
                Ok(Ok(draft)) => {
                    desk.events.say(Event::Drafted { text: draft.clone() }).await;
                    request.with_device_text(format!("The draft:\n{draft}"))
                }
                // Without a draft the question alone has to do.
                _ => request.showing(),
            };
            writer::say(desk, &request).await
        })
    }
}
