use super::{Desk, Strategy, Work, agent, critic, plan, writer};

/// A planner splits the question, agents answer the parts at the same time, a critic looks through what they found where
/// that pays, and a writer merges.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlanAndMerge {
    pub(super) critic: bool,
}

impl Strategy for PlanAndMerge {
    fn contemplate<'a>(&'a self, desk: &'a Desk<'a>) -> Work<'a> {
        Box::pin(async move {
            let tasks = plan::plan(desk).await?;
            let findings = agent::work(desk, &tasks).await?;
            let doubts = match self.critic && critic::pays(desk, &findings) {
                true => critic::review(desk, &findings).await,
                false => Vec::new(),
            };
            writer::write(desk, &findings, tasks.len(), &doubts).await
        })
    }
}
