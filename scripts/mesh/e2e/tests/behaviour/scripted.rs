//! A proxy of `frontend` that follows a control plane which answers as it is told.

use anyhow::Result;
use harness::{Behaviour, Client, ControlPlane, Envoy, Request, Sidecar, Snapshot, Upstream, everywhere};

use crate::policies::policy;

pub(crate) struct Scripted {
    pub(crate) client: Client,
    pub(crate) control_plane: ControlPlane,
    pub(crate) envoy: Envoy,
    pub(crate) sidecar: Sidecar,
    _upstream: Upstream,
}

impl Scripted {
    /// One with two workers that lets its polls be held for a second.
    pub(crate) async fn start(behaviour: Behaviour) -> Result<Self> {
        Self::with(behaviour, |sidecar| sidecar).await
    }

    /// The same with something different.
    pub(crate) async fn with(behaviour: Behaviour, change: impl FnOnce(Sidecar) -> Sidecar) -> Result<Self> {
        let (client, upstream) = (Client::new()?, Upstream::start().await?);
        let control_plane = ControlPlane::start(behaviour).await?;
        let sidecar = Sidecar::of("frontend", upstream.address()).following(control_plane.address());
        let sidecar = change(sidecar.plugin("poll_wait_seconds", 1.into()));
        let envoy = Envoy::start(sidecar.clone(), &client).await?;
        Ok(Self { client, control_plane, envoy, sidecar, _upstream: upstream })
    }

    /// Waits until every worker answers every request with this status.
    pub(crate) async fn answers(&self, status: u16) -> Result<()> {
        everywhere(self.envoy.address(), &Request::get("/"), |answer| answer.status == status).await
    }
}

/// A snapshot by which every request to `frontend` is aborted with this status.
pub(crate) fn aborting(status: u16) -> Result<Snapshot> {
    let fault = format!("percentage: 100, abort: {{httpStatus: {status}}}");
    Snapshot::of(&policy("errors", "frontend", &fault))
}
