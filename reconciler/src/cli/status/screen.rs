//! The overview as a text of one screen.

use policies::Timestamp;

use crate::{
    api::{
        first_generation::FaultType,
        overview::{
            Listed, Overview,
            banner::{Banner, State},
            in_force::{Coming, InForce},
            recent::Recent,
            trouble::{FilterInTrouble, PolicyInTrouble, Rejected},
        },
        peers::MissingReplica,
        time::Time,
        writes::HistoryCommit,
    },
    cli::{
        figures::{configured, line, rate, recent_share, share},
        filters::pod,
        moment::{clock, relative, short_revision},
        table::{Cell, Table},
        terminal::{Colour, Terminal},
        watch::counted,
    },
    printable::printable,
};

/// The columns of the faults of the last minute: each is 3 s.
const LINE: usize = 20;
/// The most entries of what came and went.
const RECENT: usize = 8;
/// The most names in one line.
const NAMES: usize = 3;

/// The screen, on this terminal.
pub(super) fn screen(overview: &Overview, terminal: Terminal) -> String {
    screen_at(overview.at.0, overview, terminal)
}

/// The same as it is at `now`, by the clock of the server, with the time at which the server told it: some time ago where
/// nothing changes.
pub(super) fn watched(now: Timestamp, overview: &Overview, terminal: Terminal) -> String {
    let told = overview.at.0;
    let age = if now > told { format!(" ({})", relative(told, now)) } else { String::new() };
    format!("as of {}{age}\n{}", clock(told), screen_at(now, overview, terminal))
}

fn screen_at(now: Timestamp, overview: &Overview, terminal: Terminal) -> String {
    let banners: String = overview.banners.iter().map(|shown| banner(shown, terminal)).collect();
    banners + &below(now, overview, terminal)
}

/// The same at the time from which on the server does not answer: without the banners, which may not hold any more.
pub(super) fn lost(last: &Overview, since: Timestamp, terminal: Terminal) -> String {
    let sentence = terminal.paint(&format!("NO ANSWER since {}", clock(since)), Some(Colour::Bad));
    format!("{sentence}\nas of {}\n{}", clock(last.at.0), below(last.at.0, last, terminal))
}

/// What is below the banners.
fn below(now: Timestamp, overview: &Overview, terminal: Terminal) -> String {
    let mut text = facts(overview, now);
    let sections = [
        section("In force", &overview.in_force, |policies| in_force(policies, now)),
        section("Coming within 24 h", &overview.coming, |policies| coming(policies, now)),
        trouble(overview, now),
        recent(&overview.recent, now),
    ];
    for (heading, table) in sections.into_iter().flatten() {
        text += &format!("\n{heading}\n{}", table.render(terminal));
    }
    text
}

fn banner(Banner { sentence, state }: &Banner, terminal: Terminal) -> String {
    let colour = match state {
        State::NothingIsInjected => Colour::Good,
        State::Listening { .. } => Colour::Faint,
        State::Halted { .. } | State::Injecting { .. } => Colour::Attention,
        _ => Colour::Bad,
    };
    let mut text = terminal.paint(&printable(sentence), Some(colour)) + "\n";
    if let Some(note) = state.note() {
        text += &format!("  {}\n", printable(&note));
    }
    text
}

/// What is served, and who says so.
fn facts(overview: &Overview, now: Timestamp) -> String {
    let Overview { filters, missing, replicas, revision, source_read, summary, .. } = overview;
    let read = source_read.map(|Time(read)| format!(", read {}", relative(read, now))).unwrap_or_default();
    let revision = revision.as_deref().map_or("-", short_revision);
    let mut lines = vec![
        ("Revision", format!("{revision}{read}")),
        ("Policies", counted(summary)),
        ("Filters", filters.in_words()),
    ];
    lines.extend(replicas.iter().map(|replicas| ("Replicas", replicas.clone())));
    lines
        .extend(missing.iter().map(|MissingReplica { error, name }| ("Missing", format!("{name}: {error}"))));
    lines.iter().map(|(name, value)| format!("{:<10}{}\n", format!("{name}:"), printable(value))).collect()
}

fn section<T>(heading: &str, list: &Listed<T>, table: impl FnOnce(&[T]) -> Table) -> Option<(String, Table)> {
    let more =
        if list.more() == 0 { String::new() } else { format!(", of which {} are not shown", list.more()) };
    (!list.is_empty()).then(|| (format!("{heading}: {}{more}", list.total), table(&list.items)))
}

fn in_force(policies: &[InForce], now: Timestamp) -> Table {
    let row = |policy: &InForce| {
        let shadow = if policy.shadow { " shadow" } else { "" };
        vec![
            Cell::new(&policy.name),
            Cell::new(policy.targets.to_string()),
            Cell::new(format!("{}{shadow}", configured(policy.configured))),
            Cell::new(share(policy.measured.as_ref())),
            Cell::new(rate(policy.measured.as_ref())),
            Cell::new(moment(policy.ends_at, now)),
            Cell::new(last_minute(policy)),
            Cell::new(FaultType::list(&policy.fault_types)),
            Cell::new(commit(policy.committed.as_ref())),
        ]
    };
    Table {
        headings: &["NAME", "TARGET", "SHARE", "MEASURED", "FAULTS/S", "ENDS", "LAST 60 S", "FAULT", "BY"],
        rows: policies.iter().map(row).collect(),
    }
}

/// The share of the last minute, and its faults.
fn last_minute(policy: &InForce) -> String {
    format!("{} {}", recent_share(policy.measured.as_ref()), line(&policy.spark, LINE)).trim().to_owned()
}

fn coming(policies: &[Coming], now: Timestamp) -> Table {
    let row = |policy: &Coming| {
        let held = if policy.held { ", held now" } else { "" };
        vec![
            Cell::new(&policy.name),
            Cell::new(policy.targets.to_string()),
            Cell::new(format!("{}{held}", FaultType::list(&policy.fault_types))),
            Cell::new(moment(Some(policy.starts_at), now)),
            Cell::new(moment(policy.ends_at, now)),
            Cell::new(commit(policy.committed.as_ref())),
        ]
    };
    Table {
        headings: &["NAME", "TARGET", "FAULT", "STARTS", "ENDS", "BY"],
        rows: policies.iter().map(row).collect(),
    }
}

fn trouble(overview: &Overview, now: Timestamp) -> Option<(String, Table)> {
    let trouble = &overview.trouble;
    let mut rows = Vec::new();
    add(&mut rows, "rejected", &trouble.rejected, |Rejected { errors, file }| match errors.items.first() {
        Some(error) => {
            let field = if error.field.is_empty() { String::new() } else { format!("{}: ", error.field) };
            let more =
                if errors.total > 1 { format!("; {} errors in all", errors.total) } else { String::new() };
            (format!("{file}:{}", error.line), format!("{field}{}{more}", error.message))
        }
        None => (file.clone(), String::new()),
    });
    for (kind, policies) in [("no filter", &trouble.no_filter), ("inactive", &trouble.inactive)] {
        add(&mut rows, kind, policies, |PolicyInTrouble { name, reason, .. }| (name.clone(), reason.clone()));
    }
    for (kind, filters) in [("lagging", &trouble.lagging), ("gone", &trouble.gone)] {
        add(&mut rows, kind, filters, |FilterInTrouble { last_contact, node, .. }| {
            (pod(node).to_owned(), format!("polled {}", relative(last_contact.0, now)))
        });
    }
    (!rows.is_empty()).then(|| ("Trouble".to_owned(), Table { headings: &["KIND", "WHAT", "WHY"], rows }))
}

fn add<T>(rows: &mut Vec<Vec<Cell>>, kind: &str, list: &Listed<T>, show: impl Fn(&T) -> (String, String)) {
    let row = |what: &str, why: &str| vec![Cell::painted(kind, Colour::Bad), Cell::new(what), Cell::new(why)];
    rows.extend(list.items.iter().map(show).map(|(what, why)| row(&what, &why)));
    if list.more() > 0 {
        let more = if list.items.is_empty() { "" } else { " more" };
        rows.push(row(&format!("{}{more}", list.more()), ""));
    }
}

fn recent(recent: &[Recent], now: Timestamp) -> Option<(String, Table)> {
    let row = |entry: &Recent| {
        let named: Vec<_> = entry.policies.items.iter().take(NAMES).map(String::as_str).collect();
        let more = entry.policies.total.saturating_sub(named.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let because = entry.because.as_ref().map(|because| format!(" by {because}")).unwrap_or_default();
        vec![
            Cell::new(relative(entry.at.0, now)),
            Cell::new(entry.what.as_str()),
            Cell::new(format!("{}{more}", named.join(", "))),
            Cell::new(format!("{}{because}", entry.why.as_str())),
            Cell::new(commit(entry.commit.as_ref())),
        ]
    };
    let rows: Vec<_> = recent.iter().take(RECENT).map(row).collect();
    let headings = &["WHEN", "WHAT", "POLICIES", "WHY", "BY"];
    (!rows.is_empty()).then(|| ("Recent".to_owned(), Table { headings, rows }))
}

fn moment(time: Option<Time>, now: Timestamp) -> String {
    time.map(|Time(time)| relative(time, now)).unwrap_or_default()
}

/// A commit by its author, its id and its subject.
fn commit(commit: Option<&HistoryCommit>) -> String {
    let shown = |HistoryCommit { author, id, subject, .. }: &HistoryCommit| {
        format!("{author} {}: {subject}", short_revision(id))
    };
    commit.map(shown).unwrap_or_default()
}
