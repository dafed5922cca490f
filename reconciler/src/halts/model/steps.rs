//! What may happen to replicas.

use proptest::prelude::*;

use super::{
    lies::{Lie, lies},
    world::REPLICAS,
};

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Halt(usize),
    /// Ends all halts; the process may end directly after the removal was pushed.
    Resume(usize, bool),
    /// Does the work in Git; the process may end directly after the push.
    Keep(usize, bool),
    /// Does the work in Git, and the branch is not read after that.
    Push(usize),
    Fetch(usize),
    Restart(usize),
    /// One tells the other all that it knows.
    Tell(usize, usize),
    /// Somebody who is no replica tells one of them what harms most.
    Lie(Lie, usize),
    /// Somebody removes the file by a commit.
    RemoveByHand,
    /// Somebody forces the branch back by one commit.
    Force,
    /// Somebody commits something else.
    Commit,
    /// Somebody reverts the last commit that removed halts, or takes the file out of an old commit.
    PutBack,
}

/// Who tells replicas of halts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peers {
    Nobody,
    Replicas,
    /// Replicas with wrong clocks, and somebody who lies.
    Liars,
}

pub(super) fn steps(peers: Peers) -> impl Strategy<Value = Vec<Step>> {
    let replica = 0..REPLICAS;
    let step = prop_oneof![
        3 => replica.clone().prop_map(Step::Halt),
        2 => (replica.clone(), any::<bool>()).prop_map(|(replica, ends)| Step::Resume(replica, ends)),
        5 => (replica.clone(), any::<bool>()).prop_map(|(replica, ends)| Step::Keep(replica, ends)),
        2 => replica.clone().prop_map(Step::Push),
        4 => replica.clone().prop_map(Step::Fetch),
        2 => replica.clone().prop_map(Step::Restart),
        if peers > Peers::Nobody { 4 } else { 1 } => (replica.clone(), replica.clone()).prop_map(move |(one, other)| {
            if peers > Peers::Nobody { Step::Tell(one, other) } else { Step::Fetch(one) }
        }),
        if peers == Peers::Liars { 8 } else { 1 } => (lies(), replica).prop_map(move |(lie, replica)| {
            if peers == Peers::Liars { Step::Lie(lie, replica) } else { Step::Fetch(replica) }
        }),
        1 => Just(Step::RemoveByHand),
        1 => Just(Step::Force),
        1 => Just(Step::Commit),
        2 => Just(Step::PutBack),
    ];
    prop::collection::vec(step, 1..40)
}
