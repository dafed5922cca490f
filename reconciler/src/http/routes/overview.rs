//! `GET /v1/overview`: all that is happening, on one screen.

mod one_publication;
mod pods;
mod replicas;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse as _, Response},
};
use tokio::{sync::watch, time::timeout};

use self::{
    one_publication::{Seen, of_one_publication},
    pods::Pods,
    replicas::replicas,
};
use super::status;
use crate::{
    api::{
        overview::{Overview, banner::State as Banner},
        policy_status::PolicyStatus,
        status::Status,
    },
    clock::now,
    fleet::{
        filters::Filter,
        shared::{AllFilters, Others},
    },
    halts::{book::View, standing},
    http::{
        fault_reports::{self, Reports},
        operation::{Operation, json},
        overviews::Made,
        problem::Problem,
        state::Served,
    },
    overview::{
        doing::{Doing, Judge},
        facts::{Facts, Halt, KnownFilter, KnownPolicy, Source},
        made::{listed, made},
    },
    serving::{
        published::{Publication, Published},
        turnover::Turn,
    },
};

/// The time for which an overview waits for commits that are not known yet. Later ones are in the next overview.
const COMMITS: Duration = Duration::from_millis(300);

pub(crate) async fn get(State(served): State<Served>) -> Result<Response, Problem> {
    let made = newest(&served).await?;
    Ok(([(CONTENT_TYPE, "application/json")], made.json.clone()).into_response())
}

/// The overview of now, or of a moment ago. Nobody who has just halted is told that something is injected.
pub(super) async fn newest(served: &Served) -> Result<Arc<Made>, Problem> {
    let is_halted = matches!(
        served.publisher.publication(), Publication::Serving(published) if published.is_halted()
    );
    let says_halted = |overview: &Overview| {
        overview.banners.iter().any(|banner| matches!(banner.state, Banner::Halted { .. }))
    };
    let holds = |overview: &Overview| says_halted(overview) == is_halted;
    served.services.overviews.now(holds, make(served.clone())).await
}

/// Tells of each change from now on.
pub(super) fn follow(served: &Served) -> watch::Receiver<Option<Arc<Made>>> {
    let (for_each, shutdown) = (served.clone(), served.shutdown.clone());
    served.services.overviews.follow(move || make(for_each.clone()), shutdown)
}

/// Makes the overview of now.
async fn make(served: Served) -> Result<Overview, Problem> {
    let others = served.services.others(&served.publisher).await;
    let blocking = served.clone();
    let gathered = tokio::task::spawn_blocking(move || gather(&blocking, others.as_deref()));
    let lost = || Problem::not_ready("the overview could not be made".to_owned());
    let (mut facts, published) = gathered.await.map_err(|_| lost())?;
    let turns = served.publisher.turnover.turns();
    if let Some(published) = published {
        find_commits(&served, &facts, published, turns.clone()).await;
    }
    let commits = &served.services.overviews.commits;
    facts.recent = commits.recent(&turns);
    for policy in &mut facts.policies {
        policy.committed = commits.last(&policy.name);
    }
    Ok(made(facts, now()))
}

/// Looks for the commits that are not known yet, and waits for them only a moment.
async fn find_commits(served: &Served, facts: &Facts, published: Arc<Published>, turns: Vec<Turn>) {
    let Some(documents) = served.services.history.clone() else { return };
    let names: BTreeSet<_> = listed(facts, now()).map(|policy| policy.name.clone()).collect();
    let commits = Arc::clone(&served.services.overviews.commits);
    let finding = tokio::task::spawn_blocking(move || {
        commits.find(&documents, &published.whole, &names, &turns);
    });
    let _ = timeout(COMMITS, finding).await;
}

/// All that is known but commits, and what is served.
fn gather(served: &Served, others: Option<&Others>) -> (Facts, Option<Arc<Published>>) {
    let services = &served.services;
    let cluster = services.cluster.as_ref().map(|cluster| cluster.current());
    let Seen { active, found: (replicas, mut filters), is_of_one } =
        of_one_publication(&served.publisher, || {
            let known = AllFilters::new(&services.filters, others);
            (replicas(&known, others, cluster.as_ref()), known.judged(&served.publisher))
        });
    let pods = Pods::of(cluster.as_ref(), others);
    filters.retain(|filter| !pods.has_ended(filter));
    let attempts = served.syncs.attempts();
    let unreported = services.unreported.last();
    let mut judge = Judge::new(&active);
    let (reports, measured) = (Reports::of(served, others), fault_reports::of_filters(served, others));
    let of_filter = |filter: Filter| KnownFilter {
        // While policies come and go all the time nothing is known for sure.
        doing: if is_of_one { judge.doing(&filter) } else { Doing::MayInject },
        per_second: measured(&filter.node).map(|measured| measured.per_second),
        filter,
    };
    let mut facts = Facts {
        source: Source {
            is_git: services.history.is_some(),
            read_at: attempts.read_at,
            interval: services.interval,
            failure: attempts.failure.map(|failure| failure.reason),
            starting: None,
        },
        replicas,
        silent_proxies: pods.not_heard(&filters),
        unreported: unreported.max(others.and_then(|others| others.unreported)),
        filters: filters.into_iter().map(of_filter).collect(),
        ..Facts::default()
    };
    let published = match served.publisher.publication() {
        Publication::Serving(published) => published,
        Publication::Starting { reason } => {
            facts.source.starting = Some(reason);
            return (facts, None);
        }
    };
    facts.halt = published.is_halted().then(|| halt(served, &published));
    if let Ok(status) = status::read(served, others, &reports) {
        add_status(&mut facts, status, &published);
    }
    for policy in &mut facts.policies {
        policy.spark = reports.last_minute(&policy.name);
    }
    (facts, Some(published))
}

fn add_status(facts: &mut Facts, status: Status, published: &Published) {
    let Status { policies, rejected, revision, summary, withdrawn, .. } = status;
    let catalog = published.reported();
    let located: HashMap<_, _> =
        catalog.policies().iter().map(|located| (located.entry.policy.name.as_str(), located)).collect();
    // Another commit may be published meanwhile: the next overview has its policies.
    let known = |status: PolicyStatus| {
        let located = located.get(status.name.as_str())?;
        Some(KnownPolicy::new(status, located))
    };
    facts.policies = policies.into_iter().filter_map(known).collect();
    facts.rejected = rejected;
    facts.revision = Some(revision);
    facts.summary = summary.counts;
    facts.withdrawn = withdrawn;
}

/// Who has halted everything, as far as that is known.
fn halt(served: &Served, published: &Published) -> Halt {
    let halting = &served.services.halting;
    let book = &halting.book;
    // What is published may be newer than what the book has read of it.
    book.read(published);
    let View { halts, durable, trouble } = book.view();
    let standing = standing::standing(published, book);
    let others = standing.len() + standing::beside(published, book).len();
    let (_, is_complete) = super::halt::replicas(halting, true);
    let durable = durable.or_else(|| Some(standing::durable(published)));
    let more = (halts.len() + others).saturating_sub(1);
    let (by, reason, since) = match halts.into_iter().next() {
        Some(first) => (Some(first.by), Some(first.reason), Some(first.since.0)),
        None => (standing.into_iter().next(), standing::reason(published), None),
    };
    Halt { by, reason, since, more, durable, is_complete, trouble }
}

pub(crate) fn described() -> Operation {
    Operation::new("All that is happening, on one screen: what the page and `hfi status` show")
        .answers(200, "The overview, at most a second old", Some(json::<Overview>()), &[])
        .problems(&[503])
}
