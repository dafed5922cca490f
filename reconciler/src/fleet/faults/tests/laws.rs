//! Random histories, against a model that knows what was delivered.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::key::Key;
use super::{
    super::table::Told, CountedName, Epoch, FaultCounts, FaultReport, Millis, Table, client, matched, node,
};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// The reports of one life, in the order in which they were made.
#[derive(Clone, Debug)]
struct Life {
    node: String,
    reports: Vec<FaultReport>,
}

#[derive(Clone, Debug)]
enum Step {
    /// A report comes to a replica, perhaps late or again.
    Deliver { life: usize, report: usize, replica: usize },
    /// A replica tells another one.
    Tell { from: usize, to: usize },
    /// A replica begins anew.
    Restart { replica: usize },
}

fn life(number: usize) -> impl Strategy<Value = Life> {
    let grown = prop::array::uniform6(0..50_u64);
    // Each report has some of the policies only.
    let reports =
        prop::collection::vec((prop::array::uniform3(grown), prop::array::uniform3(any::<bool>())), 1..6);
    reports.prop_map(move |steps| {
        let mut totals = [[0; 6]; 3];
        let report = |(grown, told): ([[u64; 6]; 3], [bool; 3])| {
            let mut text = format!("e{number}");
            for (place, name) in NAMES.into_iter().enumerate() {
                // All but the matched ones are chosen, too.
                let [matched, chosen, aborts, delays, shadow, overflow] = grown[place];
                let chosen = chosen + shadow + overflow;
                let grown = [matched + chosen, chosen, aborts, delays, shadow, overflow];
                totals[place].iter_mut().zip(grown).for_each(|(total, grown)| *total += grown);
                if told[place] {
                    text += &format!(";{name}={}", totals[place].map(|total| total.to_string()).join("."));
                }
            }
            FaultReport::parse(&text).unwrap()
        };
        // Two lives of each node.
        Life { node: format!("n{}", number / 2), reports: steps.into_iter().map(report).collect() }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..6_usize, 0..6_usize, 0..3_usize)
            .prop_map(|(life, report, replica)| Step::Deliver { life, report, replica }),
        2 => (0..3_usize, 0..3_usize).prop_map(|(from, to)| Step::Tell { from, to }),
        1 => (0..3_usize).prop_map(|replica| Step::Restart { replica }),
    ]
}

/// The greatest totals that came, by node, epoch and name.
type Model = BTreeMap<(String, String, String), FaultCounts<u64>>;

fn deliver(table: &mut Table, model: &mut Model, now: Millis, life: &Life, report: &FaultReport) {
    let left_out = table.reported(now, client(1), &node(&life.node), report, &|_| true);
    assert_eq!(left_out, super::LeftOut::default());
    for row in report.rows() {
        let key = (life.node.clone(), report.epoch().as_str().to_owned(), row.name.as_str().to_owned());
        let known = model.entry(key).or_default();
        *known = known.zip(row.counts.map(policies::wire::Count::get), u64::max);
    }
}

fn tell(from: &Table, to: &mut Table, now: Millis) {
    for (key, life) in from.own.iter() {
        let rows = life.rows.iter().map(|row| (&row.name, row.totals)).collect();
        let told = Told { key: *key, node: life.node, at: life.at, client: None, rows };
        to.merge(told, now, &|_| true);
    }
}

fn totals(table: &Table) -> Vec<u64> {
    let of = |name| table.policies.get(&CountedName::parse(name).unwrap());
    NAMES.iter().flat_map(|name| of(name).map_or([0; 6], |policy| policy.counts.into_array())).collect()
}

fn expected<'m>(models: impl Iterator<Item = &'m Model>) -> Vec<u64> {
    let mut all = Model::new();
    for (key, counts) in models.flatten() {
        let known = all.entry(key.clone()).or_default();
        *known = known.zip(*counts, u64::max);
    }
    let sum = |name: &&str| {
        let of_name = all.iter().filter(|((_, _, known), _)| known == name);
        of_name
            .fold(FaultCounts::default(), |sum: FaultCounts<u64>, (_, counts)| sum.zip(*counts, |a, b| a + b))
    };
    NAMES.iter().flat_map(|name| sum(name).into_array()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loss_repetition_order_restarts_and_the_number_of_replicas_change_no_sum(
        lives in (0..6_usize).map(life).collect::<Vec<_>>(), replicas in 1..=3_usize,
        steps in prop::collection::vec((step(), 0..20_000_u64), 0..80),
    ) {
        let mut tables: Vec<_> = (0..replicas).map(|_| (Table::default(), Model::new())).collect();
        let mut now = 0;
        for (step, pause) in steps {
            now += pause;
            match step {
                Step::Deliver { life, report, replica } => {
                    let life = &lives[life];
                    let (table, model) = &mut tables[replica % replicas];
                    let before = totals(table);
                    deliver(table, model, now, life, &life.reports[report % life.reports.len()]);
                    prop_assert!(totals(table).iter().zip(&before).all(|(after, before)| after >= before));
                }
                Step::Tell { from, to } if from % replicas != to % replicas => {
                    let [(from, _), (to, _)] =
                        tables.get_disjoint_mut([from % replicas, to % replicas]).unwrap();
                    let before = totals(to);
                    tell(from, to, now);
                    prop_assert!(totals(to).iter().zip(&before).all(|(after, before)| after >= before));
                }
                Step::Tell { .. } => {}
                Step::Restart { replica } => tables[replica % replicas] = (Table::default(), Model::new()),
            }
        }
        // Proxies go on to report, each to one replica.
        for (number, life) in lives.iter().enumerate() {
            now += 1_000;
            let (table, model) = &mut tables[number % replicas];
            for report in &life.reports {
                deliver(table, model, now, life, report);
            }
        }
        let expected = expected(tables.iter().map(|(_, model)| model));
        for to in 0..replicas {
            for from in (0..replicas).filter(|from| *from != to) {
                let [(from, _), (to, _)] = tables.get_disjoint_mut([from, to]).unwrap();
                tell(from, to, now);
                tell(from, to, now);
            }
            prop_assert_eq!(totals(&tables[to].0), expected.clone());
        }
    }

    #[test]
    fn places_are_counted_well_whatever_is_folded_and_forgotten(
        reports in prop::collection::vec((0..30_u8, 0..4_u8, "e[0-3](;[a-d]=[1-9][.]0[.]0[.]0[.]0[.]0){0,1}", 0..400_u64), 0..150),
    ) {
        let (mut table, mut second, mut all) = (Table::new(12), 0, 0);
        for (number, from, text, pause) in reports {
            second += pause;
            let name = format!("n{number}");
            if from == 0 {
                let report = FaultReport::parse(&text).unwrap();
                let key = Key::of_life(&node(&name), &Epoch::parse(report.epoch().as_str()).unwrap());
                let rows = report.rows().iter().map(|row| (&row.name, row.counts.map(policies::wire::Count::get)));
                let told = Told { key, node: Key::of_node(&node(&name)), at: second * 1_000, client: None, rows: rows.collect() };
                table.merge(told, second * 1_000, &|_| true);
            } else {
                super::report(&mut table, second, (from, &name), &text);
            }
            if number == 0 {
                table.forget_policies(second * 1_000, std::time::Duration::from_secs(300), &|_| false);
            }
            table.check_places();
            let sum = NAMES.iter().map(|name| matched(&table, name)).sum::<u64>();
            prop_assert!(number == 0 || sum >= all);
            all = sum;
        }
    }
}
