//! The changes between the status in the cluster and the present one; each becomes an Event. The former is
//! read from the cluster, so that neither a restart nor a new leader repeats an Event.

use crate::kubernetes::reporting::{
    policy_source::{Inactive, Status},
    status::{READY, SOURCE_REACHABLE},
};

/// The most files or policies that get an Event each; one more Event counts the rest.
const MOST_NAMED: usize = 10;

/// A change, as an Event shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Of type `Warning` instead of `Normal`.
    pub(crate) warning: bool,
    /// The reason of the Event: one word.
    pub(crate) reason: &'static str,
    pub(crate) note: String,
}

impl Change {
    fn normal(reason: &'static str, note: String) -> Self {
        Self { warning: false, reason, note }
    }

    fn warning(reason: &'static str, note: String) -> Self {
        Self { warning: true, reason, note }
    }
}

/// All changes from one status to the next.
pub(crate) fn changes(before: &Status, now: &Status) -> Vec<Change> {
    let mut changes = Vec::new();
    match (&before.revision, &now.revision) {
        (known, Some(revision)) if known.as_ref() != Some(revision) => {
            let message = now.condition(READY).map(|ready| ready.message.as_str()).unwrap_or_default();
            changes.push(Change::normal("NewRevision", format!("{revision}: {message}")));
        }
        (Some(revision), None) => {
            let why = now.condition(READY).map(|ready| ready.message.as_str()).unwrap_or_default();
            changes
                .push(Change::warning("NothingToServe", format!("{revision} is not served any more: {why}")));
        }
        _ => {}
    }
    match (&before.withdrawn, &now.withdrawn) {
        (None, Some(reason)) => changes.push(Change::warning("Withdrawn", reason.clone())),
        (Some(_), None) => changes.push(Change::normal("Reinstated", "it may be served again".to_owned())),
        _ => {}
    }
    match (before.halted, now.halted) {
        (false, true) => changes
            .push(Change::warning("Halted", "the replica that leads serves empty snapshots only".to_owned())),
        (true, false) => {
            changes.push(Change::normal("Resumed", "what is in force is served again".to_owned()))
        }
        _ => {}
    }
    let readable = |status: &Status| Some(status.condition(SOURCE_REACHABLE)?.status.clone());
    match (readable(before).as_deref(), now.condition(SOURCE_REACHABLE)) {
        (known, Some(source)) if source.status == "False" && known != Some("False") => {
            changes.push(Change::warning("SourceUnreachable", source.message.clone()));
        }
        (Some("False"), Some(source)) if source.status == "True" => {
            changes.push(Change::normal("SourceReachable", "the source can be read again".to_owned()));
        }
        _ => {}
    }
    let rejected = now.rejected.iter().filter(|file| !before.rejected.contains(file));
    some(&mut changes, rejected.map(|file| Change::warning("FileRejected", file.errors.join("; "))));
    // By name only: the reason of a policy may change with the other namespaces.
    let names = |all: &[Inactive], name: &str| all.iter().any(|inactive| inactive.policy == name);
    let gone = now.inactive.iter().filter(|inactive| !names(&before.inactive, &inactive.policy));
    let note = |inactive: &Inactive| format!("{}: {}", inactive.policy, inactive.reason);
    some(&mut changes, gone.map(|inactive| Change::warning("PolicyInactive", note(inactive))));
    let back = before.inactive.iter().filter(|inactive| !names(&now.inactive, &inactive.policy));
    some(&mut changes, back.map(|policy| Change::normal("PolicyNoLongerInactive", policy.policy.clone())));
    changes
}

/// Adds the first changes of a kind, and the number of the others.
fn some(changes: &mut Vec<Change>, mut all: impl Iterator<Item = Change>) {
    let mut last = None;
    for one in all.by_ref().take(MOST_NAMED) {
        last = Some((one.warning, one.reason));
        changes.push(one);
    }
    let more = all.count();
    if let Some((warning, reason)) = last.filter(|_| more > 0) {
        changes.push(Change { warning, reason, note: format!("and {more} more") });
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_NAMED, changes};
    use crate::kubernetes::reporting::{
        observation::Observation,
        policy_source::{Inactive, Rejected, Status},
    };

    fn reasons(before: &Status, now: &Status) -> Vec<&'static str> {
        changes(before, now).iter().map(|change| change.reason).collect()
    }

    fn status(revision: Option<&str>) -> Status {
        Status { revision: revision.map(str::to_owned), ..Status::default() }
    }

    fn unreadable(reason: Option<&str>) -> Status {
        let read_at = Some(policies::Timestamp::from_millis(0));
        let failure = reason.map(str::to_owned);
        Status::new(&Observation { read_at, failure, ..Observation::default() }, "a", None)
    }

    #[test]
    fn what_is_told_is_what_has_changed() {
        let (none, one, two) = (status(None), status(Some("main@sha1:1")), status(Some("main@sha1:2")));
        assert_eq!(reasons(&none, &one), ["NewRevision"]);
        assert_eq!(reasons(&one, &one), [""; 0]);
        assert_eq!(reasons(&one, &two), ["NewRevision"]);
        assert_eq!(reasons(&two, &none), ["NothingToServe"]);
        let withdrawn = Status { withdrawn: Some("no".to_owned()), ..one.clone() };
        assert_eq!(reasons(&one, &withdrawn), ["Withdrawn"]);
        assert_eq!(reasons(&withdrawn, &two), ["NewRevision", "Reinstated"]);
        let halted = Status { halted: true, ..one.clone() };
        assert_eq!(reasons(&one, &halted), ["Halted"]);
        assert_eq!(reasons(&halted, &one), ["Resumed"]);
        assert_eq!(reasons(&unreadable(None), &unreadable(Some("no"))), ["SourceUnreachable"]);
        assert_eq!(reasons(&unreadable(Some("no")), &unreadable(Some("still no"))), [""; 0]);
        assert_eq!(reasons(&unreadable(Some("no")), &unreadable(None)), ["SourceReachable"]);
        let inactive = Inactive { policy: "a".to_owned(), reason: "gone".to_owned() };
        let inactive = Status { inactive: vec![inactive], ..one.clone() };
        assert_eq!(reasons(&one, &inactive), ["PolicyInactive"]);
        assert_eq!(reasons(&inactive, &inactive), [""; 0]);
        assert_eq!(reasons(&inactive, &one), ["PolicyNoLongerInactive"]);
    }

    #[test]
    fn of_many_files_some_are_named_and_the_rest_counted() {
        let file = |i: usize| Rejected { file: format!("{i}.yaml"), errors: vec![format!("{i}.yaml: no")] };
        let now = Status { rejected: (0..MOST_NAMED + 5).map(file).collect(), ..Status::default() };
        let told = changes(&Status::default(), &now);
        assert_eq!(told.len(), MOST_NAMED + 1);
        assert_eq!(told.last().unwrap().note, "and 5 more");
        let known = Status { rejected: (1..MOST_NAMED + 5).map(file).collect(), ..Status::default() };
        assert_eq!(changes(&known, &now).len(), 1);
    }
}
