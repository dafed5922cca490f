//! A real reconciler over a directory of rules.

use std::{path::Path, time::Duration};

use anyhow::Result;
use harness::{Answer, Client, Deadline, Envoy, Reconciler, Request, Sidecar, Source, everywhere, loopback};
use tempfile::TempDir;

use crate::rules::{ABORTED, Rules};

/// The counter of snapshots that an Envoy has applied.
pub(crate) const UPDATES: &str = "hfi.sync.updates_total";

const PATIENCE: Duration = Duration::from_secs(20);

/// It serves as long as this is kept.
#[derive(Debug)]
pub(crate) struct Served {
    is_for_all: bool,
    reconciler: Reconciler,
    folder: TempDir,
}

impl Served {
    pub(crate) async fn start(rules: Rules, client: &Client) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        rules.write_into(folder.path())?;
        let source = Source::Folder(folder.path().to_owned());
        let mut reconciler = Reconciler::start(source, loopback()).await?;
        reconciler.ready(client).await?;
        Ok(Self { is_for_all: rules.are_for_all(), reconciler, folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A proxy in which the rules are in force, or which has heard that there is none for it.
    pub(crate) async fn followed_by(&self, sidecar: Sidecar, client: &Client) -> Result<Envoy> {
        let envoy = Envoy::start(sidecar.following(self.reconciler.address()), client).await?;
        if self.is_for_all {
            everywhere(envoy.address(), &Request::get(ABORTED), Answer::aborted).await?;
        } else {
            applied(&envoy, 1).await?;
        }
        Ok(envoy)
    }
}

/// Waits until a proxy has applied so many snapshots since its start.
pub(crate) async fn applied(envoy: &Envoy, snapshots: u64) -> Result<()> {
    let deadline = Deadline::of("a snapshot to be applied", PATIENCE);
    while envoy.stat(UPDATES).await? < snapshots {
        deadline.pause().await?;
    }
    Ok(())
}
