//! Any policies, as they are shown.

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value};

use super::{
    super::super::{
        first_generation::{FaultType, PolicyFields},
        policies::{Metadata, Policy},
        policy_status::{Direction, NoProxy, PolicyState, PolicyStatus, RejectedFile, Selector, Targets},
    },
    finding,
    fleet::measured,
    text, time,
};

pub(in crate::api::tests) fn selector() -> impl Strategy<Value = Selector> {
    (option::of(text()), text(), option::of(text())).prop_map(|(host, namespace, service)| Selector {
        host,
        namespace,
        service,
    })
}

pub(in crate::api::tests) fn targets() -> impl Strategy<Value = Targets> {
    let direction =
        prop_oneof![Just(Direction::Inbound), Just(Direction::Outbound), Just(Direction::Unknown)];
    (option::of(selector()), direction, selector()).prop_map(|(destination, direction, selector)| Targets {
        destination,
        direction,
        selector,
    })
}

pub(in crate::api::tests) fn policy_state() -> impl Strategy<Value = PolicyState> {
    prop::sample::select([&PolicyState::ALL[..], &[PolicyState::Unknown]].concat())
}

pub(in crate::api::tests) fn policy_fields() -> impl Strategy<Value = PolicyFields> {
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

pub(in crate::api::tests) fn policy_status() -> impl Strategy<Value = PolicyStatus> {
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

pub(in crate::api::tests) fn rejected() -> impl Strategy<Value = RejectedFile> {
    (vec(finding(), 0..3), text()).prop_map(|(errors, file)| RejectedFile { errors, file })
}

pub(in crate::api::tests) fn policy() -> impl Strategy<Value = Policy> {
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
