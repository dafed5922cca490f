//! What is known of the halt.

use policies::{Digest, Snapshot, wire::Format};

use crate::{
    api::halts::{HaltState, HaltedFilters, HaltedReplica},
    fleet::shared::{AllFilters, Others},
    halts::{
        book::View,
        standing::{self, standing},
    },
    http::{halting::Halting, state::Served},
    serving::published::Publication,
};

/// The state of the halt now. `others`: what the other replicas know of filters, if they were asked.
pub(super) fn of(served: &Served, others: Option<&Others>) -> HaltState {
    let halting = &served.services.halting;
    let published = match served.publisher.publication() {
        Publication::Serving(published) if published.is_halted() => published,
        _ => {
            let (replicas, complete) = replicas(halting, false);
            return HaltState { complete, replicas, ..HaltState::default() };
        }
    };
    // What is published may be newer than what the book has read of it.
    halting.book.read(&published);
    let View { halts, durable, trouble } = halting.book.view();
    let first = halts.into_iter().next();
    let (replicas, complete) = replicas(halting, true);
    let durable = durable.or_else(|| Some(standing::durable(&published)));
    let reason = first.as_ref().map(|first| first.reason.clone());
    HaltState {
        by: first.as_ref().map(|first| first.by.clone()),
        complete,
        durable,
        filters: filters(served, others),
        halted: true,
        id: first.as_ref().map(|first| first.id.to_string()),
        reason: reason.or_else(|| standing::reason(&published)),
        replicas,
        since: first.as_ref().map(|first| first.since),
        standing: standing(&published, &halting.book),
        trouble,
    }
}

/// This replica and the others, and whether all of them are halted; `None` if this one does not ask the others.
pub(in crate::http::routes) fn replicas(
    halting: &Halting,
    halted: bool,
) -> (Vec<HaltedReplica>, Option<bool>) {
    let mut replicas = vec![HaltedReplica { error: None, halted, name: halting.replica.clone() }];
    let Some(exchange) = &halting.exchange else { return (replicas, None) };
    let (others, are_told) = exchange.replicas();
    replicas.extend(others);
    let complete = are_told && replicas.iter().all(|replica| replica.halted);
    (replicas, Some(complete))
}

/// The filters that run the empty snapshot, and the others.
fn filters(served: &Served, others: Option<&Others>) -> HaltedFilters {
    let empty = Snapshot { policies: Vec::new() };
    let digests = Format::ALL.map(|format| Digest::of(&empty.encode(format)));
    let (stopped, waiting) = AllFilters::new(&served.services.filters, others).running(&digests);
    HaltedFilters { stopped, waiting }
}
