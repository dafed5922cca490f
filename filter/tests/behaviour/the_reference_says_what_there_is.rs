//! `filter/REFERENCE.md`: its tables say what the filter takes and shows.

use std::collections::BTreeSet;

use filter::{
    config::Config,
    stats::{Kind, POLICY_STATS, PolicyStats, STATS, policy_stat},
};

const REFERENCE: &str = include_str!("../../REFERENCE.md");

/// The cells of every row of the first table in a section.
fn rows(section: &str) -> Vec<Vec<String>> {
    let (_, text) = REFERENCE.split_once(&format!("\n## {section}\n")).expect("the section is there");
    let table =
        text.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        let cells = row.trim_matches('|').replace("\\|", "\0");
        cells.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
    };
    table.skip(2).map(cells).collect()
}

#[test]
fn every_key_of_the_plugin_configuration_is_there() {
    let listed: BTreeSet<_> =
        rows("`pluginConfig`").iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    // An unknown key is refused with the list of those that are known.
    let refused = Config::parse(br#"{"?": 1}"#).unwrap_err().to_string();
    let (_, known) = refused.split_once(" is not an option; options are ").unwrap();
    let known = known.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(listed, known);
}

#[test]
fn every_default_of_the_plugin_configuration_is_that_of_the_filter() {
    let config = Config::parse(br#"{"control_plane_address": "HOST:80"}"#).unwrap();
    let staleness = config.max_staleness.unwrap().as_secs();
    for (key, default) in [
        ("control_plane_address", "required".to_owned()),
        ("cluster", format!("`{}`, Istio's name for it", config.cluster.replace("80", "PORT"))),
        ("poll_wait_seconds", config.poll_wait.as_secs().to_string()),
        ("report_interval_seconds", config.report_interval.as_secs().to_string()),
        ("max_staleness_seconds", staleness.to_string()),
        ("max_active_faults", config.max_active_faults.to_string()),
    ] {
        let row = rows("`pluginConfig`").into_iter().find(|row| row[0] == format!("`{key}`")).unwrap();
        assert_eq!(row[2], default, "{key}");
    }
}

#[test]
fn every_stat_is_there_with_its_kind() {
    let kind = |kind| match kind {
        Kind::Counter => "counter".to_owned(),
        Kind::Gauge => "gauge".to_owned(),
        Kind::Histogram => "histogram".to_owned(),
    };
    let mut known = BTreeSet::new();
    STATS.map(|(of, name)| known.insert((format!("`{name}`"), kind(of))));
    let PolicyStats { aborts, delays, cancelled, shadow } = POLICY_STATS;
    for counter in [aborts, delays, cancelled, shadow] {
        known.insert((format!("`{}`", policy_stat("NAME", counter)), kind(Kind::Counter)));
    }
    let listed = rows("Stats").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(known, listed);
}
