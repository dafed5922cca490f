//! What a filter does to requests, as far as its polls tell.

use std::collections::HashMap;

use policies::{Digest, Policy, Scope, Snapshot, language::Mode, repository::ActiveSet, wire::Format};

use crate::{api::filters::FilterState, fleet::filters::Filter};

/// What a filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It runs the newest snapshot, which has a policy that injects.
    Injects,
    /// It may inject: it has not confirmed the newest snapshot, or is silent.
    MayInject,
    /// It injects nothing: it runs no snapshot, an empty one, or one without a policy that injects.
    Nothing,
}

/// Tells what filters do, of one set of active policies.
#[derive(Debug)]
pub struct Judge<'a> {
    active: &'a ActiveSet,
    empty: [Digest; Format::ALL.len()],
    /// Whether the newest snapshot of a scope injects.
    injects: HashMap<Scope, bool>,
}

impl<'a> Judge<'a> {
    pub fn new(active: &'a ActiveSet) -> Self {
        let empty = Snapshot { policies: Vec::new() };
        let empty = Format::ALL.map(|format| Digest::of(&empty.encode(format)));
        Self { active, empty, injects: HashMap::new() }
    }

    pub fn doing(&mut self, filter: &Filter) -> Doing {
        let scope = &filter.variant.scope;
        let newest_injects = match self.injects.get(scope) {
            Some(known) => *known,
            None => {
                let policies = self.active.snapshot(scope).policies;
                let injects = policies.iter().any(|entry| injects(&entry.policy));
                self.injects.insert(scope.clone(), injects);
                injects
            }
        };
        // It may run what it was given, too.
        let mut may_run = filter.digest.into_iter().chain(filter.given);
        let runs_something = may_run.any(|digest| !self.empty.contains(&digest));
        judged(filter.state, filter.is_newest, runs_something, newest_injects)
    }
}

fn judged(state: FilterState, is_newest: bool, runs_something: bool, newest_injects: bool) -> Doing {
    let may_inject = match state {
        FilterState::InStep => return if newest_injects { Doing::Injects } else { Doing::Nothing },
        // It was given the newest snapshot, and may run it by now.
        FilterState::Lagging | FilterState::Unknown => runs_something || newest_injects,
        // It can go on without this replica, for 15 minutes unless its configuration says more.
        FilterState::Gone => runs_something && (!is_newest || newest_injects),
    };
    if may_inject { Doing::MayInject } else { Doing::Nothing }
}

/// True if the policy injects something into some requests.
pub fn injects(policy: &Policy) -> bool {
    policy.mode == Mode::Inject
        && policy.rules.iter().any(|rule| rule.fault.percentage.parts_per_million() > 0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use policies::{
        Digest, Scope, Snapshot, Timestamp, repository::ActiveSet, wire::Format, wire::poll::NodeId,
    };

    use super::{Doing, Filter, FilterState, Judge, judged};

    #[test]
    fn a_filter_may_inject_what_it_was_given_and_has_not_confirmed() {
        let active = ActiveSet::default();
        let empty = Digest::of(&Snapshot { policies: Vec::new() }.encode(Format::V2));
        let policy = Some(Digest::of(b"policy"));
        for state in [FilterState::Lagging, FilterState::Gone] {
            for (digest, given, doing) in [
                (Some(empty), policy, Doing::MayInject),
                (None, policy, Doing::MayInject),
                (policy, Some(empty), Doing::MayInject),
                (None, Some(empty), Doing::Nothing),
            ] {
                let filter = Filter {
                    node: NodeId::parse("a").unwrap(),
                    variant: Arc::new(Scope::unknown().into()),
                    plugins: None,
                    digest,
                    given,
                    is_newest: false,
                    contact: Timestamp::from_millis(0),
                    state,
                };
                assert_eq!(Judge::new(&active).doing(&filter), doing, "{filter:?}");
            }
        }
    }

    #[test]
    fn a_filter_injects_nothing_only_if_that_is_known() {
        use FilterState::{Gone, InStep, Lagging};
        assert_eq!(judged(InStep, true, true, true), Doing::Injects);
        assert_eq!(judged(InStep, true, true, false), Doing::Nothing, "a policy in shadow mode");
        assert_eq!(
            judged(Lagging, false, true, false),
            Doing::MayInject,
            "it runs what is not served any more"
        );
        assert_eq!(judged(Lagging, false, false, true), Doing::MayInject, "it runs what is served by now");
        assert_eq!(judged(Lagging, false, false, false), Doing::Nothing, "it has just started");
        assert_eq!(judged(Gone, false, true, false), Doing::MayInject);
        assert_eq!(judged(Gone, true, true, true), Doing::MayInject);
        assert_eq!(judged(Gone, true, true, false), Doing::Nothing);
        assert_eq!(judged(Gone, false, false, true), Doing::Nothing, "it left before the policy came");
    }
}
