//! A rule that decided earlier is found again in a later snapshot, as long as it is the same rule.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    Catalog, Decision, File, Program, Scope, Snapshot, Timestamp,
    evaluation::{AlwaysHit, StaticRequest, rules_in_force},
    repository::Sources,
    wire::Format,
};

const HELD: &str = "
metadata: {name: held}
spec:
  selector: {service: checkout, namespace: demo}
  rules:
    - match: {path: {prefix: /api/}, headers: [{name: x-user, regex: '^[a-z]+$'}]}
      fault: {percentage: 50, start_delay_ms: 5, delay_ms: 100, abort: {httpStatus: 503, body: down}}
";

fn snapshot(yaml: &str) -> Snapshot {
    let (path, file) = ("a.yaml".into(), File::read(yaml.as_bytes()));
    let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
    let catalog = Catalog::new(&sources, |_, _| Some(Timestamp::from_millis(1_000_000).into()));
    assert!(file.findings.is_empty() && catalog.problems().is_empty(), "{yaml}: {:?}", catalog.problems());
    let scope = Scope::new(["*"], ["*"]).unwrap();
    Snapshot::decode(&catalog.snapshot(&scope, Timestamp::from_millis(1_000_000)).encode(Format::V2)).unwrap()
}

fn decision(yaml: &str) -> Decision {
    let program = Program::compile(&snapshot(yaml), &Scope::new(["demo"], ["checkout"]).unwrap());
    let request = StaticRequest {
        target: Some("/api/".into()),
        headers: vec![("x-user".into(), "ann".into())],
        now: Some(Timestamp::from_millis(1_000_000)),
        ..StaticRequest::default()
    };
    program.decide(&request, &mut AlwaysHit).unwrap()
}

/// The end of the rule of `HELD` in this snapshot; none if the rule is not in force there.
fn end_in(yaml: &str, now: u64) -> Option<Option<Timestamp>> {
    let rule = decision(HELD).rule.unwrap();
    rules_in_force(&snapshot(yaml), Timestamp::from_millis(now), |name| name == "held").remove(&rule)
}

#[test]
fn whatever_else_changes() {
    let others = "---\nmetadata: {name: other}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}\n";
    let before = "    - {match: {path: {exact: /}}, fault: {percentage: 1, delay_ms: 1}}\n    - match: {path: {prefix: /api/}";
    for same in [
        HELD.to_owned(),
        format!("{HELD}{others}"),
        HELD.replace("    - match: {path: {prefix: /api/}", before),
        HELD.replace("spec:", "spec:\n  priority: 7"),
        HELD.replace("metadata: {name: held}", "metadata: {name: held, labels: {team: sre}}"),
    ] {
        assert_eq!(end_in(&same, 1_000_000), Some(None), "{same}");
    }
}

#[test]
fn and_loses_it_with_its_text() {
    for (from, to) in [
        ("name: held", "name: hold"),
        ("selector: {service: checkout, namespace: demo}", "selector: {service: checkout}"),
        ("spec:", "spec:\n  mode: shadow"),
        ("spec:", "spec:\n  direction: outbound"),
        ("/api/", "/api"),
        ("x-user", "x-users"),
        ("[a-z]", "[a-y]"),
        ("percentage: 50", "percentage: 51"),
        ("percentage: 50", "percentage: 50, stickyBy: x-user"),
        ("start_delay_ms: 5", "start_delay_ms: 6"),
        (" delay_ms: 100", " delay_ms: 101"),
        ("503", "504"),
        ("body: down", "body: up"),
        ("match: {", "match: {source: {namespace: shop}, "),
    ] {
        let other = HELD.replace(from, to);
        assert_ne!(other, HELD, "{from}");
        assert_eq!(end_in(&other, 1_000_000), None, "{to}");
    }
    assert_eq!(
        end_in("metadata: {name: other}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 1}}]}", 0),
        None
    );
}

/// Regexes that differ in characters beyond ASCII only, and in these only by their place.
#[test]
fn and_loses_it_with_a_character_of_a_regex() {
    let with = |class: &str| HELD.replace("^[a-z]+$", &format!("^(ann|[{class}])$"));
    let rules_of = |yaml: &str| rules_in_force(&snapshot(yaml), Timestamp::from_millis(0), |_| true);
    let rule = decision(&with("éü")).rule.unwrap();
    assert!(rules_of(&with("éü")).contains_key(&rule));
    for other in ["êü", "éý", "éüÿ", "é-ü"] {
        assert!(!rules_of(&with(other)).contains_key(&rule), "{other}");
    }
}

#[test]
fn if_it_holds_requests() {
    let abort = HELD.replace("start_delay_ms: 5, delay_ms: 100, ", "");
    assert_eq!(decision(&abort).rule, None);
    assert!(rules_in_force(&snapshot(&abort), Timestamp::from_millis(0), |_| true).is_empty());
    assert!(decision(&HELD.replace("start_delay_ms: 5, ", "")).rule.is_some());
    assert!(decision(&HELD.replace(" delay_ms: 100,", "")).rule.is_some());
}

#[test]
fn in_its_time() {
    let window = "spec:\n  startsAt: 1970-01-01T00:10:00Z\n  expiresAt: 1970-01-01T00:30:00Z";
    let windowed = HELD.replace("spec:", window);
    assert_eq!(end_in(&windowed, 599_999), None);
    assert_eq!(end_in(&windowed, 600_000), Some(Some(Timestamp::from_millis(1_800_000))));
    assert_eq!(end_in(&windowed, 1_799_999), Some(Some(Timestamp::from_millis(1_800_000))));
    assert_eq!(end_in(&windowed, 1_800_000), None);
    assert_eq!(decision(&windowed).ends_at, Some(Timestamp::from_millis(1_800_000)));
    assert_eq!(decision(HELD).ends_at, None);

    let short = HELD.replace("percentage: 50", "percentage: 50, duration_seconds: 60");
    assert_eq!(end_in(&short, 1_059_999), Some(Some(Timestamp::from_millis(1_060_000))));
    assert_eq!(end_in(&short, 1_060_000), None);
}

#[test]
fn the_last_of_its_ends_counts_where_it_stands_twice() {
    let rule = HELD.lines().skip(5).collect::<Vec<_>>().join("\n");
    let with = |first: &str, second: &str| {
        let short = |duration: &str| rule.replace("percentage: 50", &format!("percentage: 50{duration}"));
        format!(
            "{}\n{}\n{}\n",
            HELD.lines().take(5).collect::<Vec<_>>().join("\n"),
            short(first),
            short(second)
        )
    };
    let (minute, hour) = (", duration_seconds: 60", ", duration_seconds: 3600");
    let end = Some(Some(Timestamp::from_millis(4_600_000)));
    assert_eq!(end_in(&with(minute, hour), 1_000_000), end);
    assert_eq!(end_in(&with(hour, minute), 1_000_000), end);
    assert_eq!(end_in(&with(hour, ""), 1_000_000), Some(None));
    assert_eq!(end_in(&with(minute, hour), 1_100_000), end);
}
