//! The standing of resources that claim one thing.

/// The standing of a resource whose claim others make too, from the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Its application does not have the claim in force.
    New,
    /// It is written by hand: it may be in the cluster, or in a file alone.
    ByHand,
    /// Its application has the claim in force.
    InForce,
}

impl Standing {
    /// The standing of something with an application that has the claim in force, or has not; none of an application.
    pub(super) fn of(is_in_force: Option<bool>) -> Self {
        match is_in_force {
            Some(true) => Self::InForce,
            Some(false) => Self::New,
            None => Self::ByHand,
        }
    }

    /// True for what is at fault beside another. The stronger one is not; of two that have the same, nobody knows which
    /// was meant. What is new is always at fault, and what is in force never beside a mere file.
    pub(super) fn is_at_fault_beside(self, other: Self) -> bool {
        self == Self::New || other >= self
    }
}
