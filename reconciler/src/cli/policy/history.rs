//! `hfi policy history`.

use std::process::ExitCode;

use clap::Args;
use policies::Timestamp;

use super::names::policy_name;
use crate::{
    api::{
        time::Time,
        writes::{History as Commits, HistoryCommit},
    },
    cli::{
        completions::{ArgValueCandidates, policy_names},
        console::{DONE, warning},
        listing::ListOutput,
        moment::{relative, short_revision},
        server::{ServerArgs, failed},
        table::{Cell, Table},
    },
    clock::now,
};

/// List the commits that changed a policy, the newest first
#[derive(Debug, Args)]
pub(super) struct History {
    /// The name of a policy, which may be deleted
    #[arg(value_parser = policy_name, add = ArgValueCandidates::new(policy_names))]
    name: String,

    /// The output format
    #[arg(short, long, default_value = "table")]
    output: ListOutput,

    #[command(flatten)]
    server: ServerArgs,
}

impl History {
    pub(super) async fn run(self) -> ExitCode {
        let Self { name, output, server } = self;
        let client = match server.client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let history: Commits = match client.get(&["v1", "policies", &name, "history"], &[]).await {
            Ok(history) => history,
            Err(failure) => return failed(&failure),
        };
        let ids = history.commits.iter().map(|commit| commit.id.clone());
        output.print(&history, |wide| table(&history.commits, now(), wide), ids);
        if history.partial {
            warning("there are older commits, which were not looked at");
        }
        ExitCode::from(DONE)
    }
}

fn table(commits: &[HistoryCommit], now: Timestamp, wide: bool) -> Table {
    let row = |HistoryCommit { author, id, subject, time: Time(time) }: &HistoryCommit| {
        let time = if wide { time.to_rfc3339() } else { relative(*time, now) };
        let id = if wide { id } else { short_revision(id) };
        vec![Cell::new(id), Cell::new(time), Cell::new(author), Cell::new(subject)]
    };
    Table { headings: &["COMMIT", "TIME", "AUTHOR", "SUBJECT"], rows: commits.iter().map(row).collect() }
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::{HistoryCommit, table};
    use crate::cli::snapshots::{a_thousand_rows_keep_their_columns, table_is_as_in};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_090_000);

    fn commit(author: &str, subject: &str) -> HistoryCommit {
        HistoryCommit {
            author: author.to_owned(),
            id: "4f1d".repeat(10),
            subject: subject.to_owned(),
            time: Timestamp::from_millis(1_000_000_000_000).into(),
        }
    }

    #[test]
    fn a_commit_is_a_line() {
        let commits = [
            commit("alice", "Apply checkout-errors"),
            commit("ci", "Game\u{1b}[2Jday"),
            commit(&"n".repeat(63), &"s".repeat(200)),
        ];
        table_is_as_in("policy-history.txt", |wide| table(&commits, NOW, wide));
        table_is_as_in("policy-history-short.txt", |wide| table(&commits[..2], NOW, wide));
        a_thousand_rows_keep_their_columns(|wide| table(&commits, NOW, wide));
    }
}
