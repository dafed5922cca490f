//! Publishing: of a new revision, of a withdrawal, and of policies that start or end.

use std::{sync::Arc, time::Duration};

use policies::{
    reading::{Place, Problem},
    repository::misdated,
};
use tracing::{error, info, warn};

use super::Reconciler;
use crate::{
    clock::now,
    serving::published::Whole,
    source::{Checkout, Revision, signers::Signed},
    sync::{cause::Cause, loader::Loaded},
};

/// The number of policies that are named in the log, one a line, when they select nothing.
const NAMED: usize = 20;

impl Reconciler {
    /// Serves what an earlier process left, unless something newer is served.
    pub(super) async fn serve_restored(&mut self) {
        let Some(restored) = self.restored.take() else { return };
        warn!(
            revision = %restored.checkout.revision,
            "the source has not been read yet: serving the last good revision of the state directory"
        );
        let refusal = self.refusal(restored.checkout.signed.clone()).await;
        self.publish(restored, refusal, Cause::Start, Duration::ZERO);
        self.syncs.restored();
    }

    /// Publishes what was loaded, withdrawn if it is refused.
    pub(super) fn publish(
        &mut self,
        Loaded { checkout, catalog }: Loaded,
        refusal: Option<String>,
        cause: Cause,
        took: Duration,
    ) {
        let Checkout { revision, ancestry, signed, warnings, .. } = checkout;
        let (is_new, is_withdrawn) =
            (self.gate.whole().is_none_or(|known| known.revision != revision), refusal.is_some());
        if is_new {
            warnings.iter().for_each(|warning| warn!(%revision, "{warning}"));
            for problem in catalog.problems() {
                let Problem { file, finding } = problem;
                let (Place { line, column }, field) = (finding.place, &finding.field);
                error!(%revision, %file, line, column, field, "{problem}");
            }
            for warning in misdated::warnings(&catalog, now()) {
                let Problem { file, finding } = &warning;
                let (Place { line, column }, field) = (finding.place, &finding.field);
                warn!(%revision, %file, line, column, field, "{warning}");
            }
        }
        let (policies, problems) = (catalog.policies().len(), catalog.problems().len());
        let ignored = catalog.ignored();
        if let Some(reason) = &refusal {
            log_withdrawal(&revision, reason);
        }
        // The gate sets the instant anew: it may have to wait.
        let whole = Whole { revision: revision.clone(), ancestry, signed, catalog, at: now() };
        let changed_scopes = self.gate.publish(whole, refusal);
        if is_new && !is_withdrawn {
            let took_ms = took.as_millis() as u64;
            info!(%cause, %revision, policies, problems, ignored, changed_scopes, took_ms, "serving");
            self.warn_of_unselected();
        }
    }

    fn warn_of_unselected(&mut self) {
        let unselected = self.unselected.new_ones(self.gate.publisher());
        for policy in unselected.iter().take(NAMED) {
            warn!(policy = %policy.name, "selects none of the workloads whose proxies have asked so far");
        }
        if let Some(policies) = unselected.len().checked_sub(NAMED).filter(|more| *more > 0) {
            warn!(policies, "further ones select none of the workloads whose proxies have asked so far");
        }
    }

    /// Withdraws the whole if nobody who may sign has signed it, or ends its withdrawal.
    pub(super) async fn verify(&mut self) {
        let whole = self.gate.whole();
        let refusal = self.refusal(whole.as_ref().and_then(|whole| whole.signed.clone())).await;
        let Some(Whole { revision, .. }) = whole else { return };
        if !self.gate.withdraw(refusal.clone()) {
            return;
        }
        match refusal {
            Some(reason) => log_withdrawal(&revision, &reason),
            None => info!(%revision, "its signer may sign again: no longer withdrawn"),
        }
    }

    /// The reason why what is signed so may not be served, if it may not.
    async fn refusal(&mut self, signed: Option<Arc<Signed>>) -> Option<String> {
        match &mut self.signature_watch {
            Some(watch) => watch.refusal(signed).await,
            None => None,
        }
    }

    /// Starts and ends policies whose instant has come although the loop was not woken for it: the clock was
    /// set.
    pub(super) fn catch_up_with_the_clock(&self) {
        let Some(whole) = self.gate.whole() else { return };
        if now() < whole.at || self.gate.next_change().is_some_and(|next| next <= now()) {
            self.expire();
        }
    }

    /// Starts and ends the policies whose instant has come.
    pub(super) fn expire(&self) {
        let changed_scopes = self.gate.catch_up_with_the_clock();
        info!(changed_scopes, "a policy has come to its beginning or its end");
    }
}

fn log_withdrawal(revision: &Revision, reason: &str) {
    error!(%revision, reason, "withdrawn: nothing is injected until a commit that is signed by an allowed key follows");
}
