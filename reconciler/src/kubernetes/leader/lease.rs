//! The election of the replica that writes to the cluster, by a Lease.

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use tokio::time::Instant;

use super::candidate::{Candidate, RENEW_DEADLINE, RETRY, Verdict};
use crate::kubernetes::{
    NAME,
    client::{
        call::{CallError, with_timeout},
        connection::Connection,
    },
    health::{ClusterTask, SharedHealth},
};
use crate::shutdown::Shutdown;

/// The longest that one try may take: another one fits in before the deadline.
const LONGEST_TRY: Duration = Duration::from_secs(3);
/// The longest that the release may take: the process is about to end.
const RELEASE: Duration = Duration::from_secs(1);

/// Takes the Lease whenever it is free. At shutdown releases it, after the tasks of the leader have ended.
pub(crate) async fn elect(
    connection: &Connection,
    health: Arc<SharedHealth>,
    shutdown: Shutdown,
    end_others: impl Future<Output = ()>,
) {
    let leases = Api::namespaced(connection.client.clone(), &connection.namespace);
    let candidate = Candidate::new(connection.identity.clone());
    let mut elector = Elector { leases, candidate, health, renewed: None };
    let turns = async {
        loop {
            tokio::time::sleep(elector.turn().await).await;
        }
    };
    tokio::select! {
        () = shutdown.requested() => {}
        () = turns => {}
    }
    end_others.await;
    elector.release().await;
}

struct Elector {
    leases: Api<Lease>,
    candidate: Candidate,
    health: Arc<SharedHealth>,
    /// The start of the last successful renewal, while this replica leads.
    renewed: Option<Instant>,
}

impl Elector {
    /// Takes or renews the Lease, or reads its holder. Returns the time until the next turn.
    async fn turn(&mut self) -> Duration {
        let begun = Instant::now();
        let deadline = self.renewed.map(|renewed| renewed + RENEW_DEADLINE);
        let left = deadline.map_or(LONGEST_TRY, |deadline| deadline.saturating_duration_since(begun));
        let turn = with_timeout(left.min(LONGEST_TRY), self.attempt()).await;
        match turn {
            Ok(holder) => {
                let leader = holder == self.candidate.identity;
                self.renewed = leader.then_some(begun);
                self.health.set_leader(leader, Some(holder));
                self.health.record(ClusterTask::Lease, Ok(()));
                RETRY
            }
            Err(error) => {
                // On a conflict another replica was faster: the API server works.
                if !error.is(409) {
                    self.health.record(ClusterTask::Lease, Err(error.to_string()));
                }
                self.wait_or_step_down(deadline)
            }
        }
    }

    /// Keeps leading until the deadline, although the last call failed; then steps down.
    fn wait_or_step_down(&mut self, deadline: Option<Instant>) -> Duration {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match left {
            Some(left) if left > Duration::ZERO => left.min(RETRY / 2),
            _ => {
                self.renewed = None;
                self.health.set_leader(false, None);
                RETRY
            }
        }
    }

    /// Reads the Lease and tries to write it. Returns its holder afterwards.
    async fn attempt(&mut self) -> kube::Result<String> {
        let found = self.leases.get_opt(NAME).await?;
        let spec = found.as_ref().and_then(|lease| lease.spec.clone());
        let claim = match self.candidate.judge(spec, Instant::now()) {
            Verdict::Held { by } => return Ok(by),
            Verdict::Claim(claim) => Some(claim),
        };
        match found {
            // With its resource version: a write in between wins.
            Some(lease) => {
                let lease = Lease { spec: claim, ..lease };
                self.leases.replace(NAME, &PostParams::default(), &lease).await?;
            }
            None => {
                let metadata = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
                self.leases.create(&PostParams::default(), &Lease { metadata, spec: claim }).await?;
            }
        }
        Ok(self.candidate.identity.clone())
    }

    /// Lets a successor take over at once.
    async fn release(&mut self) {
        self.health.set_leader(false, None);
        // Even if it is unknown whether it is ours: a turn may have been cancelled.
        let given_up: Result<(), CallError> = with_timeout(RELEASE, async {
            loop {
                match self.give_up().await {
                    // The cancelled write arrived after all.
                    Err(kube::Error::Api(status)) if status.code == 409 => {}
                    given_up => return given_up,
                }
            }
        })
        .await;
        if let Err(error) = given_up {
            tracing::debug!(%error, "the Lease could not be released: it will expire");
        }
    }

    async fn give_up(&self) -> kube::Result<()> {
        let Some(lease) = self.leases.get_opt(NAME).await? else { return Ok(()) };
        if let Some(free) = self.candidate.release(lease.spec.clone()) {
            let lease = Lease { spec: Some(free), ..lease };
            self.leases.replace(NAME, &PostParams::default(), &lease).await?;
        }
        Ok(())
    }
}
