//! The overview says what is so, and nothing that is not known.

mod banners;
mod laws;

use std::{sync::Arc, time::Duration};

use policies::{Scope, Timestamp, wire::poll::NodeId};

use super::{
    doing::Doing,
    facts::{Facts, Halt, KnownFilter, KnownPolicy, Replicas, Source},
    made::made,
};
use crate::{
    api::{
        filters::FilterState,
        finding::Finding,
        first_generation::PolicyFields,
        measured::Measured,
        overview::{
            Listed, Overview,
            banner::Banner,
            in_force::Shares,
            recent::{Recent, What, Why},
        },
        peers::MissingReplica,
        policy_status::{Direction, PolicyState, PolicyStatus, RejectedFile, Selector, Targets},
        writes::HistoryCommit,
    },
    fleet::filters::Filter,
};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn measured(per_second: f64) -> Measured {
    Measured {
        aborts: 0,
        chosen: 0,
        delays: 0,
        filters: 1,
        matched: 0,
        overflow: 0,
        partial: false,
        per_second,
        recent_share: None,
        shadow: 0,
        share: None,
        since: NOW.into(),
    }
}

fn known_filter(
    node: &str,
    services: &[&str],
    doing: Doing,
    state: FilterState,
    per_second: Option<f64>,
) -> KnownFilter {
    let filter = Filter {
        node: NodeId::parse(node).unwrap(),
        variant: Arc::new(Scope::new(["shop"], services.iter().copied()).unwrap().into()),
        plugins: None,
        digest: None,
        given: None,
        is_newest: state == FilterState::InStep,
        contact: NOW,
        state,
    };
    KnownFilter { filter, doing, per_second }
}

fn known_policy(name: &str, state: PolicyState, from: Option<u64>) -> KnownPolicy {
    let selector =
        Selector { host: None, namespace: "shop".to_owned(), service: Some("checkout".to_owned()) };
    let status = PolicyStatus {
        ends_at: None,
        file: "shop/a.yaml".to_owned(),
        halted_by: Vec::new(),
        line: 1,
        measured: None,
        name: name.to_owned(),
        no_proxy: None,
        starts_at: None,
        state,
        targets: Targets { destination: None, direction: Direction::Inbound, selector },
        warnings: Vec::new(),
        first_generation: PolicyFields::default(),
    };
    KnownPolicy {
        name: name.to_owned().try_into().unwrap(),
        status,
        configured: Shares { highest: 1.0, lowest: 1.0 },
        is_shadow: false,
        injects: true,
        in_force_from: from.map(|millis| NOW.plus_millis(millis)),
        committed: None,
        spark: Vec::new(),
    }
}

/// All is known, and nothing is injected.
fn calm() -> Facts {
    Facts {
        source: Source { is_git: true, read_at: Some(NOW), ..Source::default() },
        replicas: Replicas { total: 1, remember_all: true, ..Replicas::default() },
        ..Facts::default()
    }
}

/// The kinds of the banners of an overview.
fn kinds(overview: &Overview) -> Vec<String> {
    let kind = |state| serde_json::to_value(state).unwrap()["kind"].as_str().unwrap().to_owned();
    overview.banners.iter().map(|banner| kind(&banner.state)).collect()
}

#[test]
fn what_is_in_force_and_what_comes_are_told_apart() {
    let hour = 3_600_000;
    let policies = vec![
        known_policy("b", PolicyState::Active, None),
        known_policy("a", PolicyState::Active, None),
        known_policy("later", PolicyState::Scheduled, Some(3 * hour)),
        known_policy("soon", PolicyState::Scheduled, Some(hour)),
        known_policy("tomorrow", PolicyState::Scheduled, Some(25 * hour)),
        known_policy("over", PolicyState::Expired, None),
    ];
    let facts = Facts { policies, ..calm() };
    let names = |overview: &Overview| {
        let in_force: Vec<_> = overview.in_force.items.iter().map(|policy| policy.name.clone()).collect();
        let coming: Vec<_> = overview.coming.items.iter().map(|policy| policy.name.clone()).collect();
        (in_force.join(" "), coming.join(" "))
    };
    let overview = made(facts.clone(), NOW);
    assert_eq!(names(&overview), ("a b".to_owned(), "soon later".to_owned()));
    assert_eq!(overview.coming.items[0].starts_at.0, NOW.plus_millis(hour));
    let halted = made(Facts { halt: Some(Halt::default()), ..facts }, NOW);
    assert_eq!(names(&halted), (String::new(), "soon later".to_owned()));
}

#[test]
fn what_a_halt_keeps_out_of_force_is_no_trouble_and_what_comes_is_held() {
    let policies = vec![
        known_policy("a", PolicyState::Active, None),
        known_policy("soon", PolicyState::Scheduled, Some(3_600_000)),
    ];
    let facts = Facts { policies, halt: Some(Halt::default()), ..calm() };
    let halted = made(facts.clone(), NOW);
    assert!(halted.trouble.is_empty() && halted.coming.items[0].held);
    let resumed = made(Facts { halt: None, ..facts }, NOW);
    assert!(resumed.trouble.no_filter.total == 1 && !resumed.coming.items[0].held);
}

#[test]
fn a_filter_of_which_it_is_not_known_whether_it_is_gone_is_counted() {
    let unknown = known_filter("n", &["checkout"], Doing::Nothing, FilterState::Unknown, None);
    let overview = made(Facts { filters: vec![unknown], ..calm() }, NOW);
    assert_eq!(overview.filters.in_words(), "0 in step, 0 lagging, 0 gone, 1 unknown");
    assert_eq!(made(calm(), NOW).filters.in_words(), "0 in step, 0 lagging, 0 gone");
}

#[test]
fn a_policy_that_no_filter_has_is_trouble_once_all_filters_are_known() {
    let facts = Facts { policies: vec![known_policy("a", PolicyState::Active, None)], ..calm() };
    let overview = made(facts.clone(), NOW);
    assert_eq!(overview.trouble.no_filter.items[0].reason, "no filter polls at all");
    let replicas = Replicas { settled_in: Duration::from_secs(1), ..facts.replicas.clone() };
    assert!(made(Facts { replicas, ..facts }, NOW).trouble.is_empty());
}

#[test]
fn it_stays_small_whatever_a_mesh_has() {
    let commit = HistoryCommit {
        author: "a".repeat(60),
        id: "4f1d".repeat(10),
        subject: "s".repeat(200),
        time: NOW.into(),
    };
    let policy = |number: usize| {
        let states = [PolicyState::Active, PolicyState::Inactive, PolicyState::Scheduled];
        let name = format!("policy-{number:03}-{}", "n".repeat(40));
        let mut known = known_policy(&name, states[number % 3], Some(1_000));
        // The rate rises with the number.
        known.status.measured = Some(measured(number as f64));
        known.spark = vec![1_234.5; 60];
        known.committed = Some(commit.clone());
        known
    };
    let filter = |number: usize| {
        let state = FilterState::ALL[number % 3];
        let node = format!("sidecar~10.0.0.1~{}-{number}.shop~cluster.local", "n".repeat(60));
        known_filter(&node, &["checkout"], Doing::MayInject, state, Some(1.0))
    };
    let error = Finding { file: "f".repeat(100), message: "m".repeat(300), ..Finding::default() };
    let rejected = RejectedFile { errors: vec![error; 50], file: "f".repeat(100) };
    let facts = Facts {
        policies: (0..500).map(policy).collect(),
        filters: (0..20_000).map(filter).collect(),
        rejected: vec![rejected; 100],
        ..calm()
    };
    let overview = made(facts, NOW);
    assert_eq!((overview.in_force.total, overview.in_force.items.len()), (167, 50));
    assert!(
        overview.in_force.items[0].name.starts_with("policy-351-"),
        "{}",
        overview.in_force.items[0].name
    );
    assert_eq!((overview.trouble.gone.total, overview.trouble.gone.more()), (6_666, 6_646));
    assert_eq!((overview.trouble.rejected.total, overview.trouble.rejected.items[0].errors.total), (100, 50));
    let length = serde_json::to_vec(&overview).unwrap().len();
    assert!(length < 200_000, "{length}");
}
