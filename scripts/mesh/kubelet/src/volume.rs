//! The volumes of a Pod on this machine: a directory each, whose files follow the cluster.

mod directory;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;

use crate::cluster::Cluster;
use crate::spec::facts::Facts;
use crate::spec::files::{Files, Sources};
use crate::spec::objects::Objects;
use crate::spec::refusal::Refusal;
use crate::spec::tokens::{self, Tokens, WantedToken};
use crate::spec::user::volume_group;

/// The directories of a Pod's volumes, and what was written to them.
#[derive(Debug)]
pub(crate) struct Volumes {
    directory: PathBuf,
    written: BTreeMap<String, Files>,
    tokens: BTreeMap<WantedToken, Token>,
}

#[derive(Clone, Debug)]
struct Token {
    text: String,
    renewal: Instant,
}

/// The reason that volumes are not as they should be.
#[derive(Debug)]
pub(crate) enum NotMounted {
    Refused(Refusal),
    Failed(anyhow::Error),
}

impl Volumes {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, written: BTreeMap::new(), tokens: BTreeMap::new() }
    }

    /// Writes what is not there yet or has changed. Goes on with the other volumes after one that fails.
    pub(crate) async fn refresh(
        &mut self,
        cluster: &Cluster,
        pod: &Pod,
        objects: &Objects,
        facts: &Facts,
    ) -> Result<(), NotMounted> {
        let tokens = self.renewed(cluster, pod).await.map_err(NotMounted::Failed)?;
        let sources = Sources { pod, objects, tokens: &tokens, facts };
        let group = volume_group(pod);
        let mut outcome = Ok(());
        for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
            let directory = self.directory.join(&volume.name);
            let written = match sources.files(volume) {
                Ok(Some(files)) if self.written.get(&volume.name) == Some(&files) => Ok(()),
                Ok(Some(files)) => directory::write(&directory, &files, group).map(|()| {
                    self.written.insert(volume.name.clone(), files);
                }),
                Ok(None) => directory::empty(&directory, group),
                Err(refusal) => {
                    outcome = outcome.and(Err(NotMounted::Refused(refusal)));
                    continue;
                }
            };
            let written = written.with_context(|| format!("the volume {:?}", volume.name));
            outcome = outcome.and(written.map_err(NotMounted::Failed));
        }
        outcome
    }

    /// The time at which the first token is to be renewed.
    pub(crate) fn next_renewal(&self) -> Option<Instant> {
        self.tokens.values().map(|token| token.renewal).min()
    }

    /// Tokens that have more than a fifth of their time left.
    async fn renewed(&mut self, cluster: &Cluster, pod: &Pod) -> Result<Tokens> {
        for wanted in tokens::wanted(pod) {
            let now = Instant::now();
            if self.tokens.get(&wanted).is_some_and(|token| now < token.renewal) {
                continue;
            }
            let (text, end) = cluster.token(pod, &wanted).await.context("asking for a token")?;
            let left = end.duration_since(Timestamp::now()).as_secs().max(0).unsigned_abs();
            let renewal = now + Duration::from_secs(left).mul_f64(0.8).max(Duration::from_secs(1));
            self.tokens.insert(wanted, Token { text, renewal });
        }
        Ok(self.tokens.iter().map(|(wanted, token)| (wanted.clone(), token.text.clone())).collect())
    }
}
