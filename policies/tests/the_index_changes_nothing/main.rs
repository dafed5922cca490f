//! A compiled program decides as a plain loop over the policies as they are written, whatever the
//! rules are told apart by, and says of every rule what that loop says. A rule that is said never to
//! decide never does.
#![cfg(test)]
#![cfg(feature = "authoring")]

mod naive;
mod repositories;
mod requests;

use policies::{
    Catalog, Dice, File, Policy, Program, Scope, Snapshot, Timestamp,
    evaluation::SharedRules,
    language::Direction,
    repository::{Sources, lint},
    wire::Format,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use self::{naive::naive, repositories::repository, requests::request};

/// For percentages of 0 and 100 nothing is thrown.
struct Unthrown;

impl Dice for Unthrown {
    fn below(&mut self, _bound: u32) -> u32 {
        panic!("the dice were thrown for what is certain")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_program_decides_as_a_plain_loop_does(
        yaml in repository(),
        requests in prop::collection::vec(request(), 1..6),
    ) {
        let file = File::read(yaml.as_bytes());
        prop_assert!(file.findings.is_empty(), "{yaml}\n{:#?}", file.findings);
        let policies: Vec<_> = file.policies().iter().map(|declared| Policy::clone(&declared.policy)).collect();
        let path = "a.yaml".into();
        let catalog = Catalog::new(&Sources { files: vec![(&path, &file)], ..Sources::default() }, |_, _| None);
        let workload = Scope::new(["demo"], ["checkout"]).unwrap();
        let snapshot = catalog.snapshot(&workload, Timestamp::from_millis(0));
        let travelled = Snapshot::decode(&snapshot.encode(Format::V2)).unwrap();
        let (sidecar, gateway) =
            (Program::compile(&travelled, &workload), Program::compile_for_gateway(&travelled, &workload));
        let waypoint = SharedRules::compile(&travelled).program(&workload);
        let place = |policy: &str, rule: usize| {
            let declared = file.policies().iter().find(|declared| declared.policy.name.as_str() == policy);
            declared.map(|declared| declared.place_of(&format!("spec.rules[{rule}]")))
        };
        let warnings = lint::warnings(&catalog, Timestamp::from_millis(0)).into_iter().map(|warning| warning.finding);
        let idle: Vec<_> = warnings.filter(|warning| warning.message.starts_with("never decides")).collect();

        for request in &requests {
            let program = if request.direction.is_some() { &sidecar } else { &gateway };
            let (rules, given) = (naive(&policies, request), request.given());
            let said: Vec<_> = program.explain(&given);
            let said: Vec<_> = said.iter().map(|v| (v.policy, v.rule, v.mismatch.is_none())).collect();
            let wanted: Vec<_> = rules.iter().map(|(policy, rule, _, applies)| (*policy, *rule, *applies)).collect();
            prop_assert_eq!(said, wanted, "{}\n{:?}", yaml, request);

            let deciding = rules.iter().find(|(.., applies)| *applies);
            if let Some((policy, rule, ..)) = deciding {
                let wrong = idle.iter().find(|warning| Some(warning.place) == place(policy, *rule));
                prop_assert!(wrong.is_none(), "{}\n{:?}\n{:?}", yaml, request, wrong);
            }
            let deciding = deciding.filter(|(_, _, rule, _)| rule.fault.percentage.parts_per_million() > 0);
            let wanted = deciding.map(|(policy, _, rule, _)| ((*policy).to_owned(), rule.fault.abort.clone()));
            // A waypoint decides by the same rules, in groups of one selector.
            let is_inbound = request.direction == Some(Direction::Inbound);
            for program in [program].into_iter().chain(is_inbound.then_some(&waypoint)) {
                let decision = program.decide(&given, &mut Unthrown);
                let got = decision.map(|decision| (decision.policy.to_string(), decision.abort.as_deref().cloned()));
                prop_assert_eq!(&got, &wanted, "{}\n{:?}", yaml, request);
            }
        }
    }
}

/// The test above would say little if rules never applied, or always did.
#[test]
fn the_requests_meet_all_kinds_of_rules() {
    let mut runner = TestRunner::deterministic();
    let (mut none, mut first, mut later) = (0, 0, 0);
    for _ in 0..500 {
        let yaml = repository().new_tree(&mut runner).unwrap().current();
        let request = request().new_tree(&mut runner).unwrap().current();
        let file = File::read(yaml.as_bytes());
        let policies: Vec<_> =
            file.policies().iter().map(|declared| Policy::clone(&declared.policy)).collect();
        match naive(&policies, &request).iter().position(|(.., applies)| *applies) {
            None => none += 1,
            Some(0) => first += 1,
            Some(_) => later += 1,
        }
    }
    println!("of 500 requests, {none} meet no rule, {first} the first, {later} a later one");
    assert!(none > 50 && first > 50 && later > 100, "{none} {first} {later}");
}
