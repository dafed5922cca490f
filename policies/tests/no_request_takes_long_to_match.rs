//! A request takes a worker at most some milliseconds of matching, whatever valid policies say and whatever
//! its sender puts into it.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::time::{Duration, Instant};

use policies::{
    Catalog, File, Policy, Program, Scope, Snapshot, Timestamp,
    evaluation::{AlwaysHit, Mismatch, StaticRequest},
    language::Direction,
    repository::Sources,
    wire::{Format, SnapshotEntry},
};

const FAULT: &str = "fault: {percentage: 100, abort: {httpStatus: 503}}}";
/// A hundred times what it takes in a build without optimization on a busy machine. Without its limits the
/// same took a minute.
const LONG: Duration = Duration::from_secs(2);

/// The program of policies with these matches, a hundred in each.
fn program(matches: &[String]) -> Program {
    let documents = matches.chunks(100).enumerate().map(|(number, matches)| {
        let rules: Vec<_> = matches.iter().map(|one| format!("{{match: {{{one}}}, {FAULT}")).collect();
        format!("metadata: {{name: p{number:03}}}\nspec: {{rules: [{}]}}\n", rules.join(", "))
    });
    let files: Vec<_> = documents
        .enumerate()
        .map(|(number, text)| (format!("{number}.yaml").into(), File::read(text.as_bytes())))
        .collect();
    let files = files.iter().map(|(path, file)| (path, file)).collect();
    let catalog = Catalog::new(&Sources { files, ..Sources::default() }, |_, _| None);
    assert!(catalog.problems().is_empty(), "{:#?}", catalog.problems());
    let everyone = Scope::new(["*"], ["*"]).unwrap();
    let bytes = catalog.snapshot(&everyone, Timestamp::from_millis(0)).encode(Format::V2);
    Program::compile(&Snapshot::decode(&bytes).unwrap(), &everyone)
}

fn with_header(value: &str) -> StaticRequest {
    StaticRequest { headers: vec![("x-a".to_owned(), value.to_owned())], ..StaticRequest::default() }
}

fn with_query(query: &str) -> StaticRequest {
    StaticRequest { target: Some(format!("/?{query}")), ..StaticRequest::default() }
}

/// True if the request gets a fault, within a time that is not long.
fn is_decided(program: &Program, request: &StaticRequest) -> bool {
    let began = Instant::now();
    let decision = program.decide(request, &mut AlwaysHit);
    let took = began.elapsed();
    assert!(took < LONG, "{took:?}");
    decision.is_some()
}

#[test]
fn a_regex_with_large_counts_reads_each_character_once() {
    for (regex, number) in [("[a-z]{0,1000}!", 1), ("(a{0,700}a{0,700}a{0,700})!", 20)] {
        let program = program(&vec![format!("headers: [{{name: x-a, regex: '{regex}'}}]"); number]);
        let value = "a".repeat(8 * 1024 - 1);
        assert!(!is_decided(&program, &with_header(&value)), "{regex}");
        assert!(is_decided(&program, &with_header(&(value + "!"))), "{regex}");
    }
}

#[test]
fn a_thousand_regexes_decide_about_an_ordinary_value_and_about_a_long_one_they_do_not() {
    let matches = (0..1_000).map(|number| format!("headers: [{{name: x-a, regex: '-{number:04}-[a-z]+$'}}]"));
    let program = program(&matches.collect::<Vec<_>>());
    assert!(is_decided(&program, &with_header("test-0999-abc")));
    let long = format!("{}-0999-abc", "-099".repeat(200));
    assert!(is_decided(&program, &with_header(&long)), "{} bytes", long.len());
    let longer = format!("{}-0999-abc", "-099".repeat(300));
    assert!(!is_decided(&program, &with_header(&longer)), "{} bytes", longer.len());
    // The first rules decide before too much has been read.
    assert!(is_decided(&program, &with_header(&format!("{longer}-0000-abc"))));
}

#[test]
fn a_rule_behind_too_much_work_does_not_decide_instead() {
    let regexes = (0..1_000).map(|number| format!("headers: [{{name: x-a, regex: '-{number}$'}}]"));
    let all = regexes.chain(["path: {exact: /}".to_owned()]);
    let program = program(&all.collect::<Vec<_>>());
    let request = |value: &str| StaticRequest { target: Some("/".to_owned()), ..with_header(value) };
    assert!(is_decided(&program, &request("a")));
    let long = request(&"a".repeat(8_000));
    assert!(!is_decided(&program, &long));
    let verdicts = program.explain(&long);
    assert_eq!(verdicts.last().unwrap().mismatch, Some(Mismatch::TooMuchWork));
}

#[test]
fn a_long_query_is_not_searched_for_every_rule() {
    for matcher in ["exact: a", "not: {exact: a}", "regex: 'a{0,100}!'"] {
        let matches = (0..1_000).map(|number| format!("query: [{{name: 'q{number}', {matcher}}}]"));
        let program = program(&matches.collect::<Vec<_>>());
        assert!(!is_decided(&program, &with_query(&"%61=%61&".repeat(8_000))) || matcher.starts_with("not"));
        assert!(is_decided(&program, &with_query("q999=a!")) || matcher.starts_with("exact"), "{matcher}");
        assert!(is_decided(&program, &with_query("q999=a")) || matcher.starts_with("regex"), "{matcher}");
    }
}

/// The program of one policy with so many of this rule, and of a policy behind it that faults everything.
fn repeated(spec: &str, matches: &str, rules: usize) -> Program {
    let policy = |name, spec, matches| {
        format!(
            "metadata: {{name: {name}}}\nspec: {{direction: outbound, {spec}rules: [{{{matches}{FAULT}]}}\n"
        )
    };
    let file = File::read((policy("a", spec, matches) + "---\n" + &policy("b", "", "")).as_bytes());
    assert!(file.findings.is_empty(), "{spec} {matches}: {:?}", file.findings);
    let mut policies: Vec<_> = file.policies().iter().map(|parsed| (*parsed.policy).clone()).collect();
    policies[0].rules = vec![policies[0].rules[0].clone(); rules];
    let entry = |policy: Policy| SnapshotEntry { policy: policy.into(), started_at: None };
    let snapshot = Snapshot { policies: policies.into_iter().map(entry).collect() };
    Program::compile(&snapshot, &Scope::new(["*"], ["*"]).unwrap())
}

fn outbound(headers: usize) -> StaticRequest {
    StaticRequest {
        direction: Some(Direction::Outbound),
        authority: Some("payments.demo".to_owned()),
        spiffe_id: Some("spiffe://cluster.local/ns/demo/sa/web".to_owned()),
        headers: (0..headers).map(|number| (format!("y-{number}"), String::new())).collect(),
        ..StaticRequest::default()
    }
}

#[test]
fn rules_without_conditions_count_too() {
    for (spec, matches) in
        [("destination: {service: 'a*b*c'}, ", ""), ("", "match: {source: {namespace: 'a*b*c'}}, ")]
    {
        assert!(is_decided(&repeated(spec, matches, 1_000), &outbound(0)), "{spec} {matches}");
        assert!(!is_decided(&repeated(spec, matches, 70_000), &outbound(0)), "{spec} {matches}");
    }
}

/// The authority is of the client's choice, and Envoy takes 60 KB of it.
#[test]
fn a_long_authority_is_no_host() {
    let program = repeated("destination: {host: '*b*c.example'}, ", "", 10_000);
    let request = |authority: String| StaticRequest { authority: Some(authority), ..outbound(0) };
    assert!(is_decided(&program, &request("b-c.example".to_owned())));
    assert!(is_decided(&program, &request("a".repeat(60_000))), "by the rule for all requests");
}

#[test]
fn to_find_a_header_among_many_costs_more() {
    let program = repeated("", "match: {headers: [{name: x-a, present: true}]}, ", 20_000);
    assert!(is_decided(&program, &outbound(20)));
    assert!(!is_decided(&program, &outbound(100)));
}

#[test]
fn many_values_do_not_find_their_rules_many_times() {
    let program = program(&vec!["query: [{name: a, prefix: b}, {name: c, present: true}]".to_owned(); 1_000]);
    assert!(!is_decided(&program, &with_query(&"a=b&".repeat(15_000))));
    assert!(is_decided(&program, &with_query("a=b&c")));
}
