//! The table of an act: a row per kind of request, drawn again while the answers come in.

use std::io::{IsTerminal, Write, stdout};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use harness::{Expectation, Load, Results};

/// Narrow enough for any terminal: a line that wraps cannot be drawn over.
const HEAD: &str = "requests                  sent   200   503  p50 ms  p99 ms  policies say";

/// Equal requests to one service, and what they should get.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) service: &'static str,
    pub(crate) load: Load,
    pub(crate) expectation: Expectation,
    pub(crate) results: Arc<Mutex<Results>>,
}

impl Row {
    /// True if its requests got what the policies say.
    pub(crate) fn holds(&self) -> bool {
        self.expectation.holds(&self.results())
    }

    fn results(&self) -> Results {
        self.results.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn line(&self, verdict: Option<bool>, colour: bool) -> String {
        let Self { title, expectation, .. } = self;
        let results = self.results();
        let (sent, passed, failed) = (results.requests(), results.with_status(200), results.with_status(503));
        let [p50, p99] = [0.5, 0.99].map(|share| milliseconds(results.percentile(share)));
        let verdict = match (verdict, colour) {
            (None, _) => "...",
            (Some(true), false) => "ok",
            (Some(false), false) => "FAIL",
            (Some(true), true) => "\x1b[32mok\x1b[0m",
            (Some(false), true) => "\x1b[1;31mFAIL\x1b[0m",
        };
        let expectation = expectation.to_string();
        format!(
            "  {title:<24} {sent:>5} {passed:>5} {failed:>5} {p50:>7} {p99:>7}  {expectation:<13} {verdict}"
        )
    }
}

/// Draws the rows; on a terminal again and again over themselves, else once at the end.
#[derive(Debug)]
pub(crate) struct Table {
    live: bool,
    drawn: bool,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { live: stdout().is_terminal(), drawn: false }
    }

    /// Draws where the answers stand now.
    pub(crate) fn update(&mut self, rows: &[Row]) -> Result<()> {
        if self.live { self.draw(rows, |_| None) } else { Ok(()) }
    }

    /// Draws the outcome.
    pub(crate) fn conclude(mut self, rows: &[Row]) -> Result<()> {
        self.draw(rows, |row| Some(row.holds()))
    }

    fn draw(&mut self, rows: &[Row], verdict: impl Fn(&Row) -> Option<bool>) -> Result<()> {
        let mut out = stdout().lock();
        if self.drawn {
            write!(out, "\x1b[{}A", rows.len() + 1)?;
        }
        self.drawn = true;
        let head = if self.live { format!("\x1b[2m{HEAD}\x1b[0m") } else { HEAD.to_owned() };
        writeln!(out, "  {head}")?;
        for row in rows {
            writeln!(out, "{}{}", row.line(verdict(row), self.live), if self.live { "\x1b[K" } else { "" })?;
        }
        Ok(out.flush()?)
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1000.0)
}
