//! `hfi status`: all that is happening, on one screen.

mod screen;
#[cfg(test)]
mod tests;

use std::{
    io::{IsTerminal as _, stdout},
    ops::ControlFlow::{self, Break, Continue},
    process::ExitCode,
    time::Instant,
};

use clap::Args;
use policies::Timestamp;

use self::screen::{lost, screen, watched};
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
        let client = match server.clone().client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let overview: Overview = match client.get(&["v1", "overview"], &[]).await {
            Ok(overview) => overview,
            Err(failure) => return not_told(&failure),
        };
        if watch {
            // A server that has no overview sends none, and would say nothing for ever.
            let mut known = None;
            return follow_overviews(&server, client, async |told| match told {
                Told::Snapshot(_) => Continue(()),
                Told::Overview(overview) => show_again(output, &known.insert(Known::new(*overview)).overview),
                Told::Moment => known.as_ref().map_or(Continue(()), |known| show_moment(output, known)),
                Told::Lost(heard) => {
                    known.take().map_or(Continue(()), |last| show_lost(output, &last, heard))
                }
            })
            .await;
        }
        match output {
            Output::Table | Output::Github => print_styled(&screen(&overview, Terminal::of_stdout())),
            Output::Json | Output::Yaml => print(&output.render(&overview, String::new)),
        }
        ExitCode::from(if overview.is_right() { DONE } else { NOT_RIGHT })
    }
}

/// The last overview.
struct Known {
    overview: Overview,
    came: Instant,
}

impl Known {
    fn new(overview: Overview) -> Self {
        Self { overview, came: Instant::now() }
    }

    /// A later time by the clock of the server.
    fn at(&self, time: Instant) -> Timestamp {
        let later = time.saturating_duration_since(self.came).as_millis();
        self.overview.at.0.plus_millis(u64::try_from(later).unwrap_or(u64::MAX))
    }
}

/// Shows an overview in the place of the last one.
fn show_again(output: Output, overview: &Overview) -> ControlFlow<ExitCode> {
    let text = match output {
        Output::Table | Output::Github => {
            return replace(&watched(overview.at.0, overview, Terminal::of_stdout()));
        }
        // Texts and numbers can always be written.
        Output::Json => serde_json::to_string(overview).unwrap_or_default() + "\n",
        Output::Yaml => format!("---\n{}", output.render(overview, String::new)),
    };
    put(&text)
}

/// Lets the times of a screen go on. A file or a pipe gets what the server tells, and nothing else.
fn show_moment(output: Output, known: &Known) -> ControlFlow<ExitCode> {
    match output {
        Output::Table | Output::Github if stdout().is_terminal() => {
            replace(&watched(known.at(Instant::now()), &known.overview, Terminal::of_stdout()))
        }
        _ => Continue(()),
    }
}

/// Says that the last overview is not up to date any more. Programs read the next one, and nothing else.
fn show_lost(output: Output, last: &Known, heard: Instant) -> ControlFlow<ExitCode> {
    match output {
        Output::Table | Output::Github => {
            replace(&lost(&last.overview, last.at(heard), Terminal::of_stdout()))
        }
        Output::Json | Output::Yaml => Continue(()),
    }
}

/// Shows a screen in the place of the last one; in a file or a pipe, after it.
fn replace(screen: &str) -> ControlFlow<ExitCode> {
    let (before, after) = if stdout().is_terminal() { (CLEAR, "") } else { ("", "\n") };
    put(&format!("{before}{screen}{after}"))
}

/// Prints a text; ends if nobody reads it.
fn put(text: &str) -> ControlFlow<ExitCode> {
    if try_print_styled(text) { Continue(()) } else { Break(ExitCode::from(DONE)) }
}

fn not_told(failure: &Failure) -> ExitCode {
    if failure.status() == Some(404) {
        error("the server is older than this command, and has no overview");
        next("`hfi policy list` and `hfi filters` show what it knows");
        return ExitCode::from(NOT_RIGHT);
    }
    failed(failure)
}
