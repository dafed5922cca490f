//! What a change puts into force that was not, or begins anew: that must be wished for.

use policies::{
    Timestamp,
    editing::Document,
    language::{Policy, Rule},
    wire::SnapshotEntry,
};

/// The effect of a change on the time in which a policy is in force.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It begins nothing that was over.
    None,
    /// The content is the same, and the policy has ended.
    Over { at: Timestamp },
    /// It puts into force what was not, or begins its durations anew.
    Restarts { before: Before },
}

/// The state of a policy before it is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    EndedAt(Timestamp),
    /// One of its rules has ended, and others have not.
    RuleEndedAt(Timestamp),
    Suspended,
    /// Its durations have begun.
    Running {
        since: Timestamp,
    },
}

/// The effect that a document has on a policy. `before` is its entry where it is valid now.
pub(super) fn effect(
    existing: &Document,
    before: &SnapshotEntry,
    wanted: &Document,
    now: Timestamp,
) -> Effect {
    let end = before.last_end().filter(|end| *end <= now);
    if existing.same_content(wanted) {
        let over = end.filter(|_| !before.policy.suspend);
        return over.map_or(Effect::None, |at| Effect::Over { at });
    }
    let Some(policy) = wanted.policy() else { return Effect::None };
    let after = SnapshotEntry { policy: policy.clone(), started_at: policy.has_duration().then_some(now) };
    let is_over = after.last_end().is_some_and(|end| end <= now);
    if policy.suspend || is_over {
        return Effect::None;
    }
    let before = match (before.policy.suspend, end, before.started_at) {
        (true, ..) => Before::Suspended,
        (false, Some(end), _) => Before::EndedAt(end),
        (false, None, Some(since)) if before.policy.has_duration() && policy.has_duration() => {
            Before::Running { since }
        }
        (false, None, _) => match returning(before, policy, now) {
            Some(end) => Before::RuleEndedAt(end),
            None => return Effect::None,
        },
    };
    Effect::Restarts { before }
}

/// The last end of a rule that is over, if one of the new rules may be that rule without its duration: none of the
/// rules that still run is the same.
fn returning(before: &SnapshotEntry, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let end = |rule: &Rule| before.end_of(&rule.fault).filter(|end| *end <= now);
    let last = before.policy.rules.iter().filter_map(end).max()?;
    let runs = |rule: &Rule| before.policy.rules.iter().any(|known| known == rule && end(known).is_none());
    (!policy.rules.iter().all(runs)).then_some(last)
}

impl Before {
    /// The state as a clause whose subject is the policy.
    pub(super) fn text(self) -> String {
        match self {
            Self::EndedAt(end) => format!("ended at {}", end.to_rfc3339()),
            Self::RuleEndedAt(end) => format!("has a rule that ended at {}", end.to_rfc3339()),
            Self::Suspended => "is suspended".to_owned(),
            Self::Running { since } => {
                format!("runs since {}, and its durations would begin anew", since.to_rfc3339())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use policies::{
        Timestamp,
        editing::{Document, Format, read_body},
        wire::SnapshotEntry,
    };

    use super::{Before, Effect, effect};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn with_rules(spec: &str, rules: &str) -> Document {
        let text = format!("metadata: {{name: a}}\nspec: {{{spec}rules: [{rules}]}}");
        read_body(text.as_bytes(), Format::Yaml).unwrap().remove(0)
    }

    fn document(spec: &str, percentage: u32) -> Document {
        with_rules(spec, &format!("{{fault: {{percentage: {percentage}, delay_ms: 1}}}}"))
    }

    fn timed(seconds: u32, percentage: u32) -> Document {
        let fault = format!("percentage: {percentage}, delay_ms: 1, duration_seconds: {seconds}");
        with_rules("", &format!("{{fault: {{{fault}}}}}"))
    }

    fn of(existing: &Document, began_seconds_ago: u64, wanted: &Document) -> Effect {
        let policy = existing.policy().unwrap().clone();
        let start = Timestamp::from_millis(NOW.as_millis() - 1_000 * began_seconds_ago);
        let before = SnapshotEntry { started_at: policy.has_duration().then_some(start), policy };
        effect(existing, &before, wanted, NOW)
    }

    #[test]
    fn what_had_ended_or_was_suspended_comes_into_force_by_a_wish_only() {
        let (plain, suspended) = (document("", 1), document("suspend: true, ", 1));
        let ended = document("expiresAt: 2020-01-01T00:00:00Z, ", 1);
        assert_eq!(of(&plain, 0, &document("", 2)), Effect::None);
        assert_eq!(of(&suspended, 0, &plain), Effect::Restarts { before: Before::Suspended });
        assert_eq!(of(&suspended, 0, &document("suspend: true, ", 2)), Effect::None);
        assert!(matches!(of(&ended, 0, &plain), Effect::Restarts { before: Before::EndedAt(_) }));
        assert_eq!(
            of(&ended, 0, &document("expiresAt: 2020-01-02T00:00:00Z, ", 1)),
            Effect::None,
            "still over"
        );
        assert!(matches!(of(&ended, 0, &ended), Effect::Over { .. }));
    }

    #[test]
    fn a_duration_begins_anew_by_a_wish_only() {
        assert!(matches!(
            of(&timed(300, 1), 10, &timed(300, 2)),
            Effect::Restarts { before: Before::Running { .. } }
        ));
        assert!(matches!(
            of(&timed(5, 1), 10, &timed(5, 2)),
            Effect::Restarts { before: Before::EndedAt(_) }
        ));
        assert_eq!(of(&timed(300, 1), 10, &timed(300, 1)), Effect::None);
        assert!(matches!(of(&timed(5, 1), 10, &timed(5, 1)), Effect::Over { .. }));
        assert_eq!(of(&timed(300, 1), 10, &document("", 1)), Effect::None, "it has none any more");
        assert_eq!(of(&document("", 1), 10, &timed(300, 1)), Effect::None, "it had none");
    }

    #[test]
    fn a_rule_that_had_ended_comes_back_by_a_wish_only() {
        let second = "{fault: {percentage: 1, delay_ms: 2}}";
        let both = |duration: &str| {
            with_rules("", &format!("{{fault: {{percentage: 1, delay_ms: 1{duration}}}}}, {second}"))
        };
        let before = both(", duration_seconds: 5");
        let end = Timestamp::from_millis(NOW.as_millis() - 5_000);
        assert_eq!(of(&before, 10, &both("")), Effect::Restarts { before: Before::RuleEndedAt(end) });
        assert_eq!(of(&before, 3, &both("")), Effect::None, "it has not ended");
        assert_eq!(of(&before, 10, &with_rules("", second)), Effect::None, "it does not come back");
    }
}
