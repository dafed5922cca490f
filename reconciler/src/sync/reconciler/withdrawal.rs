//! What is in force only as long as whoever signed it may sign.

use tracing::{error, info};

use super::Reconciler;
use crate::{clock::now, serving::published::Published, sync::loader::Loaded};

impl Reconciler {
    /// This is what has to be signed from now on.
    pub(super) fn follow(&mut self, loaded: &Loaded) {
        if let Some(guard) = &mut self.guard {
            guard.follow(loaded.checkout.signed.clone());
        }
    }

    /// Why what is in force may not be served, if it may not.
    pub(super) async fn refusal(&mut self) -> Option<String> {
        match &mut self.guard {
            Some(guard) => guard.refusal().await,
            None => None,
        }
    }

    /// Withdraws what is in force if whoever signed it may no longer, or brings it back.
    pub(super) async fn verify(&mut self) {
        let refusal = self.refusal().await;
        let Some(in_force) = self.gate.in_force() else { return };
        if in_force.withdrawn == refusal {
            return;
        }
        let whole = self.withdrawn.take().unwrap_or_else(|| Published::clone(&in_force));
        let published = match refusal {
            Some(reason) => self.withdraw(whole, reason),
            None => {
                info!(revision = %whole.revision, "whoever signed it may sign again: no longer withdrawn");
                Published { at: now(), ..whole }
            }
        };
        self.gate.publish(published);
    }

    /// What is to be served in the place of `whole`.
    pub(super) fn withdraw(&mut self, whole: Published, reason: String) -> Published {
        let revision = &whole.revision;
        error!(%revision, reason, "withdrawn: nothing is injected until a commit that is signed by an allowed key follows");
        let published = whole.withdrawn(reason);
        self.withdrawn = Some(whole);
        published
    }
}
