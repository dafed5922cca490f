//! The figures as they are printed: a line for each.

use std::fmt::Display;
use std::time::Duration;

use anyhow::Result;

use crate::story::{Asked, Story};

/// The figures so far.
#[derive(Debug)]
pub(crate) struct Report {
    story: Asked,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    figures: usize,
    failures: usize,
    elsewhere: usize,
}

impl Report {
    /// Begins with the first of some stories.
    pub(crate) fn begin(story: Story) -> Result<Self> {
        Ok(Self { story: story.asked()?, counts: Counts::default() })
    }

    /// Begins a story: prints its title.
    pub(crate) fn story(&mut self, story: Story) -> Result<()> {
        self.story = story.asked()?;
        println!("\n{}  {}", self.story.id, self.story.title);
        Ok(())
    }

    /// Prints what a figure of the story asks, what was measured, and whether it holds.
    pub(crate) fn figure(&mut self, name: &str, measured: impl Display, holds: bool) -> Result<()> {
        let criterion = self.story.criterion(name)?;
        self.counts.figures += 1;
        self.counts.failures += usize::from(!holds);
        let verdict = if holds { "ok" } else { "FAIL" };
        let (id, asks) = (&criterion.id, criterion.asks());
        println!("  {id:<6}  {asks:<56}  {:<42}  {verdict}", measured.to_string());
        Ok(())
    }

    /// A figure that is a time: it must not exceed its limit.
    pub(crate) fn time(&mut self, name: &str, measured: Duration) -> Result<()> {
        self.within(name, measured, Milliseconds(measured))
    }

    /// A time as well, of which there is more to say than its length.
    pub(crate) fn within(&mut self, name: &str, time: Duration, measured: impl Display) -> Result<()> {
        let holds = time <= self.limit(name)?;
        self.figure(name, measured, holds)
    }

    /// The time that a figure allows.
    pub(crate) fn limit(&self, name: &str) -> Result<Duration> {
        self.story.criterion(name)?.time()
    }

    /// The share that a figure allows, between 0 and 1.
    pub(crate) fn share(&self, name: &str) -> Result<f64> {
        self.story.criterion(name)?.share()
    }

    /// Ends a story, perhaps before its last figure, and names those that only a cluster can show.
    pub(crate) fn ends(&mut self, outcome: Result<()>) {
        for criterion in self.story.of_cluster() {
            self.counts.elsewhere += 1;
            let (id, asks, name) = (&criterion.id, criterion.asks(), &self.story.name);
            println!("  {id:<6}  {asks:<56}  not here: scripts/e2e/{name}");
        }
        if let Err(error) = outcome {
            self.counts.figures += 1;
            self.counts.failures += 1;
            println!("  FAIL: the rest of this story was not played: {error:#}");
        }
    }

    /// Prints the whole in one line, and returns whether every figure holds.
    pub(crate) fn conclude(self) -> bool {
        let Counts { figures, failures, elsewhere } = self.counts;
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
