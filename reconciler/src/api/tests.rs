//! The JSON of each resource is the one that its users know, and is read back as it was written.

use std::fmt::Debug;

use policies::Timestamp;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    counts::{Counts, Summary},
    events::Event,
    filters::{Filter, FilterCounts, FilterState, Filters, Modules},
    finding::Finding,
    first_generation::{FaultType, PolicyFields, SummaryFields},
    halts::{Durable, HaltRequest, HaltState, HaltedFilters, HaltedReplica},
    health::Health,
    hooks::Notified,
    kubernetes::{ClusterTask, FailingDuty, Kubernetes, Proxies, SilentProxy},
    peer_halts::PeerHalts,
    peers::{MissingReplica, PeerAnswer, PeerFilter, PeerState},
    policies::{Metadata, Policies, Policy},
    policy_status::{Direction, NoProxy, PolicyState, PolicyStatus, RejectedFile, Selector, Targets},
    problem::Problem,
    ready::{Ready, ReadyStatus, SourceError},
    status::{Source, SourceFailing, Status},
    time::Time,
    writes::{BodyError, History, HistoryCommit, WriteResult, Written, WrittenPolicy},
};

/// Reads a golden file and writes it again: a field that is renamed, added, removed or moved shows.
#[track_caller]
fn is_written_as<T: Serialize + DeserializeOwned>(golden: &str) {
    let value: T = serde_json::from_str(golden).unwrap();
    assert_eq!(serde_json::to_string_pretty(&value).unwrap() + "\n", golden);
}

#[test]
fn every_resource_is_written_as_before() {
    is_written_as::<Status>(include_str!("tests/status.json"));
    is_written_as::<Filters>(include_str!("tests/filters.json"));
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

fn text() -> impl Strategy<Value = String> {
    ".{0,12}"
}

fn time() -> impl Strategy<Value = Time> {
    // To the end of the year 9999.
    (0..253_402_300_799_999_u64).prop_map(|millis| Time(Timestamp::from_millis(millis)))
}

/// To the millisecond, as they are measured.
fn seconds() -> impl Strategy<Value = f64> {
    (0..4_000_000_000_u32).prop_map(|millis| f64::from(millis) / 1_000.0)
}

fn counts() -> impl Strategy<Value = Counts> {
    any::<[usize; 10]>().prop_map(
        |[
            active,
            errors,
            expired,
            halted,
            inactive,
            ignored,
            policies,
            rejected_files,
            scheduled,
            suspended,
        ]| {
            Counts {
                active,
                errors,
                expired,
                halted,
                inactive,
                ignored,
                policies,
                rejected_files,
                scheduled,
                suspended,
            }
        },
    )
}

fn finding() -> impl Strategy<Value = Finding> {
    (any::<u32>(), text(), text(), any::<u32>(), text())
        .prop_map(|(column, field, file, line, message)| Finding { column, field, file, line, message })
}

fn body_error() -> impl Strategy<Value = BodyError> {
    (any::<u32>(), any::<usize>(), text(), any::<u32>(), text()).prop_map(
        |(column, document, field, line, message)| BodyError { column, document, field, line, message },
    )
}

fn written() -> impl Strategy<Value = Written> {
    let results = [
        WriteResult::Created,
        WriteResult::Configured,
        WriteResult::Unchanged,
        WriteResult::Restarted,
        WriteResult::Deleted,
        WriteResult::Unknown,
    ];
    let policy = (text(), any::<u32>(), text(), prop::sample::select(results.to_vec()))
        .prop_map(|(file, line, name, result)| WrittenPolicy { file, line, name, result });
    let texts = [(); 5].map(|()| option::of(text()));
    (texts, vec(policy, 0..3), text(), any::<bool>(), vec(finding(), 0..3)).prop_map(
        |([branch, commit, digest, link, revision], policies, request, served, warnings)| Written {
            branch,
            commit,
            digest,
            link,
            policies,
            request,
            revision,
            served,
            warnings,
        },
    )
}

fn history() -> impl Strategy<Value = History> {
    let commit = (text(), text(), text(), time()).prop_map(|(author, id, subject, time)| HistoryCommit {
        author,
        id,
        subject,
        time,
    });
    (vec(commit, 0..3), any::<bool>()).prop_map(|(commits, partial)| History { commits, partial })
}

fn halt() -> impl Strategy<Value = HaltState> {
    let durable = prop::sample::select([&Durable::ALL[..], &[Durable::Unknown]].concat());
    let replica = (option::of(text()), any::<bool>(), text());
    let replica = replica.prop_map(|(error, halted, name)| HaltedReplica { error, halted, name });
    let filters = any::<[usize; 2]>().prop_map(|[stopped, waiting]| HaltedFilters { stopped, waiting });
    let texts = [(); 4].map(|()| option::of(text()));
    let lists = (vec(replica, 0..3), vec(text(), 0..3));
    (texts, option::of(any::<bool>()), option::of(durable), filters, any::<bool>(), lists, option::of(time()))
        .prop_map(
            |([by, id, reason, trouble], complete, durable, filters, halted, (replicas, standing), since)| {
                HaltState {
                    by,
                    complete,
                    durable,
                    filters,
                    halted,
                    id,
                    reason,
                    replicas,
                    since,
                    standing,
                    trouble,
                }
            },
        )
}

fn selector() -> impl Strategy<Value = Selector> {
    (option::of(text()), text(), option::of(text())).prop_map(|(host, namespace, service)| Selector {
        host,
        namespace,
        service,
    })
}

fn targets() -> impl Strategy<Value = Targets> {
    let direction =
        prop_oneof![Just(Direction::Inbound), Just(Direction::Outbound), Just(Direction::Unknown)];
    (option::of(selector()), direction, selector()).prop_map(|(destination, direction, selector)| Targets {
        destination,
        direction,
        selector,
    })
}

fn policy_state() -> impl Strategy<Value = PolicyState> {
    prop::sample::select([&PolicyState::ALL[..], &[PolicyState::Unknown]].concat())
}

fn policy_fields() -> impl Strategy<Value = PolicyFields> {
    let fault = prop::sample::select(vec![FaultType::Abort, FaultType::Delay]);
    (any::<bool>(), vec(fault, 0..3), text(), any::<usize>(), text()).prop_map(
        |(active, fault_types, namespace, rules_count, target_service)| PolicyFields {
            active,
            fault_types,
            namespace,
            rules_count,
            target_service,
        },
    )
}

fn summary() -> impl Strategy<Value = Summary> {
    (counts(), any::<[usize; 4]>()).prop_map(
        |(counts, [abort_policies, active_policies, delay_policies, total_policies])| Summary {
            counts,
            first_generation: SummaryFields {
                abort_policies,
                active_policies,
                delay_policies,
                total_policies,
            },
        },
    )
}

fn policy_status() -> impl Strategy<Value = PolicyStatus> {
    let times = (option::of(time()), option::of(time()));
    let no_proxy = option::of(vec(text(), 0..3).prop_map(|nearest| NoProxy { nearest }));
    let lists = (vec(finding(), 0..3), policy_fields(), no_proxy, vec(text(), 0..3));
    (times, text(), any::<u32>(), text(), policy_state(), targets(), lists).prop_map(
        |((starts_at, ends_at), file, line, name, state, targets, lists)| {
            let (warnings, first_generation, no_proxy, halted_by) = lists;
            PolicyStatus {
                ends_at,
                file,
                halted_by,
                line,
                name,
                no_proxy,
                starts_at,
                state,
                targets,
                warnings,
                first_generation,
            }
        },
    )
}

fn rejected() -> impl Strategy<Value = RejectedFile> {
    (vec(finding(), 0..3), text()).prop_map(|(errors, file)| RejectedFile { errors, file })
}

fn kubernetes() -> impl Strategy<Value = Kubernetes> {
    let duty = prop::sample::select([&ClusterTask::ALL[..], &[ClusterTask::Unknown]].concat());
    let failing =
        (duty, text(), time()).prop_map(|(duty, reason, since)| FailingDuty { duty, reason, since });
    let since_by_plugin = btree_map(text(), time(), 0..3);
    let silent = (text(), vec(text(), 0..3), text(), time(), since_by_plugin).prop_map(
        |(namespace, plugins, pod, since, since_by_plugin)| SilentProxy {
            namespace,
            plugins,
            pod,
            since,
            since_by_plugin,
        },
    );
    let proxies = (any::<usize>(), vec(silent, 0..3), option::of(time()))
        .prop_map(|(covered, silent, stale_since)| Proxies { covered, silent, stale_since });
    let proxies = option::of(proxies);
    (
        any::<bool>(),
        vec(failing, 0..3),
        option::of(text()),
        any::<bool>(),
        option::of(any::<usize>()),
        proxies,
    )
        .prop_map(|(connected, failing, holder, leader, namespaces, proxies)| Kubernetes {
            connected,
            failing,
            holder,
            leader,
            namespaces,
            proxies,
        })
}

fn source() -> impl Strategy<Value = Source> {
    let failing = (text(), time()).prop_map(|(reason, since)| SourceFailing { reason, since });
    (option::of(seconds()), option::of(failing), option::of(time()))
        .prop_map(|(age_seconds, failing, last_success)| Source { age_seconds, failing, last_success })
}

fn status() -> impl Strategy<Value = Status> {
    let texts = (text(), text(), text(), option::of(text()));
    let lists = (vec(policy_status(), 0..3), vec(rejected(), 0..3), vec(missing(), 0..3));
    let replicas = option::of(text());
    (texts, any::<bool>(), option::of(kubernetes()), lists, source(), summary(), replicas).prop_map(
        |(
            (digest, revision, scope, withdrawn),
            halted,
            kubernetes,
            (policies, rejected, missing),
            source,
            summary,
            replicas,
        )| {
            Status {
                digest,
                halted,
                kubernetes,
                missing,
                policies,
                rejected,
                replicas,
                revision,
                scope,
                source,
                summary,
                withdrawn,
            }
        },
    )
}

fn missing() -> impl Strategy<Value = MissingReplica> {
    (text(), text()).prop_map(|(error, name)| MissingReplica { error, name })
}

fn peer_state() -> impl Strategy<Value = PeerState> {
    let filter = (
        option::of(text()),
        any::<u8>(),
        any::<[bool; 2]>(),
        text(),
        option::of(text()),
        text(),
        any::<u64>(),
    );
    let filter = filter.prop_map(|(digest, format, [gone, own], node, plugins, scope, silent_millis)| {
        PeerFilter { digest, format, gone, node, own, plugins, scope, silent_millis }
    });
    (any::<bool>(), vec(filter, 0..3), any::<u64>())
        .prop_map(|(complete, filters, listening_millis)| PeerState { complete, filters, listening_millis })
}

fn filter() -> impl Strategy<Value = Filter> {
    let state = prop::sample::select([&FilterState::ALL[..], &[FilterState::Unknown]].concat());
    let plugins = option::of(vec(text(), 0..3));
    (option::of(text()), time(), text(), any::<bool>(), text(), plugins, text(), state).prop_map(
        |(digest, last_contact, namespace, newest, node, plugins, service, state)| Filter {
            digest,
            last_contact,
            namespace,
            newest,
            node,
            plugins,
            service,
            state,
        },
    )
}

fn ready() -> impl Strategy<Value = Ready> {
    let error = (seconds(), text()).prop_map(|(age_seconds, message)| SourceError { age_seconds, message });
    (any::<[bool; 2]>(), text(), option::of(seconds()), option::of(error), option::of(text())).prop_map(
        |([halted, restored], revision, source_age_seconds, source_error, withdrawn)| Ready {
            halted,
            restored,
            revision,
            source_age_seconds,
            source_error,
            status: ReadyStatus::Ready,
            withdrawn,
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let value = || prop_oneof![text().prop_map(Value::from), any::<i64>().prop_map(Value::from)];
    let inert = [option::of(value()), option::of(value()), option::of(value())];
    let metadata = (text(), inert).prop_map(|(name, [annotations, labels, version])| Metadata {
        annotations,
        labels,
        name,
        version,
    });
    (metadata, vec((text(), value()), 0..4))
        .prop_map(|(metadata, spec)| Policy { metadata, spec: Map::from_iter(spec) })
}

proptest! {
    #[test]
    fn a_status_is_read_back(status in status()) {
        is_read_back(&status);
    }

    #[test]
    fn filters_are_read_back(
        filters in vec(filter(), 0..3), [gone, in_step, lagging] in any::<[usize; 3]>(),
        digests in vec(text(), 0..3), unknown_requests: u64, since in option::of(time()), complete: bool,
        missing in vec(missing(), 0..3), replicas in option::of(text()),
    ) {
        let (summary, modules) = (FilterCounts { gone, in_step, lagging }, Modules { digests, unknown_requests });
        is_read_back(&Filters { complete, filters, missing, modules, replicas, since, summary });
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
