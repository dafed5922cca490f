//! `hfi status`: all that is happening, on one screen.

mod screen;
#[cfg(test)]
mod tests;

use std::{
    io::{IsTerminal as _, stdout},
    ops::ControlFlow::{self, Break, Continue},
    process::ExitCode,
};

use clap::Args;

use self::screen::screen;
use super::{
    console::{DONE, NOT_RIGHT, error, next, print, print_styled, try_print_styled},
    following::{Told, follow_overviews},
    output::Output,
    server::{ServerArgs, failed},
    terminal::Terminal,
};
use crate::{api::overview::Overview, client::Failure};

/// Show what is happening, on one screen: what holds, what is in force, what comes, what is wrong, and what came and
/// went
///
/// Ends with 1 if something needs a look: NOT SURE, STALE, WITHDRAWN, MAY STILL INJECT, or any trouble. That something
/// is injected, or halted, is no trouble.
#[derive(Debug, Args)]
pub struct Status {
    /// The output format
    #[arg(short, long, default_value = "table", value_parser = Output::lists())]
    output: Output,

    /// Go on with each change, at most one a second
    #[arg(short, long)]
    watch: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// Clears the screen of a terminal.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

impl Status {
    pub async fn run(self) -> ExitCode {
        let Self { output, watch, server } = self;
        let client = match server.client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let overview: Overview = match client.get(&["v1", "overview"], &[]).await {
            Ok(overview) => overview,
            Err(failure) => return not_told(&failure),
        };
        if watch {
            // A server that has no overview sends none, and would say nothing for ever.
            return follow_overviews(&client, async |told| show_again(output, &told)).await;
        }
        match output {
            Output::Table | Output::Github => print_styled(&screen(&overview, Terminal::of_stdout())),
            Output::Json | Output::Yaml => print(&output.render(&overview, String::new)),
        }
        ExitCode::from(if overview.is_right() { DONE } else { NOT_RIGHT })
    }
}

/// Shows an overview in the place of the last one; in a file or a pipe, after it.
fn show_again(output: Output, told: &Told) -> ControlFlow<ExitCode> {
    let Told::Overview(overview) = told else { return Continue(()) };
    let text = match output {
        Output::Table | Output::Github => {
            let before = if stdout().is_terminal() { CLEAR } else { "" };
            let after = if stdout().is_terminal() { "" } else { "\n" };
            format!("{before}{}{after}", screen(overview, Terminal::of_stdout()))
        }
        // Texts and numbers can always be written.
        Output::Json => serde_json::to_string(overview).unwrap_or_default() + "\n",
        Output::Yaml => format!("---\n{}", output.render(overview, String::new)),
    };
    if try_print_styled(&text) { Continue(()) } else { Break(ExitCode::from(DONE)) }
}

fn not_told(failure: &Failure) -> ExitCode {
    if failure.status() == Some(404) {
        error("the server is older than this command, and has no overview");
        next("`hfi policy list` and `hfi filters` show what it knows");
        return ExitCode::from(NOT_RIGHT);
    }
    failed(failure)
}
