//! Any values of the resources.

use policies::Timestamp;
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};
use serde_json::{Map, Value};

use super::super::{
    counts::{Counts, Summary},
    filters::{Filter, FilterState},
    finding::Finding,
    first_generation::{FaultType, PolicyFields, SummaryFields},
    halts::{Durable, HaltState, HaltedFilters, HaltedReplica},
    kubernetes::{ClusterTask, FailingDuty, Kubernetes, Proxies, SilentProxy},
    measured::Measured,
    peers::{MissingReplica, PeerEndedPod, PeerFilter, PeerGiven, PeerReport, PeerState},
    policies::{Metadata, Policy},
    policy_status::{Direction, NoProxy, PolicyState, PolicyStatus, RejectedFile, Selector, Targets},
    ready::{Ready, ReadyStatus, SourceError},
    status::{Source, SourceFailing, Status},
    time::Time,
    writes::{BodyError, History, HistoryCommit, WriteResult, Written, WrittenPolicy},
};

pub(super) fn text() -> impl Strategy<Value = String> {
    ".{0,12}"
}

pub(super) fn time() -> impl Strategy<Value = Time> {
    // To the end of the year 9999.
    (0..253_402_300_799_999_u64).prop_map(|millis| Time(Timestamp::from_millis(millis)))
}

/// To the millisecond, as they are measured.
pub(super) fn seconds() -> impl Strategy<Value = f64> {
    (0..4_000_000_000_u32).prop_map(|millis| f64::from(millis) / 1_000.0)
}

pub(super) fn counts() -> impl Strategy<Value = Counts> {
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

pub(super) fn finding() -> impl Strategy<Value = Finding> {
    (any::<u32>(), text(), text(), any::<u32>(), text())
        .prop_map(|(column, field, file, line, message)| Finding { column, field, file, line, message })
}

pub(super) fn body_error() -> impl Strategy<Value = BodyError> {
    (any::<u32>(), any::<usize>(), text(), any::<u32>(), text()).prop_map(
        |(column, document, field, line, message)| BodyError { column, document, field, line, message },
    )
}

pub(super) fn written() -> impl Strategy<Value = Written> {
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

pub(super) fn history() -> impl Strategy<Value = History> {
    let commit = (text(), text(), text(), time()).prop_map(|(author, id, subject, time)| HistoryCommit {
        author,
        id,
        subject,
        time,
    });
    (vec(commit, 0..3), any::<bool>()).prop_map(|(commits, partial)| History { commits, partial })
}

pub(super) fn halt() -> impl Strategy<Value = HaltState> {
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

pub(super) fn selector() -> impl Strategy<Value = Selector> {
    (option::of(text()), text(), option::of(text())).prop_map(|(host, namespace, service)| Selector {
        host,
        namespace,
        service,
    })
}

pub(super) fn targets() -> impl Strategy<Value = Targets> {
    let direction =
        prop_oneof![Just(Direction::Inbound), Just(Direction::Outbound), Just(Direction::Unknown)];
    (option::of(selector()), direction, selector()).prop_map(|(destination, direction, selector)| Targets {
        destination,
        direction,
        selector,
    })
}

pub(super) fn policy_state() -> impl Strategy<Value = PolicyState> {
    prop::sample::select([&PolicyState::ALL[..], &[PolicyState::Unknown]].concat())
}

pub(super) fn policy_fields() -> impl Strategy<Value = PolicyFields> {
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

pub(super) fn summary() -> impl Strategy<Value = Summary> {
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

pub(super) fn measured() -> impl Strategy<Value = Measured> {
    (any::<[u64; 6]>(), any::<usize>(), any::<bool>(), seconds(), option::of(seconds()), time()).prop_map(
        |(
            [aborts, chosen, delays, matched, overflow, shadow],
            filters,
            partial,
            per_second,
            share,
            since,
        )| {
            Measured {
                aborts,
                chosen,
                delays,
                filters,
                matched,
                overflow,
                partial,
                per_second,
                shadow,
                share,
                since,
            }
        },
    )
}

pub(super) fn policy_status() -> impl Strategy<Value = PolicyStatus> {
    let times = (option::of(time()), option::of(time()));
    let no_proxy = option::of(vec(text(), 0..3).prop_map(|nearest| NoProxy { nearest }));
    let lists = (vec(finding(), 0..3), policy_fields(), no_proxy, vec(text(), 0..3), option::of(measured()));
    (times, text(), any::<u32>(), text(), policy_state(), targets(), lists).prop_map(
        |((starts_at, ends_at), file, line, name, state, targets, lists)| {
            let (warnings, first_generation, no_proxy, halted_by, measured) = lists;
            PolicyStatus {
                ends_at,
                file,
                halted_by,
                line,
                measured,
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

pub(super) fn rejected() -> impl Strategy<Value = RejectedFile> {
    (vec(finding(), 0..3), text()).prop_map(|(errors, file)| RejectedFile { errors, file })
}

pub(super) fn kubernetes() -> impl Strategy<Value = Kubernetes> {
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

pub(super) fn source() -> impl Strategy<Value = Source> {
    let failing = (text(), time()).prop_map(|(reason, since)| SourceFailing { reason, since });
    (option::of(seconds()), option::of(failing), option::of(time()))
        .prop_map(|(age_seconds, failing, last_success)| Source { age_seconds, failing, last_success })
}

pub(super) fn status() -> impl Strategy<Value = Status> {
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

pub(super) fn missing() -> impl Strategy<Value = MissingReplica> {
    (text(), text()).prop_map(|(error, name)| MissingReplica { error, name })
}

pub(super) fn peer_state() -> impl Strategy<Value = PeerState> {
    let filter = (
        option::of(any::<usize>()),
        any::<u8>(),
        option::of((any::<usize>(), any::<u64>())),
        any::<[bool; 2]>(),
        text(),
        option::of(text()),
        text(),
        any::<u64>(),
    );
    let filter =
        filter.prop_map(|(digest, format, given, [gone, own], node, plugins, scope, silent_millis)| {
            let given = given.map(|(place, past_millis)| PeerGiven(place, past_millis));
            PeerFilter { digest, format, given, gone, node, own, plugins, scope, silent_millis }
        });
    let report = (text(), text(), text(), any::<u64>());
    let report = report.prop_map(|(counts, life, node, silent_millis)| PeerReport {
        counts,
        life,
        node,
        silent_millis,
    });
    let complete = (any::<bool>(), any::<bool>());
    let ended = (text(), any::<u64>()).prop_map(|(pod, past_millis)| PeerEndedPod { past_millis, pod });
    let others = (vec(text(), 0..3), option::of(any::<u64>()), vec(ended, 0..3), vec(text(), 0..3));
    (complete, vec(filter, 0..3), any::<[u64; 2]>(), vec(report, 0..3), others).prop_map(
        |(
            (complete, reports_complete),
            filters,
            [listening_millis, longest_wait_millis],
            reports,
            others,
        )| PeerState {
            complete,
            digests: others.3,
            ended_pods: others.2,
            filters,
            listening_millis,
            longest_wait_millis,
            reports,
            reports_complete,
            silent_pods: others.0,
            unreported_millis: others.1,
        },
    )
}

pub(super) fn filter() -> impl Strategy<Value = Filter> {
    let state = prop::sample::select([&FilterState::ALL[..], &[FilterState::Unknown]].concat());
    let plugins = option::of(vec(text(), 0..3));
    let measured = option::of(measured());
    (option::of(text()), time(), text(), any::<bool>(), text(), plugins, text(), state, measured).prop_map(
        |(digest, last_contact, namespace, newest, node, plugins, service, state, measured)| Filter {
            digest,
            last_contact,
            measured,
            namespace,
            newest,
            node,
            plugins,
            service,
            state,
        },
    )
}

pub(super) fn ready() -> impl Strategy<Value = Ready> {
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

pub(super) fn policy() -> impl Strategy<Value = Policy> {
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
