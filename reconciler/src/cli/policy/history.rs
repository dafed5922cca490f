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
    use unicode_width::UnicodeWidthStr as _;

    use super::{HistoryCommit, table};
    use crate::cli::terminal::Terminal;

    const EIGHTY: Terminal = Terminal { has_colours: false, width: Some(80) };

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
        let commits = [commit("alice", "Apply checkout-errors"), commit("ci", "Game\u{1b}[2Jday")];
        let now = Timestamp::from_millis(1_000_000_090_000);
        let narrow = "\
COMMIT        TIME       AUTHOR  SUBJECT
4f1d4f1d4f1d  1m30s ago  alice   Apply checkout-errors
4f1d4f1d4f1d  1m30s ago  ci      Game\\u001b[2Jday
";
        assert_eq!(table(&commits, now, false).render(EIGHTY), narrow);
        let wide = table(&commits, now, true).render(Terminal::default());
        let whole = format!("{}  2001-09-09T01:46:40Z  alice ", "4f1d".repeat(10));
        assert!(wide.contains(&whole), "{wide}");
    }

    #[test]
    fn long_names_and_a_thousand_commits_keep_their_columns() {
        let commits = vec![commit(&"n".repeat(63), &"s".repeat(200)); 1_000];
        let text = table(&commits, Timestamp::from_millis(0), false).render(EIGHTY);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 1_001);
        assert!(lines.iter().all(|line| line.width() <= 80) && lines[1].ends_with('…'), "{}", lines[1]);
        let pipe = table(&commits, Timestamp::from_millis(0), false).render(Terminal::default());
        assert!(pipe.lines().all(|line| line.contains("AUTHOR") || line.ends_with(&"s".repeat(200))));
    }
}
