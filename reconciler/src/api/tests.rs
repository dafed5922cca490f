//! The JSON of each resource is the one that its users know, and is read back as it was written.

mod values;

use std::fmt::Debug;

use proptest::{collection::vec, option, prelude::*};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use self::values::{
    body_error, counts, filter, halt, history, missing, peer_state, policy, ready, status, text, time,
    written,
};
use super::{
    events::Event,
    filters::{FilterCounts, FilterState, Filters, Modules},
    halts::{Durable, HaltRequest, HaltState},
    health::Health,
    hooks::Notified,
    kubernetes::ClusterTask,
    overview::{Overview, banner, recent},
    peer_halts::PeerHalts,
    peers::{PeerAnswer, PeerState},
    policies::Policies,
    policy_status::{Direction, PolicyState},
    problem::Problem,
    ready::Ready,
    status::Status,
    writes::{History, Written},
};
#[track_caller]
fn is_written_as<T: Serialize + DeserializeOwned>(golden: &str) {
    let value: T = serde_json::from_str(golden).unwrap();
    assert_eq!(serde_json::to_string_pretty(&value).unwrap() + "\n", golden);
}

#[test]
fn every_resource_is_written_as_before() {
    is_written_as::<Status>(include_str!("tests/status.json"));
    is_written_as::<Filters>(include_str!("tests/filters.json"));
    is_written_as::<Overview>(include_str!("tests/overview.json"));
    is_written_as::<PeerAnswer<PeerState>>(include_str!("tests/peer_state.json"));
    is_written_as::<PeerAnswer<PeerHalts>>(include_str!("tests/peer_halts.json"));
    is_written_as::<Event>(include_str!("tests/events.json"));
    is_written_as::<Ready>(include_str!("tests/ready.json"));
    is_written_as::<Policies>(include_str!("tests/policies.json"));
    is_written_as::<Problem>(include_str!("tests/problem.json"));
    is_written_as::<Problem>(include_str!("tests/problem_of_a_write.json"));
    is_written_as::<Written>(include_str!("tests/written.json"));
    is_written_as::<History>(include_str!("tests/history.json"));
    is_written_as::<HaltState>(include_str!("tests/halt.json"));
    is_written_as::<Health>(include_str!("tests/health.json"));
    is_written_as::<Notified>(include_str!("tests/hooks.json"));
}

#[test]
fn a_newer_server_is_understood() {
    let newer = include_str!("tests/filters.json").replace("\"newest\": true", "\"version\": 2");
    let read: Filters = serde_json::from_str(&newer.replace("\"in_step\",", "\"asleep\",")).unwrap();
    assert!(!read.filters[0].newest, "a field that is missing has its default");
    for name in ["asleep", "unknown"] {
        let state: FilterState = serde_json::from_value(name.into()).unwrap();
        assert_eq!(state, FilterState::Unknown, "{name}");
    }
    assert_eq!(serde_json::from_str::<PolicyState>("\"paused\"").unwrap(), PolicyState::Unknown);
    assert_eq!(serde_json::from_str::<Direction>("\"both\"").unwrap(), Direction::Unknown);
    assert_eq!(serde_json::from_str::<Durable>("\"tape\"").unwrap(), Durable::Unknown);
    let banner: banner::State = serde_json::from_str("{\"kind\": \"on_fire\", \"services\": 2}").unwrap();
    assert_eq!(banner, banner::State::Unknown);
    assert_eq!(serde_json::from_str::<recent::Why>("\"eclipse\"").unwrap(), recent::Why::Unknown);
    assert_eq!(serde_json::from_str::<recent::What>("\"moved\"").unwrap(), recent::What::Unknown);
    assert_eq!(serde_json::from_str::<ClusterTask>("\"backups\"").unwrap(), ClusterTask::Unknown);
}

#[test]
fn a_name_is_the_same_in_json_and_in_metrics() {
    let json = |value: Value| value.as_str().unwrap().to_owned();
    for state in PolicyState::ALL {
        assert_eq!(json(serde_json::to_value(state).unwrap()), state.as_str());
    }
    for state in FilterState::ALL {
        assert_eq!(json(serde_json::to_value(state).unwrap()), state.as_str());
    }
    for durable in Durable::ALL {
        assert_eq!(json(serde_json::to_value(durable).unwrap()), durable.as_str());
    }
    for duty in ClusterTask::ALL {
        assert_eq!(json(serde_json::to_value(duty).unwrap()), duty.as_str());
    }
}

fn is_read_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
}

proptest! {
    #[test]
    fn a_status_is_read_back(status in status()) {
        is_read_back(&status);
    }

    #[test]
    fn filters_are_read_back(
        filters in vec(filter(), 0..3), [gone, in_step, lagging, unknown] in any::<[usize; 4]>(),
        digests in vec(text(), 0..3), unknown_requests: u64, since in option::of(time()), complete: bool,
        missing in vec(missing(), 0..3), [next, replicas] in [option::of(text()), option::of(text())],
        at in option::of(time()), [listening_seconds, longest_wait_seconds] in any::<[u64; 2]>(), held: bool,
    ) {
        let (summary, modules) = (FilterCounts { gone, in_step, lagging, unknown }, Modules { digests, unknown_requests });
        is_read_back(&Filters {
            at, complete, filters, held, listening_seconds, longest_wait_seconds, missing, modules, next, replicas, since, summary,
        });
    }

    #[test]
    fn what_replicas_tell_each_other_is_read_back(
        id in text(), name in text(), told in option::of(peer_state()),
    ) {
        is_read_back(&PeerAnswer { id, name, told });
    }

    #[test]
    fn an_event_is_read_back(
        digest in text(), halted: bool, revision in text(), summary in counts(), withdrawn in option::of(text()),
    ) {
        is_read_back(&Event { digest, halted, revision, summary, withdrawn });
    }

    #[test]
    fn readiness_is_read_back(ready in ready()) {
        is_read_back(&ready);
    }

    #[test]
    fn policies_are_read_back(policies in vec(policy(), 0..3)) {
        is_read_back(&Policies { policies });
    }

    #[test]
    fn a_write_is_read_back(written in written(), history in history()) {
        is_read_back(&written);
        is_read_back(&history);
    }

    #[test]
    fn a_halt_is_read_back(halt in halt(), reason in text()) {
        is_read_back(&halt);
        is_read_back(&HaltRequest { reason });
    }

    #[test]
    fn a_problem_is_read_back(
        (detail, title, status) in (text(), text(), any::<u16>()),
        (commit, outcome, request) in (option::of(text()), option::of(text()), option::of(text())),
        errors in vec(body_error(), 0..3),
    ) {
        is_read_back(&Problem { commit, detail, errors, outcome, request, status, title });
    }
}
