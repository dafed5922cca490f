//! The state of a namespace, for people.

use std::collections::BTreeMap;

use super::ALLOW_COMMIT;
use crate::istio::plan::{InForce, Plan};

/// The state of a namespace, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// The reasons for which it is frozen, by application or annotation. People are told when they change.
    pub(super) frozen: BTreeMap<String, String>,
    pub(super) message: String,
}

impl State {
    /// The state by a plan. `waits`: the namespace has to wait for its turn. `taken` says of an annotation that it was taken
    /// away.
    pub(super) fn of(plan: &Plan, known: Option<&InForce>, waits: bool, taken: Option<&str>) -> Self {
        let message = if plan.frozen.is_empty() {
            let (objects, commit) =
                known.map_or((0, "nothing"), |known| (known.objects, known.commit.short()));
            format!("{objects} objects of {} applications, since {commit}", plan.current)
        } else {
            frozen(plan, known)
        };
        let wait = "a release of hfi renders this namespace in another way, and it waits for its turn";
        // Where nothing is frozen, it has done what people wanted.
        let taken = taken.filter(|_| !plan.frozen.is_empty());
        let next = plan.advice.iter().map(String::as_str).chain(waits.then_some(wait)).chain(taken);
        let message = next.fold(message, |message, next| format!("{message}; {next}"));
        let mut frozen = plan.frozen.clone();
        frozen.extend(taken.map(|taken| (ALLOW_COMMIT.to_owned(), taken.to_owned())));
        Self { frozen, message }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.frozen.is_empty()
    }
}

/// What is frozen, by its reason: many applications may have the same.
fn frozen(plan: &Plan, known: Option<&InForce>) -> String {
    let mut reasons = Vec::<(&str, Vec<&str>)>::new();
    for (name, reason) in &plan.frozen {
        match reasons.iter_mut().find(|(known, _)| *known == reason.as_str()) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let at = known.map(|known| format!(" at {}", known.commit.short())).unwrap_or_default();
    let frozen = reasons.iter().map(|(reason, names)| format!("{}{at} ({reason})", names.join(", ")));
    let frozen = frozen.collect::<Vec<_>>().join(", ");
    if plan.is_frozen() {
        return format!("frozen: {frozen}");
    }
    format!("frozen: {frozen}, {} others current", plan.current)
}

#[cfg(test)]
mod tests {
    use super::State;
    use crate::istio::plan::Plan;

    #[test]
    fn a_reason_is_told_once_for_all_that_it_freezes() {
        let frozen =
            [("a", "x"), ("b", "y"), ("c", "x")].map(|(name, why)| (name.to_owned(), why.to_owned()));
        let plan = Plan { frozen: frozen.into(), current: 3, ..Plan::default() };
        assert_eq!(State::of(&plan, None, false, None).message, "frozen: a, c (x), b (y), 3 others current");
    }

    #[test]
    fn an_annotation_that_was_taken_away_is_told_while_something_is_frozen() {
        let mut plan =
            Plan { frozen: [("a".to_owned(), "x".to_owned())].into(), current: 3, ..Plan::default() };
        let taken = Some("an annotation was taken away");
        let state = State::of(&plan, None, false, taken);
        assert_eq!(state.message, "frozen: a (x), 3 others current; an annotation was taken away");
        assert_ne!(state.frozen, State::of(&plan, None, false, None).frozen, "it is news");
        plan.frozen.clear();
        assert_eq!(State::of(&plan, None, false, taken), State::of(&plan, None, false, None));
    }

    #[test]
    fn a_namespace_that_is_frozen_as_a_whole_has_no_others() {
        let plan = Plan { advice: Some("restore it".to_owned()), ..Plan::frozen("it is gone".to_owned()) };
        assert_eq!(
            State::of(&plan, None, false, None).message,
            "frozen: all applications (it is gone); restore it"
        );
    }
}
