//! Plans what the newest commit changes, once for each commit.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use policies::language::ClusterDomain;
use tokio::task::spawn_blocking;

use super::{agreement::agreements, announced::Seen, earlier::Earlier};
use crate::{
    istio::{
        applications::Applications,
        artifact::{Artifact, ArtifactError},
        objects::Objects,
        plan::{
            ApplicationId, Commit, InForce, Namespaces, Plan, Proposed, RenderCache, Resource, Setting,
            freeze, plan,
        },
    },
    serving::{
        published::{Publication, Whole},
        publisher::Publisher,
    },
    source::{Revision, SourceError, ancestry::CommitId, git::CommitLog},
    version,
};

/// The newest commit that was read.
#[derive(Clone, Debug)]
pub(super) struct Head {
    revision: Revision,
    commit: CommitId,
    applications: Arc<Applications>,
    /// The reason why nobody may go by it.
    withdrawn: Option<String>,
}

impl Head {
    /// The commit that is served; none before the first one.
    pub(super) fn of(publisher: &Publisher) -> Option<Self> {
        let Publication::Serving(published) = publisher.publication() else { return None };
        let Whole { revision, applications, .. } = &published.whole;
        Some(Self {
            revision: revision.clone(),
            commit: CommitId::of_revision(revision.as_str())?,
            applications: applications.clone()?,
            withdrawn: published.holds.withdrawn.clone(),
        })
    }

    pub(super) fn revision(&self) -> &str {
        self.revision.as_str()
    }

    /// What is followed, such as a branch.
    pub(super) fn branch(&self) -> &str {
        self.revision().rsplit_once('@').map_or("", |(branch, _)| branch)
    }
}

/// Plans, and remembers the last plan.
pub(super) struct Planner {
    commits: CommitLog,
    setting: Setting,
    last: Option<(Question, Arc<Namespaces<Plan>>)>,
    earlier: Arc<Mutex<Earlier>>,
    cache: Arc<Mutex<RenderCache>>,
}

/// What a plan depends on, beside what is in force.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    revision: Revision,
    withdrawn: Option<String>,
    /// The commits that people have agreed to, by namespace.
    allowed: Namespaces<String>,
    /// The reasons why it is unknown what is in force.
    unknown: Namespaces<String>,
}

/// What is in force in each namespace, or the reason why that is unknown.
pub(super) type Known = Namespaces<Result<InForce, String>>;

impl Planner {
    pub(super) fn new(commits: CommitLog, cluster_domain: ClusterDomain) -> Self {
        let setting = Setting::of_domain(cluster_domain);
        Self { commits, setting, last: None, earlier: Arc::default(), cache: Arc::default() }
    }

    /// What is in force has become another than that of the last plan, and of what it changes.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }

    /// The plan for each namespace.
    pub(super) async fn plan(
        &mut self,
        head: &Head,
        known: &Known,
        seen: &Namespaces<Seen>,
    ) -> Result<Arc<Namespaces<Plan>>, SourceError> {
        let allowed = seen.iter().filter_map(|(name, seen)| Some((name.clone(), seen.allowed.clone()?)));
        let unknown = known.iter();
        let unknown = unknown.filter_map(|(name, known)| Some((name.clone(), known.as_ref().err()?.clone())));
        let (revision, withdrawn) = (head.revision.clone(), head.withdrawn.clone());
        let question =
            Question { revision, withdrawn, allowed: allowed.collect(), unknown: unknown.collect() };
        if let Some((last, plans)) = &self.last
            && *last == question
        {
            return Ok(Arc::clone(plans));
        }
        let (head, known, commits) = (head.clone(), known.clone(), self.commits.clone());
        let (allowed, setting) = (question.allowed.clone(), self.setting.clone());
        let (earlier, cache) = (Arc::clone(&self.earlier), Arc::clone(&self.cache));
        let planned = spawn_blocking(move || {
            let mut earlier = earlier.lock().unwrap_or_else(PoisonError::into_inner);
            let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
            planned(&head, &known, &allowed, &commits, &setting, &mut earlier, &mut cache)
        });
        let plans = planned.await.map_err(|_| SourceError("to plan was broken off".to_owned()))??;
        let plans = Arc::new(plans);
        self.last = Some((question, Arc::clone(&plans)));
        Ok(plans)
    }
}

/// Blocks.
fn planned(
    head: &Head,
    known: &Known,
    allowed: &Namespaces<String>,
    commits: &CommitLog,
    setting: &Setting,
    earlier: &mut Earlier,
    cache: &mut RenderCache,
) -> Result<Namespaces<Plan>, SourceError> {
    let in_force: Namespaces<&InForce> = known
        .iter()
        .filter_map(|(namespace, known)| Some((namespace.clone(), known.as_ref().ok()?)))
        .collect();
    let unpack =
        |(namespace, in_force): (&String, &&InForce)| Ok((namespace.clone(), in_force.artifact.objects()?));
    let objects: Result<Namespaces<Objects>, ArtifactError> = in_force.iter().map(unpack).collect();
    // It could be read when it was found.
    let objects = objects.map_err(|error| SourceError(error.to_string()))?;
    let mut plans = match &head.withdrawn {
        Some(reason) => freeze(&objects, reason),
        None => {
            let at = commits.committed_at(head.commit)?.to_rfc3339();
            let commit = Commit { id: head.commit.to_string(), at };
            let agreements = agreements((head.commit, &commit.at), &in_force, allowed, commits)?;
            let consents = agreements.iter().map(|(namespace, agreed)| (namespace.clone(), agreed.consent));
            let consents = consents.collect();
            let proposed = Proposed {
                applications: &head.applications,
                commit: &commit,
                renderer: version::text(),
                setting,
            };
            let plans = plan(&objects, &BTreeMap::new(), &proposed, &consents, cache);
            let wanted = without_artifact(&plans, known);
            let found = earlier.look(head.commit, &head.applications.guarded, &wanted, commits, setting);
            let before = found.as_ref().map(by_namespace).unwrap_or_default();
            let mut plans =
                if before.is_empty() { plans } else { plan(&objects, &before, &proposed, &consents, cache) };
            if let Err(error) = found {
                let reason = format!("what its invalid applications had last is not known: {error}");
                let frozen =
                    wanted.into_iter().map(|(namespace, _)| (namespace, Plan::frozen(reason.clone())));
                plans.extend(frozen);
            }
            for (namespace, agreement) in &agreements {
                let (Some(known), Some(plan)) = (in_force.get(namespace), plans.get_mut(namespace)) else {
                    continue;
                };
                if !agreement.is_older {
                    plan.record(known, &commit, agreement.messages);
                } else if plan.next.is_some() && !agreement.consent.is_of_commit {
                    *plan = too_old(known, &commit);
                }
            }
            plans
        }
    };
    for (namespace, known) in known {
        let Err(reason) = known else { continue };
        let plan = plans.entry(namespace.clone()).or_default();
        let is_allowed = allowed.get(namespace) == Some(&head.commit.to_string());
        let applications = &head.applications;
        let is_whole = applications.unreadable().is_none() && !applications.files.is_empty();
        if !is_allowed || head.withdrawn.is_some() || !is_whole {
            *plan = unknown(reason, plan, head);
        } else if plan.next.is_none() && plan.frozen.is_empty() {
            plan.next = Some(empty(head, commits)?);
        }
    }
    Ok(plans)
}

/// An artifact without objects, of the newest commit.
fn empty(head: &Head, commits: &CommitLog) -> Result<InForce, SourceError> {
    let id = head.commit.to_string();
    Ok(InForce {
        artifact: Artifact::of(&Objects::default()).map_err(|error| SourceError(error.to_string()))?,
        objects: 0,
        commit: Commit { id: id.clone(), at: commits.committed_at(head.commit)?.to_rfc3339() },
        renderer: version::text().to_owned(),
        max_removals: None,
        judged: id,
    })
}

/// The plan where the newest commit is older than what is in force.
fn too_old(known: &InForce, commit: &Commit) -> Plan {
    let reason = format!(
        "commit {}, which is in force, is newer: the branch went back, or a mirror of the repository is behind",
        known.commit.short()
    );
    let advice = format!("to go back, annotate the artifact with hfi.dev/allow-commit={}", commit.id);
    Plan { advice: Some(advice), ..Plan::frozen(reason) }
}

/// The plan where it is not known what is in force. `plan` is that by which people agree to the newest commit.
fn unknown(reason: &str, plan: &Plan, head: &Head) -> Plan {
    let advice = if let Some(file) = head.applications.unreadable() {
        format!("restore it, or mend {file} first: its applications would go")
    } else {
        let objects = plan.next.as_ref().map_or(0, |next| next.objects);
        let invalid: Vec<_> = plan.frozen.keys().map(String::as_str).collect();
        let invalid = if invalid.is_empty() {
            String::new()
        } else {
            format!("; invalid ones stay as they were valid last, or go: {}", invalid.join(", "))
        };
        format!(
            "restore it, or annotate the artifact with hfi.dev/allow-commit={}: then {objects} objects stay, and Flux \
             removes all others{invalid}",
            head.commit
        )
    };
    let reason = format!("{reason}, so nobody knows what is in force");
    Plan { advice: Some(advice), ..Plan::frozen(reason) }
}

/// The applications that are invalid now, of namespaces where no artifact says what is in force.
fn without_artifact(plans: &Namespaces<Plan>, known: &Known) -> BTreeSet<ApplicationId> {
    let new = plans.iter().filter(|(namespace, _)| known.get(*namespace).is_none_or(Result::is_err));
    let frozen = new.flat_map(|(namespace, plan)| plan.frozen.keys().map(move |name| (namespace, name)));
    frozen.map(|(namespace, name)| (namespace.clone(), name.clone())).collect()
}

/// The objects of each namespace.
fn by_namespace(found: &Vec<(ApplicationId, Vec<Resource>)>) -> Namespaces<Objects> {
    let mut namespaces = Namespaces::<Objects>::new();
    for ((namespace, name), objects) in found {
        namespaces.entry(namespace.clone()).or_default().set(name, objects.clone());
    }
    namespaces
}
