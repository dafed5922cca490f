//! Asks for plans, and remembers the last one.

use std::{sync::Arc, time::Duration};

use policies::language::ClusterDomain;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::{
    failure::Failure,
    order::{Known, Order},
    process::{Process, Terms},
};
use crate::{
    istio::{
        foreign::Foreign,
        plan::{Namespaces, Plan},
    },
    source::{SourceError, ancestry::CommitId, git::CommitLog},
};

/// The longest time until a plan is made again.
const LONGEST: Duration = Duration::from_secs(300);

/// Plans commits one after another, each once.
#[derive(Debug)]
pub struct Planner {
    commits: CommitLog,
    cluster_domain: ClusterDomain,
    terms: Terms,
    last: Option<Last>,
    /// The process that made the last plan, and when that was.
    process: Option<(Process, Instant)>,
}

/// The plan that was made last.
#[derive(Debug)]
struct Last {
    question: Question,
    plans: Result<Arc<Namespaces<Plan>>, SourceError>,
    /// The time from which it is made again, as it failed, or as something could not be read for it.
    again: Option<Instant>,
}

/// What a plan depends on, beside what is in force.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    newest: Newest,
    allowed: Namespaces<String>,
    /// The reasons why it is unknown what is in force.
    unknown: Namespaces<String>,
    foreign: Foreign,
}

/// The newest commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    pub commit: CommitId,
    /// The reason why nobody may go by it.
    pub withdrawn: Option<String>,
}

impl Planner {
    pub fn new(commits: CommitLog, cluster_domain: ClusterDomain, terms: Terms) -> Self {
        Self { commits, cluster_domain, terms, last: None, process: None }
    }

    /// What is in force has become another than that of the last plan, and of what it changes.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Ends the process, as there is nothing to plan.
    pub fn rest(&mut self) {
        self.process = None;
    }

    /// Ends the process if there has been nothing to plan for a while.
    pub fn rest_if_idle(&mut self) {
        if self.process.as_ref().is_some_and(|(_, since)| since.elapsed() >= self.terms.idle) {
            self.rest();
        }
    }

    /// The plan for each namespace. `allowed` are the commits that people have agreed to, and `foreign` what others may have
    /// made.
    pub async fn plan(
        &mut self,
        newest: &Newest,
        known: &Known,
        allowed: Namespaces<String>,
        foreign: &Foreign,
    ) -> Result<Arc<Namespaces<Plan>>, SourceError> {
        let unknown = known.iter();
        let unknown = unknown.filter_map(|(name, known)| Some((name.clone(), known.as_ref().err()?.clone())));
        let (newest, foreign) = (newest.clone(), foreign.clone());
        let question = Question { newest, allowed, unknown: unknown.collect(), foreign };
        let began = Instant::now();
        if let Some(last) = &self.last
            && last.question == question
            && last.again.is_none_or(|again| began < again)
        {
            return last.plans.clone();
        }
        let Question { newest: Newest { commit, withdrawn }, allowed, foreign, .. } = question.clone();
        let (commits, cluster_domain) = (self.commits.clone(), self.cluster_domain.clone());
        let order =
            Order { commits, cluster_domain, commit, withdrawn, allowed, known: known.clone(), foreign };
        let plans = self.ask(&order).await.map(Arc::new).map_err(SourceError::from);
        let is_whole = plans.as_ref().is_ok_and(|plans| plans.values().all(|plan| plan.failure.is_none()));
        let pause = (self.terms.again * began.elapsed()).min(LONGEST);
        let again = (!is_whole).then(|| Instant::now() + pause);
        self.last = Some(Last { question, plans: plans.clone(), again });
        plans
    }

    /// Asks the process that waits, or another one.
    async fn ask(&mut self, order: &Order) -> Result<Namespaces<Plan>, Failure> {
        loop {
            // While it plans, the process is nobody else's: it ends if this is cancelled.
            let waiting =
                self.process.take().and_then(|(mut process, _)| process.is_alive().then_some(process));
            let is_fresh = waiting.is_none();
            let process = match waiting {
                Some(process) => process,
                None => Process::start(self.terms.clone()).await?,
            };
            debug!(commit = %order.commit, "planning");
            match process.plan(order).await {
                Ok((process, plans)) => {
                    self.process = process.may_plan().then(|| (process, Instant::now()));
                    return Ok(plans);
                }
                Err(failure) if is_fresh || matches!(failure, Failure::Late { .. }) => return Err(failure),
                // The cause may be what the process has gathered, of which a fresh one has nothing.
                Err(failure) => warn!(%failure, "another process plans again"),
            }
        }
    }
}
