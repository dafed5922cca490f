//! Any filters and replicas, and what they report.

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};

use super::{
    super::super::{
        filters::{Filter, FilterState},
        kubernetes::{ClusterTask, FailingDuty, Kubernetes, Proxies, SilentProxy},
        measured::Measured,
        peers::{MissingReplica, PeerEndedPod, PeerFilter, PeerGiven, PeerReport, PeerState},
    },
    seconds, text, time,
};

pub(in crate::api::tests) fn measured() -> impl Strategy<Value = Measured> {
    let shares = [(); 2].map(|()| option::of(seconds()));
    (any::<[u64; 6]>(), any::<usize>(), any::<bool>(), seconds(), shares, time()).prop_map(
        |(counts, filters, partial, per_second, [recent_share, share], since)| {
            let [aborts, chosen, delays, matched, overflow, shadow] = counts;
            Measured {
                aborts,
                chosen,
                delays,
                filters,
                matched,
                overflow,
                partial,
                per_second,
                recent_share,
                shadow,
                share,
                since,
            }
        },
    )
}

pub(in crate::api::tests) fn kubernetes() -> impl Strategy<Value = Kubernetes> {
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

pub(in crate::api::tests) fn missing() -> impl Strategy<Value = MissingReplica> {
    (text(), text()).prop_map(|(error, name)| MissingReplica { error, name })
}

pub(in crate::api::tests) fn peer_state() -> impl Strategy<Value = PeerState> {
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

pub(in crate::api::tests) fn filter() -> impl Strategy<Value = Filter> {
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
