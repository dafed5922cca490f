//! Random histories, against a model that knows what was delivered.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    CountedName, FaultCounts, FaultReport, LeftOut, Millis, Table, Told, client, life as key, matched, node,
    of_filter,
};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// The longest time for which a replica is waited for.
const LATEST: Millis = 2_000;

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
    /// A replica tells another one, which takes some time.
    Tell { from: usize, to: usize, late: Millis },
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
                let grown = grown[place];
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
        2 => (0..3_usize, 0..3_usize, 0..LATEST).prop_map(|(from, to, late)| Step::Tell { from, to, late }),
        1 => (0..3_usize).prop_map(|replica| Step::Restart { replica }),
    ]
}

/// A step in which somebody takes all places that there are.
#[derive(Clone, Debug)]
enum Stuffed {
    Deliver {
        life: usize,
        report: usize,
        replica: usize,
    },
    /// Somebody makes up a life of a proxy.
    Stuff {
        node: usize,
        epoch: usize,
        replica: usize,
    },
    Tell {
        to: usize,
        late: Millis,
    },
}

fn stuffed_step() -> impl Strategy<Value = Stuffed> {
    prop_oneof![
        3 => (0..6_usize, 0..6_usize, 0..2_usize)
            .prop_map(|(life, report, replica)| Stuffed::Deliver { life, report, replica }),
        3 => (0..4_usize, 0..40_usize, 0..2_usize)
            .prop_map(|(node, epoch, replica)| Stuffed::Stuff { node, epoch, replica }),
        1 => (0..2_usize, 0..LATEST).prop_map(|(to, late)| Stuffed::Tell { to, late }),
    ]
}

/// The sums of all policies, and what each proxy has matched.
fn shown(table: &Table, now: Millis) -> (Vec<u64>, Vec<Option<u64>>) {
    (totals(table), of_filters(table, now))
}

fn of_filters(table: &Table, now: Millis) -> Vec<Option<u64>> {
    let of = |number: usize| Some(of_filter(table, now / 1_000, &format!("n{number}"))?.matched);
    (0..3).map(of).collect()
}

/// The greatest totals that came, by node, epoch and name.
type Model = BTreeMap<(String, String, String), FaultCounts<u64>>;

fn deliver(table: &mut Table, model: &mut Model, now: Millis, life: &Life, report: &FaultReport) -> LeftOut {
    // Each node has a client of its own.
    let from = client(life.node.as_bytes()[1]);
    let left_out = table.reported(now, from, &node(&life.node), report, &|_| true);
    note(model, life, report);
    left_out
}

fn note(model: &mut Model, life: &Life, report: &FaultReport) {
    for row in report.rows() {
        let key = (life.node.clone(), report.epoch().as_str().to_owned(), row.name.as_str().to_owned());
        let known = model.entry(key).or_default();
        *known = known.zip(row.counts.map(policies::wire::Count::get), u64::max);
    }
}

fn tell(from: &Table, to: &mut Table, now: Millis, late: Millis) {
    for copied in from.lives.newest(usize::MAX).0 {
        let rows = copied.rows.iter().map(|(name, totals)| (name, *totals)).collect();
        let told = Told { key: copied.key, at: copied.polled + late, client: None, rows };
        to.merge(&told, now + late, &|_| true);
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
        let (mut now, mut polled) = (0, BTreeMap::new());
        for (step, pause) in steps {
            now += pause;
            match step {
                Step::Deliver { life, report, replica } => {
                    let life = &lives[life];
                    let (table, model) = &mut tables[replica % replicas];
                    let before = totals(table);
                    let report = &life.reports[report % life.reports.len()];
                    prop_assert_eq!(deliver(table, model, now, life, report), LeftOut::default());
                    polled.insert(key(&life.node, report.epoch().as_str()), now);
                    prop_assert!(totals(table).iter().zip(&before).all(|(after, before)| after >= before));
                }
                Step::Tell { from, to, late } if from % replicas != to % replicas => {
                    let [(from, _), (to, _)] =
                        tables.get_disjoint_mut([from % replicas, to % replicas]).unwrap();
                    let before = totals(to);
                    tell(from, to, now, late);
                    now += late;
                    prop_assert!(totals(to).iter().zip(&before).all(|(after, before)| after >= before));
                }
                Step::Tell { .. } => {}
                Step::Restart { replica } => tables[replica % replicas] = (Table::default(), Model::new()),
            }
            for (key, life) in tables.iter().flat_map(|(table, _)| table.lives.iter()) {
                prop_assert!(life.at <= polled[key] + LATEST, "it is told as if it had reported since");
            }
        }
        // Proxies go on to report, each to one replica.
        for (number, life) in lives.iter().enumerate() {
            now += 1_000;
            let (table, model) = &mut tables[number % replicas];
            for report in &life.reports {
                prop_assert_eq!(deliver(table, model, now, life, report), LeftOut::default());
            }
        }
        let expected = expected(tables.iter().map(|(_, model)| model));
        for to in 0..replicas {
            for from in (0..replicas).filter(|from| *from != to) {
                let [(from, _), (to, _)] = tables.get_disjoint_mut([from, to]).unwrap();
                tell(from, to, now, 0);
                tell(from, to, now, LATEST);
            }
            prop_assert_eq!(totals(&tables[to].0), expected.clone());
        }
    }

    #[test]
    fn whoever_fills_the_places_makes_no_sum_of_others_fall_or_count_twice(
        lives in (0..6_usize).map(life).collect::<Vec<_>>(),
        steps in prop::collection::vec((stuffed_step(), 0..400_000_u64), 0..80),
    ) {
        // Each client has two lives. Its share of those that are given up is as many.
        let (mut all, mut now) = (Model::new(), 0);
        let mut tables = [(); 2].map(|()| (Table::new(20, 8), Model::new()));
        for (step, pause) in steps {
            now += pause;
            // A telling of many lives is many steps: a proxy can be given up, and come back with another life.
            let is_one_step = !matches!(step, Stuffed::Tell { .. });
            let before: Vec<_> = tables.iter().map(|(table, _)| shown(table, now)).collect();
            match step {
                Stuffed::Deliver { life, report, replica } => {
                    let (life, (table, model)) = (&lives[life], &mut tables[replica]);
                    let report = &life.reports[report % life.reports.len()];
                    deliver(table, model, now, life, report);
                    note(&mut all, life, report);
                }
                Stuffed::Stuff { node: number, epoch, replica } => {
                    let report = FaultReport::parse(&format!("e{epoch};h=1.0.0.0.0.0")).unwrap();
                    tables[replica].0.reported(now, client(9), &node(&format!("h{number}")), &report, &|_| true);
                }
                Stuffed::Tell { to, late } => {
                    let [(one, _), (two, _)] = &mut tables;
                    let (from, to) = if to == 0 { (two, one) } else { (one, two) };
                    tell(from, to, now, late);
                    now += late;
                }
            }
            for ((table, model), (sums, filters)) in tables.iter().zip(before) {
                table.lives.check_places();
                prop_assert!(totals(table).iter().zip(&sums).all(|(after, before)| after >= before));
                prop_assert!(totals(table).iter().zip(expected([&all].into_iter())).all(|(shown, all)| *shown <= all));
                for ((name, here), shown) in NAMES.iter().zip(expected([model].into_iter()).chunks(6)).zip(totals(table).chunks(6)) {
                    let policy = table.policies.get(&CountedName::parse(name).unwrap());
                    let is_partial = policy.is_some_and(|policy| policy.is_partial);
                    prop_assert!(is_partial || here.iter().zip(shown).all(|(here, shown)| shown >= here));
                }
                for (after, before) in of_filters(table, now).into_iter().zip(filters) {
                    prop_assert!(!is_one_step || after.zip(before).is_none_or(|(after, before)| after >= before));
                }
            }
        }
    }

    #[test]
    fn places_are_counted_well_whatever_is_folded_and_forgotten(
        reports in prop::collection::vec((0..30_u8, 0..4_u8, "e[0-3](;[a-d]=[1-9][.]0[.]0[.]0[.]0[.]0){0,1}", 0..400_u64), 0..150),
    ) {
        let (mut table, mut second, mut all) = (Table::new(12, 4), 0, 0);
        for (number, from, text, pause) in reports {
            second += pause;
            let name = format!("n{number}");
            if from == 0 {
                let report = FaultReport::parse(&text).unwrap();
                let key = key(&name, report.epoch().as_str());
                let rows = report.rows().iter().map(|row| (&row.name, row.counts.map(policies::wire::Count::get)));
                let told = Told { key, at: second * 1_000, client: None, rows: rows.collect() };
                table.merge(&told, second * 1_000, &|_| true);
            } else {
                super::report(&mut table, second, (from, &name), &text);
            }
            if number == 0 {
                table.forget_policies(second * 1_000, std::time::Duration::from_secs(300), &|_| false);
            }
            table.lives.check_places();
            let sum = NAMES.iter().map(|name| matched(&table, name)).sum::<u64>();
            prop_assert!(number == 0 || sum >= all);
            all = sum;
        }
    }
}
