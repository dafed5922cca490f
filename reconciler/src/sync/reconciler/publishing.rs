//! What is put in force, and when.

use std::time::Duration;

use policies::reading::Place;
use tracing::{error, info, warn};

use super::{Cause, Reconciler};
use crate::{clock::now, serving::published::Published, source::Revision, sync::loader::Loaded};

/// The number of policies that are named in the log, one a line, when they select nothing.
const NAMED: usize = 20;

impl Reconciler {
    /// Serves what an earlier process left, unless something newer is served.
    pub(super) async fn serve_restored(&mut self) {
        let Some(restored) = self.restored.take() else { return };
        warn!(
            revision = %restored.checkout.revision,
            "the source has not been read yet: serving the last good revision of the state folder"
        );
        self.follow(&restored);
        let refusal = self.refusal().await;
        self.publish(restored, refusal, Cause::Start, Duration::ZERO);
        self.refresh.restored();
    }

    /// Puts in force what was loaded, or, if that is refused, its revision with nothing in it.
    pub(super) fn publish(
        &mut self,
        Loaded { checkout, catalog }: Loaded,
        refusal: Option<String>,
        cause: Cause,
        took: Duration,
    ) {
        let in_force = self.gate.in_force();
        let is_new = in_force.is_none_or(|published| published.revision != checkout.revision);
        if is_new {
            checkout.warnings.iter().for_each(|warning| warn!(revision = %checkout.revision, "{warning}"));
            for problem in catalog.problems() {
                let (place, field) = (problem.finding.place, &problem.finding.field);
                let Place { line, column } = place;
                error!(revision = %checkout.revision, file = %problem.file, line, column, field, "{problem}");
            }
        }
        let revision: Revision = checkout.revision;
        let (policies, problems) = (catalog.policies().len(), catalog.problems().len());
        let ignored = catalog.ignored();
        let lineage = checkout.lineage;
        let mut published = Published {
            revision: revision.clone(),
            lineage,
            catalog,
            halted: false,
            withdrawn: None,
            at: now(),
        };
        self.withdrawn = None;
        if let Some(reason) = refusal {
            published = self.withdraw(published, reason);
        }
        let is_withdrawn = published.withdrawn.is_some();
        let changed_scopes = self.gate.publish(published);
        if is_new && !is_withdrawn {
            let took_ms = took.as_millis() as u64;
            info!(%cause, %revision, policies, problems, ignored, changed_scopes, took_ms, "serving");
            let unselected = self.unselected.new_ones(self.gate.publisher());
            for policy in unselected.iter().take(NAMED) {
                warn!(policy = %policy.name, "selects none of the workloads whose proxies have asked so far");
            }
            if let Some(policies) = unselected.len().checked_sub(NAMED).filter(|more| *more > 0) {
                warn!(policies, "further ones select none of the workloads whose proxies have asked so far");
            }
        }
    }

    /// Nothing is new but, if the clock was set, the time.
    pub(super) fn see_to_the_time(&self) {
        let Some(in_force) = self.gate.in_force() else { return };
        let next = in_force.catalog.next_change(in_force.at);
        if now() < in_force.at || next.is_some_and(|next| next <= now()) {
            self.expire();
        }
    }

    /// Serves the same catalog without what has come to its end.
    pub(super) fn expire(&self) {
        let Some(in_force) = self.gate.in_force() else { return };
        let changed_scopes = self.gate.publish(Published { at: now(), ..Published::clone(&in_force) });
        info!(changed_scopes, "a policy has come to its beginning or its end");
    }
}
