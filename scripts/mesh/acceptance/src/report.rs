//! The figures as they are printed: a line for each scenario.

use std::fmt::Display;
use std::time::Duration;

use anyhow::Result;

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: usize,
    failures: usize,
    elsewhere: usize,
}

impl Report {
    /// A story begins.
    pub(crate) fn story(&self, id: &str, title: &str) {
        println!("\n{id}  {title}");
    }

    /// What a scenario asks, what was measured, and whether that is what it asks.
    pub(crate) fn figure(&mut self, id: &str, asked: &str, measured: impl Display, holds: bool) {
        self.figures += 1;
        self.failures += usize::from(!holds);
        let verdict = if holds { "ok" } else { "FAIL" };
        println!("  {id:<6}  {asked:<56}  {:<42}  {verdict}", measured.to_string());
    }

    /// A time that must not exceed what is allowed.
    pub(crate) fn time(&mut self, id: &str, asked: &str, measured: Duration, allowed: Duration) {
        self.figure(id, asked, Milliseconds(measured), measured <= allowed);
    }

    /// A scenario that only a cluster can show.
    pub(crate) fn elsewhere(&mut self, id: &str, asked: &str, script: &str) {
        self.elsewhere += 1;
        println!("  {id:<6}  {asked:<56}  not here: {script}");
    }

    /// A story has ended, perhaps before its last scenario.
    pub(crate) fn ends(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.figures += 1;
            self.failures += 1;
            println!("  FAIL: the rest of this story was not played: {error:#}");
        }
    }

    /// Says the whole in one line, and returns whether all is well.
    pub(crate) fn conclude(self) -> bool {
        let Self { figures, failures, elsewhere } = self;
        let verdict = match failures {
            0 => format!("ok: all {figures} figures are as asked"),
            _ => format!("FAIL: {failures} of {figures} figures are not as asked"),
        };
        println!("\n{verdict}; {elsewhere} more need a cluster: scripts/e2e/all");
        failures == 0
    }
}

/// A time as it is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Milliseconds(pub(crate) Duration);

impl Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ms", self.0.as_millis())
    }
}
