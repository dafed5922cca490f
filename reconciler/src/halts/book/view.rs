//! The halts as people are told of them.

use super::{Book, Committing};
use crate::{
    api::halts::Durable,
    halts::halt::{Halt, HaltId},
};

/// The halts that hold, as they are shown.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The oldest first.
    pub halts: Vec<Halt>,
    /// The worst of them.
    pub durable: Option<Durable>,
    pub trouble: Option<String>,
}

impl Book {
    /// The halts that hold.
    pub fn view(&self) -> View {
        let state = self.lock();
        let mut halts: Vec<_> = state.ledger.halts().cloned().collect();
        halts.sort();
        let kept = if state.is_stored { Durable::Disk } else { Durable::Memory };
        let gives_up = state.failure.as_ref().is_some_and(|failure| failure.is_refusal);
        // Somebody is at work: it is to be put, or was pushed and is put again if it is not read soon.
        let is_pending = |id: &HaltId| {
            let is_given_up = gives_up || state.proposed.contains(id);
            !is_given_up && (state.in_git.has(id) || !state.ending.contains(id))
        };
        let durable = |halt: &Halt| match self.committing {
            _ if state.in_git.has_read(&halt.id) => Durable::Git,
            Committing::ToServed | Committing::ToOthers if is_pending(&halt.id) => Durable::Pending,
            _ => kept,
        };
        let worst = halts.iter().map(durable).min_by_key(|durable| rank(*durable));
        let is_in = worst.is_none_or(|worst| worst == Durable::Git);
        let trouble = state.failure.as_ref().filter(|_| !is_in).map(|failure| failure.reason.clone());
        let removal_failure = state.removal_failure.clone().filter(|_| state.in_git.left().next().is_some());
        let trouble = trouble.or(removal_failure).or_else(|| state.resume_failure.clone());
        View { halts, durable: worst, trouble }
    }
}

/// The order of places from the worst to the best.
fn rank(durable: Durable) -> usize {
    let worst_first = [Durable::Memory, Durable::Disk, Durable::Pending, Durable::Git];
    worst_first.iter().position(|known| *known == durable).unwrap_or_default()
}
