//! Any values of the resources.

mod fleet;
mod policies;

use ::policies::Timestamp;
use proptest::{collection::vec, option, prelude::*};

use self::{
    fleet::kubernetes,
    policies::{policy_status, rejected},
};
pub(super) use self::{
    fleet::{filter, missing, peer_state},
    policies::policy,
};
use super::super::{
    counts::{Counts, Summary},
    finding::Finding,
    first_generation::SummaryFields,
    halts::{Durable, HaltState, HaltedFilters, HaltedReplica},
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
