//! Plans what the newest commit changes, once for each commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use policies::language::ClusterDomain;
use tokio::task::spawn_blocking;

use super::announced::Seen;
use crate::{
    istio::{
        applications::{Applications, File},
        artifact::ArtifactError,
        consent::{Consent, removals},
        objects::Objects,
        plan::{ApplicationId, Commit, InForce, Namespaces, Plan, Proposed, Setting, freeze, plan, valid},
    },
    serving::{
        published::{Publication, Whole},
        publisher::Publisher,
    },
    source::{Revision, SourceError, ancestry::CommitId, git::CommitLog},
    version,
};

/// The commits among which the last valid one of an application is looked for.
const EARLIER: usize = 200;

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
}

/// What a plan depends on, beside what is in force.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    revision: Revision,
    withdrawn: Option<String>,
    /// The commits that people have agreed to, by namespace.
    allowed: Namespaces<String>,
}

/// What is in force in each namespace, or the reason why that is unknown.
pub(super) type Known = Namespaces<Result<InForce, String>>;

impl Planner {
    pub(super) fn new(commits: CommitLog, cluster_domain: ClusterDomain) -> Self {
        Self { commits, setting: Setting { cluster_domain, ..Setting::default() }, last: None }
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
        let (revision, withdrawn) = (head.revision.clone(), head.withdrawn.clone());
        let question = Question { revision, withdrawn, allowed: allowed.collect() };
        if let Some((last, plans)) = &self.last
            && *last == question
        {
            return Ok(Arc::clone(plans));
        }
        let (head, known, commits) = (head.clone(), known.clone(), self.commits.clone());
        let (allowed, setting) = (question.allowed.clone(), self.setting.clone());
        let planned = spawn_blocking(move || planned(&head, &known, &allowed, &commits, &setting)).await;
        let plans = planned.map_err(|_| SourceError("to plan was broken off".to_owned()))??;
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
            let consents = consents(head, &in_force, allowed, commits);
            let proposed = Proposed {
                applications: &head.applications,
                commit: &commit,
                renderer: version::text(),
                setting,
            };
            let plans = plan(&objects, &BTreeMap::new(), &proposed, &consents);
            let earlier = earlier(head, &plans, known, commits, setting)?;
            if earlier.is_empty() { plans } else { plan(&objects, &earlier, &proposed, &consents) }
        }
    };
    for (namespace, known) in known {
        let Err(reason) = known else { continue };
        let plan = plans.entry(namespace.clone()).or_default();
        if allowed.get(namespace) != Some(&head.commit.to_string()) || head.withdrawn.is_some() {
            let reason = format!(
                "{reason}, so nobody knows what is in force; annotate the artifact with hfi.dev/allow-commit={}",
                head.commit
            );
            *plan = Plan { frozen: [("all applications".to_owned(), reason)].into(), ..Plan::default() };
        }
    }
    Ok(plans)
}

/// What applications that are invalid now last had, where no artifact says what is in force.
fn earlier(
    head: &Head,
    plans: &Namespaces<Plan>,
    known: &Known,
    commits: &CommitLog,
    setting: &Setting,
) -> Result<Namespaces<Objects>, SourceError> {
    let new = plans.iter().filter(|(namespace, _)| !known.contains_key(*namespace));
    let frozen = |(namespace, plan): (&String, &Plan)| -> Vec<ApplicationId> {
        plan.frozen.keys().map(|name| (namespace.clone(), name.clone())).collect()
    };
    let mut wanted: BTreeSet<ApplicationId> = new.flat_map(frozen).collect();
    let mut found = BTreeMap::<String, Vec<_>>::new();
    if !wanted.is_empty() {
        commits.back(head.commit, EARLIER, File::read, |files| {
            for (id, objects) in
                valid(&wanted, &Applications { files, guarded: head.applications.guarded.clone() }, setting)
            {
                wanted.remove(&id);
                found.entry(id.0).or_default().extend(objects);
            }
            if wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    Ok(found.into_iter().map(|(namespace, objects)| (namespace, objects.into_iter().collect())).collect())
}

/// The consent of people for each namespace.
fn consents(
    head: &Head,
    in_force: &Namespaces<&InForce>,
    allowed: &Namespaces<String>,
    commits: &CommitLog,
) -> Namespaces<Consent> {
    let head = head.commit;
    // Most namespaces are of few commits.
    let mut agreed = BTreeMap::new();
    let mut agreed_since = |commit: &str| {
        let count = || {
            let since = CommitId::from_hex(commit)?;
            let messages = commits.messages(since, head).ok()?;
            Some(messages.iter().map(|message| removals(message)).fold(0, usize::saturating_add))
        };
        // A history that cannot be read agrees to nothing.
        *agreed.entry(commit.to_owned()).or_insert_with(|| count().unwrap_or_default())
    };
    let consent = |(namespace, known): (&String, &&InForce)| {
        let consent = Consent {
            removals: agreed_since(&known.commit.id),
            is_of_commit: allowed.get(namespace).is_some_and(|commit| *commit == head.to_string()),
            limit: known.max_removals,
        };
        (namespace.clone(), consent)
    };
    in_force.iter().map(consent).collect()
}
