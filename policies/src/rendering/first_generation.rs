//! Policies for clients of the first generation, which must not misread any.
//!
//! Their filters take the first rule that matches, also one that has ended, and read neither a second action
//! of a fault nor a document without `match`.

use serde_json::{Value, json};

use super::json;
use crate::language::{
    Abort, Condition, Delay, Fault, Flow, Glob, Match, Matcher, Mode, Policy, Reply, Rule, Selector, Subject,
    Target, Test, Timestamp,
};
use crate::wire::SnapshotEntry;

/// The document as it holds at `now`: without the rules that have ended. `Err` names the first field that
/// clients of the first generation do not know.
pub fn policy(entry: &SnapshotEntry, now: Timestamp) -> Result<Value, String> {
    let goes_on = |rule: &&Rule| entry.end_of(&rule.fault).is_none_or(|end| now < end);
    let rules: Vec<_> = entry.policy.rules.iter().filter(goes_on).cloned().collect();
    let policy = Policy { rules, ..Policy::clone(&entry.policy) };
    knows_policy(&policy)?;
    let mut document = json::policy(&policy);
    let rules = document.pointer_mut("/spec/rules").and_then(Value::as_array_mut);
    for rule in rules.into_iter().flatten().filter_map(Value::as_object_mut) {
        // An empty one would not be valid.
        rule.entry("match").or_insert_with(|| json!({"path": {"prefix": "/"}}));
    }
    Ok(document)
}

/// The next end of a rule after `now`: the document is another one from then on.
pub fn next_end(entry: &SnapshotEntry, now: Timestamp) -> Option<Timestamp> {
    entry.policy.rules.iter().filter_map(|rule| entry.end_of(&rule.fault)).filter(|end| now < *end).min()
}

type Known = Result<(), String>;

fn known(is_known: bool, field: impl FnOnce() -> String) -> Known {
    if is_known { Ok(()) } else { Err(field()) }
}

fn knows_policy(policy: &Policy) -> Known {
    let Policy {
        name: _,
        selector,
        flow,
        mode,
        priority,
        suspend,
        starts_at,
        expires_at,
        restarted_at: _,
        rules,
    } = policy;
    let Selector { target, namespace } = selector;
    let plain = |glob: &Glob| glob.is_any() || !glob.as_str().contains('*');
    let spec = |field: &str| format!("spec.{field}");
    match target {
        Target::Service(service) => known(plain(service), || spec("selector.service with `*`"))?,
        Target::Host(_) => known(false, || spec("selector.host"))?,
    }
    known(plain(namespace), || spec("selector.namespace with `*`"))?;
    known(*flow == Flow::Inbound, || spec("direction"))?;
    known(*mode == Mode::Inject, || spec("mode"))?;
    known(*priority == 0, || spec("priority"))?;
    known(!suspend, || spec("suspend"))?;
    known(starts_at.is_none(), || spec("startsAt"))?;
    known(expires_at.is_none(), || spec("expiresAt"))?;
    known(!rules.is_empty(), || spec("rules that have ended"))?;
    for (i, Rule { matches, fault }) in rules.iter().enumerate() {
        knows_match(matches).map_err(|field| spec(&format!("rules[{i}].match.{field}")))?;
        knows_fault(fault).map_err(|field| spec(&format!("rules[{i}].fault.{field}")))?;
    }
    Ok(())
}

fn knows_match(Match { conditions, source }: &Match) -> Known {
    for Condition { subject, matcher: Matcher { negated, test } } in conditions {
        let key = subject.kind().key;
        let is_known = matches!(subject, Subject::Method | Subject::Path | Subject::Header(_));
        known(is_known, || key.to_owned())?;
        known(!negated, || format!("{key} with `not`"))?;
        known(!matches!(test, Test::Present(_)), || format!("{key} with `present`"))?;
        // A regex that does not compile matches everything there.
        let compiles =
            |test: &Test| !matches!(test, Test::Regex(regex) if regex.size_in_format_1().is_none());
        known(compiles(test), || format!("{key} with a large regex"))?;
    }
    known(source.is_none(), || "source".to_owned())
}

fn knows_fault(fault: &Fault) -> Known {
    let Fault { percentage, sticky_by, start_delay_ms: _, duration_seconds: _, delay, abort } = fault;
    let field = |text: &str| text.to_owned();
    known(percentage.parts_per_million().is_multiple_of(10_000), || field("percentage with decimals"))?;
    known(sticky_by.is_none(), || field("stickyBy"))?;
    known(delay.is_none() || abort.is_none(), || field("delay beside an abort"))?;
    let is_fixed = |Delay { min_ms, max_ms }: &Delay| min_ms == max_ms;
    known(delay.as_ref().is_none_or(is_fixed), || field("delay with `min_ms` and `max_ms`"))?;
    let Some(Abort { reply, headers }) = abort else { return Ok(()) };
    known(matches!(reply, Reply::Http { .. }), || field("abort.grpcStatus"))?;
    known(headers.is_empty(), || field("abort.headers"))
}
