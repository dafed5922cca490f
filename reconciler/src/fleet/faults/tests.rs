//! Whatever happens to reports, the sums are those of all lives, and no sum falls.

mod laws;

use policies::wire::{CountedName, Epoch, FaultCounts, FaultReport, poll::NodeId};

use super::{
    FilterSums, Millis,
    key::LifeKey,
    merge::{LeftOut, Told},
    sum::{self, PolicySum},
    table::Table,
};
use crate::{
    api::measured::Measured,
    clients::{Client, Prefixes},
};

fn client(number: u8) -> Client {
    Prefixes::default().client(std::net::Ipv4Addr::new(10, 0, 0, number).into())
}

fn node(name: &str) -> NodeId {
    NodeId::parse(name).unwrap()
}

/// A report of the node, from a client, at a second. Policies `a` to `d` exist.
fn report(table: &mut Table, second: u64, of: (u8, &str), text: &str) -> LeftOut {
    let report = FaultReport::parse(text).unwrap();
    let is_known = |name: &str| ["a", "b", "c", "d"].contains(&name);
    table.reported(second * 1_000, client(of.0), &node(of.1), &report, &is_known)
}

fn sums(table: &Table, now: Millis, name: &str) -> Option<PolicySum> {
    sum::policies(table, now).remove(&CountedName::parse(name).unwrap())
}

fn measured(table: &Table, second: u64, name: &str) -> Measured {
    let sum = sums(table, second * 1_000, name).unwrap();
    sum.measured(policies::Timestamp::from_millis(0), true)
}

fn matched(table: &Table, name: &str) -> u64 {
    table.policies.get(&CountedName::parse(name).unwrap()).map_or(0, |policy| policy.counts.matched)
}

/// What a proxy counts, if it has reported.
fn of_filter(table: &Table, second: u64, name: &str) -> Option<Measured> {
    let sums = FilterSums(sum::filters(table, second * 1_000));
    sums.of(&node(name)).map(|sum| sum.measured(policies::Timestamp::from_millis(0), true))
}

fn life(name: &str, epoch: &str) -> LifeKey {
    LifeKey::new(&node(name), &Epoch::parse(epoch).unwrap())
}

#[test]
fn a_policy_has_the_sum_over_all_lives_and_a_share() {
    let mut table = Table::default();
    report(&mut table, 0, (1, "n1"), "e1;a=100.30.20.5.2.3;b=7.0.0.0.0.0");
    report(&mut table, 1, (2, "n2"), "e1;a=100.20.20.0.0.0");
    report(&mut table, 2, (2, "n2"), "e2;a=100.10.10.0.0.0");
    let all = measured(&table, 3, "a");
    assert_eq!((all.matched, all.chosen, all.aborts), (300, 60, 50));
    assert_eq!((all.delays, all.shadow, all.overflow), (5, 2, 3));
    assert_eq!((all.share, all.filters, all.partial), (Some(0.2), 2, false));
    let of_filter = of_filter(&table, 3, "n1").unwrap();
    assert_eq!((of_filter.matched, of_filter.chosen, of_filter.filters), (107, 30, 1));
}

#[test]
fn a_rate_is_measured_between_two_reports_and_ends_with_them() {
    let mut table = Table::default();
    report(&mut table, 0, (1, "n1"), "e1;a=1000.1000.1000.0.0.0");
    assert_eq!(measured(&table, 1, "a").per_second, 0.0, "it is not known since when they come");
    report(&mut table, 10, (1, "n1"), "e1;a=1100.1080.1050.0.10.20");
    report(&mut table, 11, (1, "n1"), "e1;a=1101.1081.1051.0.10.20");
    assert_eq!(measured(&table, 12, "a").per_second, 5.0, "shadow and overflow are no faults");
    let shown = sums(&table, 15_000, "a").unwrap().last_minute;
    assert_eq!(shown[45..], [5.0; 15], "it goes on until the next report says otherwise");
    assert_eq!(measured(&table, 26, "a").per_second, 0.0);
    report(&mut table, 3_610, (1, "n1"), "e1;a=8301.8281.8251.0.10.20");
    assert!(measured(&table, 4_060, "a").per_second > 0.0);
    assert_eq!(
        measured(&table, 4_061, "a").per_second,
        0.0,
        "an hour of silence is no reason to hold for longer"
    );
}

#[test]
fn the_share_of_the_last_minute_follows_a_change_of_the_percentage() {
    let mut table = Table::default();
    let share = |table: &Table, second| measured(table, second, "a").recent_share;
    report(&mut table, 0, (1, "n1"), "e1;a=1000.100.100.0.0.0");
    assert_eq!(share(&table, 1), None, "it is not known since when they come");
    report(&mut table, 10, (1, "n1"), "e1;a=2000.200.200.0.0.0");
    assert_eq!(share(&table, 11), Some(0.1));
    // Another proxy has it in shadow mode.
    report(&mut table, 10, (2, "n2"), "e1;a=0.0.0.0.0.0");
    report(&mut table, 20, (2, "n2"), "e1;a=1000.500.0.0.500.0");
    report(&mut table, 20, (1, "n1"), "e1;a=3000.300.300.0.0.0");
    assert_eq!(share(&table, 21), Some(0.065_625));
    for reports in 3..=10 {
        let (matched, chosen) = ((reports + 1) * 1_000, 300 + (reports - 2) * 500);
        report(&mut table, reports * 10, (1, "n1"), &format!("e1;a={matched}.{chosen}.{chosen}.0.0.0"));
    }
    assert_eq!((share(&table, 101), measured(&table, 101, "a").share), (Some(0.5), Some(0.4)));
    assert_eq!(share(&table, 200), None, "nothing matched any more");
}

#[test]
fn the_first_faults_of_a_proxy_that_reports_have_a_rate() {
    let mut table = Table::default();
    report(&mut table, 0, (1, "n1"), "e1");
    report(&mut table, 10, (1, "n1"), "e1;a=100.50.50.0.0.0");
    assert_eq!(measured(&table, 11, "a").per_second, 5.0);
}

#[test]
fn old_counts_of_a_policy_that_comes_back_are_no_faults_of_now() {
    let (mut table, hour) = (Table::default(), std::time::Duration::from_hours(1));
    report(&mut table, 0, (1, "n1"), "e1");
    report(&mut table, 10, (1, "n1"), "e1;a=300000.300000.300000.0.0.0");
    table.forget_policies(4_000_000, hour, &|_| false);
    let mut restarted = Table::default();
    for table in [&mut table, &mut restarted] {
        let gone = FaultReport::parse("e1;a=300000.300000.300000.0.0.0").unwrap();
        table.reported(9_000_000, client(1), &node("n1"), &gone, &|_| false);
        report(table, 9_010, (1, "n1"), "e1;a=300000.300000.300000.0.0.0");
        assert_eq!(measured(table, 9_011, "a").per_second, 0.0);
        report(table, 9_020, (1, "n1"), "e1;a=300050.300050.300050.0.0.0");
        assert_eq!(measured(table, 9_021, "a").per_second, 5.0);
    }
}

#[test]
fn two_plugins_of_a_proxy_that_report_at_once_count_once() {
    let mut table = Table::default();
    for (second, total) in [(0, 0), (10, 100), (20, 200), (30, 300)] {
        let text = format!("e1;a={total}.{total}.{total}.0.0.0");
        report(&mut table, second, (1, "n1"), &text);
        report(&mut table, second, (1, "n1"), &text);
        report(&mut table, second + 1, (1, "n1"), &text);
    }
    assert_eq!((matched(&table, "a"), measured(&table, 31, "a").per_second), (300, 10.0));
}

#[test]
fn more_than_a_proxy_can_count_is_left_out() {
    let mut table = Table::default();
    report(&mut table, 0, (1, "n1"), "e1;a=1.0.0.0.0.0");
    let left_out = report(&mut table, 10, (1, "n1"), "e1;a=10000002.0.0.0.0.0;b=5.0.0.0.0.0");
    assert_eq!((left_out.implausible, matched(&table, "a"), matched(&table, "b")), (1, 1, 5));
    let left_out = report(&mut table, 10, (1, "n1"), "e1;a=10000001.0.0.0.0.0");
    assert_eq!((left_out.implausible, matched(&table, "a")), (0, 10_000_001));
    for _ in 0..5 {
        let text = format!("e1;a={}.0.0.0.0.0", matched(&table, "a") + 900_000);
        report(&mut table, 11, (1, "n1"), &text);
    }
    assert!(matched(&table, "a") <= 11_000_001, "many small steps are as implausible");
    let left_out = report(&mut table, 12, (1, "n2"), "e1;a=9007199254740991.0.0.0.0.0");
    assert_eq!(left_out.implausible, 1);
}

#[test]
fn counts_that_contradict_each_other_count_and_a_share_is_at_most_all() {
    let mut table = Table::default();
    assert_eq!(report(&mut table, 0, (1, "n1"), "e1;a=1.2.3.4.5.6"), LeftOut::default());
    assert_eq!(report(&mut table, 0, (1, "n1"), "e1;a=0.3.1.1.9.1"), LeftOut::default());
    let all = measured(&table, 1, "a");
    assert_eq!((all.matched, all.chosen, all.aborts), (1, 3, 3));
    assert_eq!((all.delays, all.shadow, all.overflow), (4, 9, 6));
    assert_eq!((all.share, all.per_second), (Some(1.0), 0.0));
}

#[test]
fn a_name_that_is_no_policy_is_left_out_unless_it_was_one() {
    let mut table = Table::default();
    let left_out = report(&mut table, 0, (1, "n1"), "e1;x=1.0.0.0.0.0;_other=2.0.0.0.0.0;a=3.0.0.0.0.0");
    assert_eq!((left_out.unknown, matched(&table, "x"), matched(&table, "_other")), (1, 0, 2));
    let hour = std::time::Duration::from_hours(1);
    table.forget_policies(3_600_000, hour, &|_| false);
    let gone = FaultReport::parse("e1;a=4.0.0.0.0.0").unwrap();
    assert_eq!(table.reported(3_600_000, client(1), &node("n1"), &gone, &|_| false).unknown, 0);
    assert_eq!(matched(&table, "a"), 4, "it may come late");
    table.forget_policies(7_200_001, hour, &|_| false);
    assert!(sums(&table, 7_200_001, "a").is_none() && matched(&table, "_other") == 2);
    assert_eq!(table.reported(7_200_001, client(1), &node("n1"), &gone, &|_| false).unknown, 1);
}

#[test]
fn one_client_leaves_the_others_their_share_and_no_sum_falls() {
    let mut table = Table::new(100, 100);
    for number in 0..60 {
        report(&mut table, 0, (1, &format!("greedy-{number}")), "e1;a=1.0.0.0.0.0");
    }
    assert_eq!((matched(&table, "a"), measured(&table, 1, "a").partial), (50, true));
    let left_out = report(&mut table, 2, (2, "n1"), "e1;a=1.0.0.0.0.0");
    assert_eq!((left_out, matched(&table, "a")), (LeftOut::default(), 51), "what had to go stays in the sum");
    let mut left_out = 0;
    for number in 0..60 {
        left_out += report(&mut table, 3, (1, &format!("greedy-{number}")), "e1;a=1.0.0.0.0.0").full;
    }
    assert_eq!((left_out, matched(&table, "a")), (11, 51), "and is not added a second time");
}

#[test]
fn silent_lives_make_room() {
    let mut table = Table::new(4, 100);
    report(&mut table, 0, (1, "n1"), "e1;a=1.0.0.0.0.0");
    report(&mut table, 1, (1, "n2"), "e1;a=1.0.0.0.0.0");
    assert_eq!(report(&mut table, 960, (1, "n3"), "e1;b=1.0.0.0.0.0").full, 1);
    assert_eq!(report(&mut table, 961, (1, "n3"), "e1;a=1.0.0.0.0.0").full, 0);
    let sum = measured(&table, 961, "a");
    assert_eq!((sum.matched, sum.filters, sum.partial), (3, 2, true), "one was given up");
    let later = measured(&table, 1_922, "a");
    assert_eq!((later.matched, later.partial), (3, false), "nothing is missing");
    assert!(measured(&table, 961, "b").partial, "it had no room");
    // There is room again, but it is in the sum already.
    assert_eq!(report(&mut table, 2_000, (1, "n1"), "e1;a=5.0.0.0.0.0").full, 1);
    assert_eq!((matched(&table, "a"), measured(&table, 2_000, "a").partial), (3, true));
}

#[test]
fn silent_lives_make_room_while_other_replicas_tell_of_them() {
    let mut table = Table::new(4, 100);
    report(&mut table, 0, (1, "n1"), "e1;a=1.0.0.0.0.0");
    report(&mut table, 900, (1, "n2"), "e1;a=1.0.0.0.0.0");
    let told = Told { key: life("n1", "e1"), at: 0, client: None, rows: Vec::new() };
    table.merge(&told, 960_000, &|_| true);
    assert_eq!(report(&mut table, 961, (1, "n3"), "e1;a=1.0.0.0.0.0").full, 0);
    assert_eq!((measured(&table, 961, "a").filters, matched(&table, "a")), (2, 3));
    // Another one still tells of what was given up.
    let name = CountedName::parse("a").unwrap();
    let counts = FaultCounts { matched: 1, ..FaultCounts::default() };
    let told = |at| Told { key: life("n1", "e1"), at, client: None, rows: vec![(&name, counts)] };
    table.merge(&told(3_000), 962_000, &|_| true);
    assert_eq!((matched(&table, "a"), measured(&table, 2_000, "a").partial), (3, false));
    table.merge(&told(962_000), 962_000, &|_| true);
    assert_eq!((matched(&table, "a"), measured(&table, 2_000, "a").partial), (3, true), "it lives");
}

#[test]
fn one_proxy_that_begins_anew_all_the_time_takes_no_places_of_others() {
    let mut table = Table::default();
    let report = |table: &mut Table, second: u64, epoch: u64| {
        report(table, second, (1, "n1"), &format!("e{epoch};a=1.0.0.0.0.0"))
    };
    self::report(&mut table, 0, (2, "n2"), "e1;b=1.0.0.0.0.0");
    let left_out: Vec<_> = (0..100).map(|epoch| report(&mut table, epoch, epoch).full).collect();
    assert_eq!((left_out[..16].iter().sum::<u64>(), left_out[16..].iter().sum::<u64>()), (0, 84));
    assert_eq!((table.lives.iter().count(), matched(&table, "a")), (17, 16));
    assert!(measured(&table, 100, "a").partial && of_filter(&table, 100, "n1").unwrap().partial);
    assert!(!measured(&table, 100, "b").partial && !of_filter(&table, 100, "n2").unwrap().partial);
    // Lives that have ended give way.
    for hour in 1..=20 {
        assert_eq!(report(&mut table, hour * 3_600, 100 + hour), LeftOut::default());
        assert_eq!(
            of_filter(&table, hour * 3_600, "n1").unwrap().matched,
            16 + hour,
            "its counts do not fall"
        );
    }
    assert_eq!((table.lives.iter().count(), matched(&table, "a")), (17, 36));
    assert_eq!(report(&mut table, 80_000, 0).full, 1, "it is in the sum");
}

#[test]
fn want_of_room_is_told_of_those_that_it_concerns_until_it_is_over() {
    let mut table = Table::new(4, 100);
    for name in ["n1", "n2", "n3"] {
        report(&mut table, 0, (1, name), "e1;a=1.0.0.0.0.0");
    }
    assert!(measured(&table, 960, "a").partial && of_filter(&table, 960, "n1").unwrap().partial);
    assert!(!of_filter(&table, 961, "n1").unwrap().partial);
    report(&mut table, 961, (2, "n4"), "e1;b=1.0.0.0.0.0");
    assert!(!measured(&table, 961, "b").partial, "it came later");
    assert!(measured(&table, 961, "a").partial, "what was left out is missing for ever");
}

#[test]
fn a_table_that_is_full_of_proxies_that_live_is_looked_through_once_a_second() {
    let mut table = Table::new(200, 100);
    let name = CountedName::parse("a").unwrap();
    for number in 0..100_u8 {
        report(&mut table, 0, (number, &format!("n{number}")), "e1;a=1.0.0.0.0.0");
        let (key, counts) = (life(&format!("o{number}"), "e1"), FaultCounts::default());
        table.merge(&Told { key, at: 0, client: None, rows: vec![(&name, counts)] }, 0, &|_| true);
    }
    assert_eq!(table.lives.searches(), 0, "there was room for all");
    let (mut full, mut searches) = (0, Vec::new());
    for second in 1..=3 {
        for number in 100..200_u8 {
            let name = format!("n{number}-{second}");
            full += report(&mut table, second, (number, &name), "e1;a=1.0.0.0.0.0").full;
            let told = Told { key: life(&format!("o{number}"), "e1"), at: 0, client: None, rows: Vec::new() };
            table.merge(&told, second * 1_000, &|_| true);
        }
        searches.push(table.lives.searches());
    }
    assert!(full > 0, "nothing was left out");
    assert_eq!(searches, [2, 4, 6], "once those that poll here, and once the others");
}

#[test]
fn a_report_that_is_told_again_a_little_later_ends_no_rate() {
    let mut table = Table::default();
    let name = CountedName::parse("a").unwrap();
    let mut tell = |at, total| {
        let counts = FaultCounts { matched: total, chosen: total, ..FaultCounts::default() };
        let told = Told { key: life("n1", "e1"), at, client: None, rows: vec![(&name, counts)] };
        table.merge(&told, at, &|_| true);
        measured(&table, at / 1_000, "a").per_second
    };
    tell(100, 0);
    assert_eq!(tell(10_100, 100), 10.0);
    for late in [10_200, 12_050, 12_100] {
        assert_eq!(tell(late, 100), 10.0);
    }
    assert_eq!(tell(20_100, 100), 0.0, "that is another report");
}
