//! The files of a Pod, which follow the cluster: volumes, and the names of Services.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use k8s_openapi::api::core::v1::Service;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};
use tracing::warn;

use crate::cluster::changes::Change;
use crate::container::setting::Setting;
use crate::spec::hosts::{hosts, resolver};
use crate::spec::lifetime::containers;
use crate::spec::objects::{Reference, references};
use crate::volume::{NotMounted, Volumes};

const RETRY: Duration = Duration::from_secs(1);
/// Looks that need no change, in case one was missed.
const LOOK: Duration = Duration::from_secs(60);

/// Writes what the containers of a Pod read.
pub(super) struct Follower {
    setting: Arc<Setting>,
    changes: broadcast::Receiver<Change>,
    services: watch::Receiver<Option<Arc<Vec<Service>>>>,
    references: BTreeSet<Reference>,
    volumes: Volumes,
}

impl Follower {
    pub(super) fn new(setting: Arc<Setting>) -> Self {
        let (changes, services) = (setting.changes.objects(), setting.services.clone());
        let references = references(&setting.pod());
        let volumes = Volumes::new(setting.volumes());
        Self { setting, changes, services, references, volumes }
    }

    /// Writes everything, and tries again until it is there.
    pub(super) async fn mount(&mut self) {
        // The first list of Services, for the variables that come from them.
        let _ = self.services.wait_for(Option::is_some).await;
        loop {
            let Err(error) = self.refresh().await else { return };
            let text = match error {
                NotMounted::Refused(refusal) => refusal.message,
                NotMounted::Failed(error) => format!("{error:#}"),
            };
            for (_, container) in containers(&self.setting.pod()) {
                self.setting.states.says(&container.name, text.clone());
            }
            sleep(RETRY).await;
        }
    }

    /// Writes what changes, for ever.
    pub(super) async fn follow(&mut self) -> Infallible {
        let mut pod = self.setting.pod.clone();
        loop {
            let renewal = self.volumes.next_renewal().unwrap_or_else(|| Instant::now() + LOOK);
            tokio::select! {
                () = Self::relevant(&mut self.changes, &self.setting, &self.references) => {}
                Ok(()) = pod.changed() => {}
                Ok(()) = self.services.changed() => {}
                () = sleep_until(renewal.min(Instant::now() + LOOK).into()) => {}
            }
            while let Err(error) = self.refresh().await {
                warn!(directory = %self.setting.directory.display(), ?error, "a volume cannot be brought up to date");
                sleep(RETRY).await;
            }
        }
    }

    /// Waits for a change of an object that the Pod uses.
    async fn relevant(
        changes: &mut broadcast::Receiver<Change>,
        setting: &Setting,
        references: &BTreeSet<Reference>,
    ) {
        let pod = setting.pod();
        loop {
            match changes.recv().await {
                Ok((namespace, reference)) => {
                    if pod.metadata.namespace.as_ref() == Some(&namespace) && references.contains(&reference)
                    {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    async fn refresh(&mut self) -> Result<(), NotMounted> {
        let setting = &self.setting;
        let pod = setting.pod();
        self.names().map_err(|error| NotMounted::Failed(error.into()))?;
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let objects = setting.cluster.objects(namespace, &self.references).await;
        let objects = objects.map_err(|error| NotMounted::Failed(error.into()))?;
        self.volumes.refresh(&setting.cluster, &pod, &objects, &setting.facts).await
    }

    fn names(&self) -> io::Result<()> {
        let (setting, pod) = (&self.setting, self.setting.pod());
        fs::create_dir_all(&setting.directory)?;
        let text = hosts(&pod, &setting.facts, &setting.services(), &setting.hosts);
        overwrite(&setting.file("hosts"), &text)?;
        overwrite(&setting.file("resolv.conf"), &resolver(&pod, setting.dns))
    }
}

/// Writes a file in place: containers have mounted this very file. At no time is it empty.
fn overwrite(file: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(file).is_ok_and(|before| before == text) {
        return Ok(());
    }
    let mut open = OpenOptions::new().write(true).create(true).truncate(false).open(file)?;
    open.write_all(text.as_bytes())?;
    open.set_len(text.len().try_into().unwrap_or(u64::MAX))
}
