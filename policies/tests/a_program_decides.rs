//! The fault of a request: from YAML, through the bytes that are served, to the decision.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::time::Duration;

use policies::{
    Catalog, Decision, Dice, File, Program, Scope, Snapshot, Timestamp,
    evaluation::{Outcome, StaticRequest},
    language::Reply,
    repository::Sources,
    wire::Format,
};

/// Dice that always show the same.
struct Loaded(u32);

impl Dice for Loaded {
    fn below(&mut self, _bound: u32) -> u32 {
        self.0
    }
}

fn get(path: &str) -> StaticRequest {
    StaticRequest { method: Some("GET".into()), target: Some(path.into()), ..StaticRequest::default() }
}

fn with_header(name: &str, value: &str) -> StaticRequest {
    StaticRequest { headers: vec![(name.into(), value.into())], ..get("/") }
}

fn catalog(yaml: &str) -> Catalog {
    let file = File::read(yaml.as_bytes());
    assert!(file.findings.is_empty(), "{:#?}", file.findings);
    Catalog::new(&Sources { files: vec![(&"a.yaml".into(), &file)], ..Sources::default() }, |_, _| {
        Some(Timestamp::from_millis(1_000_000).into())
    })
}

fn checkout() -> Scope {
    Scope::new(["demo"], ["checkout"]).unwrap()
}

fn program(yaml: &str) -> Program {
    let snapshot = catalog(yaml).snapshot(&checkout(), Timestamp::from_millis(1_000_000));
    let travelled = Snapshot::decode(&snapshot.encode(Format::V2)).unwrap();
    Program::compile(&travelled, &checkout())
}

/// A policy of that name with these rules.
fn policy(name: &str, rules: &str) -> String {
    format!(
        "metadata: {{name: {name}}}\nspec: {{selector: {{service: checkout, namespace: demo}}, rules: [{rules}]}}\n---\n"
    )
}

fn decide(program: &Program, request: &StaticRequest) -> Option<Decision> {
    program.decide(request, &mut Loaded(0))
}

#[test]
fn a_rule_waits_then_aborts() {
    let program = program(&policy(
        "a",
        "{fault: {percentage: 50, start_delay_ms: 20, delay_ms: 30, abort: {httpStatus: 503, body: no}}}",
    ));
    let decision = decide(&program, &get("/")).unwrap();
    assert_eq!((&*decision.policy, decision.hold, decision.delayed), ("a", Duration::from_millis(50), true));
    let abort = decision.abort.unwrap();
    assert_eq!(abort.reply, Reply::Http { status: 503.try_into().unwrap(), body: "no".into() });
    assert_eq!(
        program.decide(&get("/"), &mut Loaded(499_999)).map(|d| d.policy.to_string()),
        Some("a".to_owned())
    );
    assert_eq!(program.decide(&get("/"), &mut Loaded(500_000)), None);
}

#[test]
fn a_request_that_is_spared_names_the_policy_that_spares_it() {
    let rule = |path: &str| {
        format!("{{match: {{path: {{exact: {path}}}}}, fault: {{percentage: 50, delay_ms: 1}}}}")
    };
    let program = program(&[policy("a", &rule("/a")), policy("b", &rule("/b"))].concat());
    let outcome = |path, fallen| program.outcome(&get(path), &mut Loaded(fallen));
    for (path, name, at) in [("/a", "a", 0), ("/b", "b", 1)] {
        let spared = outcome(path, 500_000).unwrap();
        assert_eq!(spared, Outcome::Spared { policy: name.into(), position: at });
        let chosen = outcome(path, 0).unwrap().decision().unwrap();
        assert_eq!((&*chosen.policy, chosen.position), (name, at));
    }
    assert_eq!(outcome("/c", 0), None);
}

#[test]
fn a_start_delay_alone_is_not_counted_as_a_delay() {
    let program =
        program(&policy("a", "{fault: {percentage: 100, start_delay_ms: 20, abort: {httpStatus: 503}}}"));
    let decision = decide(&program, &get("/")).unwrap();
    assert_eq!((decision.hold, decision.delayed), (Duration::from_millis(20), false));
}

fn with_path(path: &str, user: &str) -> StaticRequest {
    StaticRequest { target: Some(path.into()), ..with_header("x-user", user) }
}

#[test]
fn all_conditions_of_a_match_must_hold() {
    let program = program(&policy(
        "a",
        "{match: {method: {exact: GET}, path: {prefix: /api/}, headers: [{name: X-User, regex: '^t-'}]}, fault: {percentage: 100, delay_ms: 1}}",
    ));
    let request =
        |method: &str, path, user| StaticRequest { method: Some(method.into()), ..with_path(path, user) };
    assert!(decide(&program, &request("GET", "/api/a", "t-1")).is_some());
    assert!(decide(&program, &request("POST", "/api/a", "t-1")).is_none());
    assert!(decide(&program, &request("GET", "/ap", "t-1")).is_none());
    assert!(decide(&program, &request("GET", "/api/a", "u")).is_none());
    assert!(decide(&program, &get("/api/a")).is_none());
}

#[test]
fn the_first_rule_that_matches_decides_even_if_its_dice_do_not_fall() {
    let rules = "{match: {path: {exact: /a}}, fault: {percentage: 10, delay_ms: 1}}, {fault: {percentage: 100, abort: {httpStatus: 500}}}";
    let program = program(&policy("a", rules));
    assert!(program.decide(&get("/a"), &mut Loaded(999_999)).is_none());
    assert!(program.decide(&get("/b"), &mut Loaded(999_999)).unwrap().abort.is_some());
}

#[test]
fn policies_decide_in_the_order_of_their_names() {
    let yaml = policy("b", "{fault: {percentage: 100, delay_ms: 1}}")
        + &policy("a", "{fault: {percentage: 100, delay_ms: 2}}");
    assert_eq!(&*decide(&program(&yaml), &get("/")).unwrap().policy, "a");
}

#[test]
fn a_probe_of_the_kubelet_is_exempt_unless_a_rule_names_the_user_agent() {
    let every = program(&policy("a", "{fault: {percentage: 100, delay_ms: 1}}"));
    assert!(decide(&every, &with_header("user-agent", "kube-probe/1.31")).is_none());
    assert!(decide(&every, &with_header("user-agent", "curl/8")).is_some());
    let named = program(&policy(
        "a",
        "{match: {headers: [{name: User-Agent, prefix: kube}]}, fault: {percentage: 100, delay_ms: 1}}",
    ));
    assert!(decide(&named, &with_header("user-agent", "kube-probe/1.31")).is_some());
}

#[test]
fn a_rule_ends_by_the_clock_of_the_proxy_that_runs_it_and_then_shadows_nothing() {
    let rules = "{fault: {percentage: 100, duration_seconds: 60, delay_ms: 1}}, {fault: {percentage: 100, abort: {httpStatus: 500}}}";
    let program = program(&policy("a", rules));
    let at = |now| {
        decide(&program, &StaticRequest { now: Some(Timestamp::from_millis(now)), ..get("/") }).unwrap()
    };
    assert!(at(1_059_999).delayed);
    assert!(!at(1_060_000).delayed && at(1_060_000).abort.is_some());
}

#[test]
fn a_policy_is_served_until_its_last_rule_ends() {
    let yaml = policy(
        "a",
        "{fault: {percentage: 100, duration_seconds: 60, delay_ms: 1}}, {match: {path: {exact: /}}, fault: {percentage: 1, duration_seconds: 90, delay_ms: 1}}",
    );
    let catalog = catalog(&yaml);
    let at = |now| catalog.snapshot(&checkout(), Timestamp::from_millis(now)).policies.len();
    assert_eq!((at(1_000_000), at(1_089_999), at(1_090_000)), (1, 1, 0));
    assert_eq!(
        catalog.next_change(Timestamp::from_millis(1_000_000)),
        Some(Timestamp::from_millis(1_090_000))
    );
    assert_eq!(catalog.next_change(Timestamp::from_millis(1_090_000)), None);
}

#[test]
fn a_duration_whose_start_is_not_known_is_over() {
    let file = File::read(
        policy("a", "{fault: {percentage: 100, duration_seconds: 4294967295, delay_ms: 1}}").as_bytes(),
    );
    let catalog =
        Catalog::new(&Sources { files: vec![(&"a.yaml".into(), &file)], ..Sources::default() }, |_, _| None);
    assert_eq!(catalog.in_force(Timestamp::from_millis(1_000_000)).count(), 0);
}

#[test]
fn a_program_holds_only_what_selects_its_workload_whatever_the_snapshot_was_made_for() {
    let yaml = policy("a", "{fault: {percentage: 100, delay_ms: 1}}");
    let snapshot = catalog(&yaml).snapshot(&Scope::new(["*"], ["*"]).unwrap(), Timestamp::from_millis(0));
    assert_eq!(snapshot.policies.len(), 1);
    let cart = Program::compile(&snapshot, &Scope::new(["demo"], ["cart"]).unwrap());
    assert!(cart.is_empty());
}

#[test]
fn a_window_holds_by_the_clock_of_the_proxy_that_runs_it() {
    let rules = "{fault: {percentage: 100, delay_ms: 1}}";
    let window = "spec: {startsAt: 1970-01-01T00:00:01Z, expiresAt: 1970-01-01T00:00:03Z, ";
    let catalog = catalog(&policy("a", rules).replace("spec: {", window));
    let snapshot = catalog.snapshot(&checkout(), Timestamp::from_millis(2_000));
    let program = Program::compile(&snapshot, &checkout());
    let at = |now| {
        decide(&program, &StaticRequest { now: Some(Timestamp::from_millis(now)), ..get("/") }).is_some()
    };
    assert_eq!([at(999), at(1_000), at(2_999), at(3_000)], [false, true, true, false]);
}

#[test]
fn a_schedule_counts_the_policies_that_are_in_force() {
    let window = policy("a", "{fault: {percentage: 100, delay_ms: 1}}")
        .replace("spec: {", "spec: {startsAt: 1970-01-01T00:00:01Z, expiresAt: 1970-01-01T00:00:03Z, ");
    let two_rules = "{fault: {percentage: 1, delay_ms: 1, duration_seconds: 5}}, {fault: {percentage: 1, delay_ms: 1, duration_seconds: 2}}";
    let yaml = format!("{window}\n---\n{}", policy("b", two_rules));
    let (path, file) = ("a.yaml".into(), File::read(yaml.as_bytes()));
    let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
    let catalog = Catalog::new(&sources, |_, _| Some(Timestamp::from_millis(0).into()));
    let snapshot = catalog.snapshot(&checkout(), Timestamp::from_millis(1_500));
    let counts = |workload: &Scope| {
        let schedule = snapshot.schedule(workload);
        [0, 1_000, 2_999, 3_000, 5_000].map(|now| schedule.in_force(Timestamp::from_millis(now)))
    };
    assert_eq!(counts(&checkout()), [1, 2, 2, 1, 0]);
    assert_eq!(counts(&Scope::new(["demo"], ["cart"]).unwrap()), [0; 5]);
}
