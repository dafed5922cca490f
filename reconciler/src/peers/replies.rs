//! What the other replicas answered.

use std::collections::BTreeMap;

use super::{addresses::Trouble, roster::mark};
use crate::{
    api::peers::{MissingReplica, PeerAnswer},
    client::Failure,
    printable::printable_start,
    random_id::is_random_id,
};

/// The most characters of a reason, and of the name of a replica.
const LONGEST: usize = 300;
const LONGEST_NAME: usize = 253;

/// The answers of all replicas but this one. One that did not answer is there, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replies<T>(pub Vec<Reply<T>>);

/// The answer of a replica, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<T> {
    /// Its host name, or its address where that is all that is known; a name of all replicas, if its addresses are not
    /// known.
    pub name: String,
    pub answer: Result<T, String>,
}

/// What came from an address.
#[derive(Clone, Debug)]
pub(super) struct Arrived<T> {
    pub(super) known: Known,
    pub(super) answer: Result<PeerAnswer<T>, String>,
}

/// The replica at an address, as it is known.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: Option<String>,
    pub(super) name: String,
}

impl Known {
    /// Who it is among all replicas: its mark, or its address while it never answered.
    pub(super) fn who(&self) -> String {
        self.id.as_deref().map_or_else(|| self.name.clone(), mark)
    }
}

impl<T> Replies<T> {
    /// The replicas that answered and this one, of all: `1 of 2`.
    pub fn count(&self) -> String {
        let (answered, missing) = self.counts();
        format!("{} of {}", answered + 1, answered + missing + 1)
    }

    /// The number of those that answered, and that of those that did not.
    pub fn counts(&self) -> (usize, usize) {
        let answered = self.0.iter().filter(|reply| reply.answer.is_ok()).count();
        (answered, self.0.len() - answered)
    }

    /// The answers of those that did.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.iter().filter_map(|reply| reply.answer.as_ref().ok())
    }

    /// Those that did not answer.
    pub fn missing(&self) -> Vec<MissingReplica> {
        let missing = |Reply { name, answer }: &Reply<T>| {
            let error = answer.as_ref().err()?.clone();
            Some(MissingReplica { error, name: name.clone() })
        };
        self.0.iter().filter_map(missing).collect()
    }
}

/// The replies from all addresses, one of each replica, sorted by name, without that of this process. A replica that
/// answers at one of its addresses is not missing.
pub(super) fn gathered<T>(arrived: Vec<Arrived<T>>, troubles: Vec<Trouble>, own: &str) -> Replies<T> {
    let (mut answers, mut silent, mut replies) = (BTreeMap::new(), Vec::new(), Vec::new());
    for Arrived { known, answer } in arrived {
        match answer {
            Ok(PeerAnswer { id, told, .. }) if id != own => {
                // Only who has the id that was sent tells nothing.
                let told = told.ok_or_else(|| "it answers nothing to this replica".to_owned());
                answers.entry(id).or_insert(Reply { name: known.name, answer: told });
            }
            Ok(PeerAnswer { told: Some(_), .. }) => {
                let reason = "it answers with the id of this replica, which tells itself nothing".to_owned();
                replies.push(Reply { name: known.name, answer: Err(reason) });
            }
            Ok(_) => {}
            Err(reason) => silent.push((known, reason)),
        }
    }
    silent
        .retain(|(Known { id, .. }, _)| id.as_ref().is_none_or(|id| id != own && !answers.contains_key(id)));
    replies.extend(answers.into_values());
    replies.extend(silent.into_iter().map(|(known, reason)| Reply { name: known.name, answer: Err(reason) }));
    replies.extend(troubles.into_iter().map(|Trouble { name, reason }| Reply { name, answer: Err(reason) }));
    replies.sort_by(|one, other| one.name.cmp(&other.name));
    Replies(replies)
}

/// An answer with a name that can be shown, if its id is one of ours. Anybody may be at an address.
pub(super) fn checked<T>(answer: PeerAnswer<T>) -> Result<PeerAnswer<T>, String> {
    if !is_random_id(&answer.id) {
        return Err("it answers, and not as hfi does: its id is not one of a replica".to_owned());
    }
    let name = printable_start(&answer.name, LONGEST_NAME);
    Ok(PeerAnswer { name, ..answer })
}

/// The reason of a failure, without the URL that all replicas share.
pub(crate) fn reason(failure: &Failure) -> String {
    let reason = match failure {
        Failure::Unreachable { reason, .. } | Failure::Setup { reason, .. } => reason.clone(),
        Failure::Redirected { location, .. } => {
            format!("it redirects to {location}, which is not followed")
        }
        Failure::Foreign { reason, .. } => format!("it answers, and not as hfi does: {reason}"),
        Failure::Refused { problem, .. } => format!("it answers {}: {}", problem.status, problem.detail),
        other => other.to_string(),
    };
    printable_start(&reason, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::{Arrived, Known, PeerAnswer, Trouble, checked, gathered};

    fn answer(id: &str) -> Arrived<u8> {
        let known = Known { id: Some(id.to_owned()), name: format!("hfi-{id}") };
        let answer = PeerAnswer { id: id.to_owned(), name: format!("hfi-{id}"), told: Some(7) };
        Arrived { known, answer: Ok(answer) }
    }

    fn silence(id: Option<&str>, name: &str) -> Arrived<u8> {
        let known = Known { id: id.map(str::to_owned), name: name.to_owned() };
        Arrived { known, answer: Err("connection refused".to_owned()) }
    }

    fn count(arrived: &[Arrived<u8>]) -> String {
        gathered(arrived.to_vec(), Vec::new(), "own").count()
    }

    #[test]
    fn a_replica_counts_once_and_this_one_always() {
        assert_eq!(count(&[]), "1 of 1");
        assert_eq!(count(&[answer("a")]), "2 of 2");
        assert_eq!(count(&[answer("a"), answer("a"), answer("b")]), "3 of 3");
    }

    #[test]
    fn a_replica_that_does_not_answer_is_missing_unless_it_answers_at_another_address() {
        assert_eq!(count(&[silence(None, "10.0.0.2:80")]), "1 of 2");
        assert_eq!(count(&[silence(Some("own"), "hfi-own"), answer("a")]), "2 of 2");
        assert_eq!(count(&[silence(Some("a"), "hfi-a"), answer("a")]), "2 of 2");
        let replies = gathered(vec![silence(Some("b"), "hfi-b"), answer("a")], Vec::new(), "own");
        assert_eq!(replies.count(), "2 of 3");
        let missing: Vec<_> = replies.missing().into_iter().map(|one| (one.name, one.error)).collect();
        assert_eq!(missing, [("hfi-b".to_owned(), "connection refused".to_owned())]);
    }

    #[test]
    fn a_name_is_short_and_printable_and_an_id_is_one_of_ours() {
        let told = |id: &str, name: &str| {
            let answer = PeerAnswer { id: id.to_owned(), name: name.to_owned(), told: Some(7) };
            checked(answer).map(|answer| answer.name)
        };
        let id = "0123456789abcdef";
        assert_eq!(told(id, "hfi-1").as_deref(), Ok("hfi-1"));
        assert_eq!(told(id, "\u{1b}[31mhfi\n").as_deref(), Ok("\\u001b[31mhfi\\u000a"));
        for long in ["n", "\u{1b}", "文"] {
            let name = told(id, &long.repeat(1 << 20)).unwrap();
            assert_eq!(name.chars().count(), 253);
        }
        for id in ["", "another", "\u{1b}[31m", &"0".repeat(1 << 20)] {
            assert!(told(id, "hfi-1").is_err());
        }
    }

    #[test]
    fn a_name_without_addresses_is_missing_too() {
        let trouble = Trouble { name: "hfi-peers:80".to_owned(), reason: "it has no address".to_owned() };
        assert_eq!(gathered(vec![answer("a")], vec![trouble], "own").count(), "2 of 3");
    }

    #[test]
    fn who_answers_as_if_it_was_this_replica_is_missing() {
        let mut itself = answer("own");
        itself.answer.as_mut().unwrap().told = None;
        assert_eq!(count(&[itself.clone(), answer("a")]), "2 of 2");
        assert_eq!(count(&[itself, answer("own"), answer("a")]), "2 of 3");
    }

    #[test]
    fn who_answers_nothing_is_missing() {
        let mut silent = answer("a");
        silent.answer.as_mut().unwrap().told = None;
        assert_eq!(count(&[silent]), "1 of 2");
    }
}
