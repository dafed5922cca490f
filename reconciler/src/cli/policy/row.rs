//! A policy as a row of a table.

use policies::Timestamp;

use crate::{
    api::{
        first_generation::FaultType,
        policy_status::{PolicyState, PolicyStatus},
        status::Status,
        time::Time,
    },
    cli::{
        console::warning,
        moment::relative,
        server::tell_missing,
        table::{Cell, Table},
        terminal::Colour,
    },
};

const NARROW: [&str; 6] = ["NAME", "STATE", "TARGET", "FAULT", "ENDS", "NOTE"];
const WIDE: [&str; 9] = ["NAME", "STATE", "TARGET", "FAULT", "RULES", "STARTS", "ENDS", "FILE", "NOTE"];

/// The most errors of rejected files that are told beside a listing.
const ERRORS: usize = 10;

/// The reason why no policy is in force, whatever its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    None,
    Halted,
    Withdrawn,
}

impl Hold {
    pub(super) fn of(status: &Status) -> Self {
        match status {
            Status { halted: true, .. } => Self::Halted,
            Status { withdrawn: Some(_), .. } => Self::Withdrawn,
            _ => Self::None,
        }
    }

    /// The state of a policy, with this hold.
    pub(super) fn state(self, state: PolicyState) -> (&'static str, Colour) {
        match (self, state) {
            (Self::Halted, PolicyState::Active) => ("halted", Colour::Bad),
            (Self::Withdrawn, PolicyState::Active) => ("withdrawn", Colour::Bad),
            (_, PolicyState::Active) => ("active", Colour::Good),
            (_, PolicyState::Inactive) => ("inactive", Colour::Bad),
            (_, PolicyState::Halted) => ("halted", Colour::Bad),
            (_, PolicyState::Scheduled) => ("scheduled", Colour::Attention),
            (_, state) => (state.as_str(), Colour::Faint),
        }
    }
}

/// The table of policies.
pub(super) fn table<'a>(
    policies: impl IntoIterator<Item = &'a PolicyStatus>,
    hold: Hold,
    now: Timestamp,
    wide: bool,
) -> Table {
    let headings = if wide { &WIDE[..] } else { &NARROW[..] };
    let rows = policies.into_iter().map(|policy| row(policy, hold, now, wide));
    Table { headings, rows: rows.collect() }
}

pub(super) fn row(policy: &PolicyStatus, hold: Hold, now: Timestamp, wide: bool) -> Vec<Cell> {
    let (state, colour) = hold.state(policy.state);
    let mut row = vec![
        Cell::new(&policy.name),
        Cell::painted(state, colour),
        Cell::new(policy.targets.to_string()),
        Cell::new(FaultType::list(&policy.first_generation.fault_types)),
    ];
    let exact = |time: Option<Time>| Cell::new(time.map(String::from).unwrap_or_default());
    if wide {
        row.push(Cell::new(policy.first_generation.rules_count.to_string()));
        row.extend([policy.starts_at, policy.ends_at].map(exact));
        row.push(Cell::new(format!("{}:{}", policy.file, policy.line)));
    } else {
        row.push(Cell::new(policy.ends_at.map(|Time(end)| relative(end, now)).unwrap_or_default()));
    }
    row.push(Cell::painted(note(policy, now), Colour::Attention));
    row
}

fn note(policy: &PolicyStatus, now: Timestamp) -> String {
    let mut notes = Vec::new();
    match (policy.state, policy.starts_at) {
        (PolicyState::Scheduled, Some(Time(start))) => notes.push(format!("starts {}", relative(start, now))),
        (PolicyState::Inactive, _) => notes.push("no such namespace".to_owned()),
        _ => {}
    }
    notes.extend(policy.no_proxy.is_some().then(|| "no proxy polls for it".to_owned()));
    match policy.warnings.len() {
        0 => {}
        1 => notes.push("1 warning".to_owned()),
        warnings => notes.push(format!("{warnings} warnings")),
    }
    notes.join(", ")
}

/// Tells on stderr of what a listing does not show: holds, a source that cannot be read, and files with errors.
pub(super) fn tell(status: &Status) {
    if status.halted {
        warning("everything is halted: no policy is in force");
    }
    if let Some(reason) = &status.withdrawn {
        warning(format_args!("no policy is in force: {reason}"));
    }
    if let Some(failing) = &status.source.failing {
        let since = String::from(failing.since);
        warning(format_args!("Git is not read since {since}, so this may be old: {}", failing.reason));
    }
    tell_missing(&status.missing);
    let errors: Vec<_> = status.rejected.iter().flat_map(|rejected| &rejected.errors).collect();
    for error in errors.iter().take(ERRORS) {
        let field = if error.field.is_empty() { String::new() } else { format!("{}: ", error.field) };
        warning(format_args!(
            "not in force: {}:{}:{}: {field}{}",
            error.file, error.line, error.column, error.message
        ));
    }
    if let Some(more) = errors.len().checked_sub(ERRORS).filter(|more| *more > 0) {
        warning(format_args!("and {more} more errors in files"));
    }
}
