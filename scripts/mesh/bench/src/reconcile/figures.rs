//! The measured figures, as a line of a table.

use std::{fmt, time::Duration};

use super::{peer::Cost, world::Transport};
use crate::median;

/// Of one repository.
pub(crate) struct Figures {
    pub(crate) transport: Transport,
    pub(crate) files: usize,
    /// Before the first change, beside the one that adds the files.
    pub(crate) commits: usize,
    /// From the notification to the answer.
    pub(crate) seen: Vec<Duration>,
    /// Of all changes together.
    pub(crate) processor: Duration,
    pub(crate) peer: Vec<Cost>,
    pub(crate) cold_start: Duration,
    pub(crate) clone: Duration,
    /// After the start, after all changes, and at its highest, in bytes.
    pub(crate) memory: [u64; 3],
}

impl Figures {
    pub(crate) const HEADS: [&'static str; 2] = [
        "                        notified to new digest            git fetch            processor time            cold start   git clone               resident MiB",
        "over      files commits      ms   slowest (of)              ms   ratio      ours     git    ratio           ms          ms    start changed highest",
    ];
    pub(crate) const LEGEND: &'static str = "
one policy of one file is changed; medians, and means of processor time, in ms; changes and fetches of
the same change in turns; the peer is `git fetch` into a bare clone, over the same transport";
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
        let changes = self.seen.len();
        let seen = millis(median(self.seen.clone()));
        let slowest = millis(self.seen.iter().max().copied().unwrap_or_default());
        let fetch = millis(median(self.peer.iter().map(|cost| cost.wall).collect()));
        let ours = millis(self.processor) / changes as f64;
        let theirs = millis(self.peer.iter().map(|cost| cost.processor).sum()) / self.peer.len() as f64;
        let transport = match self.transport {
            Transport::Http => "http",
            Transport::Local => "a path",
        };
        let [start, changed, highest] = self.memory.map(|bytes| bytes as f64 / f64::from(1 << 20));
        write!(
            f,
            "{transport:<7}{:>8}{:>8}{seen:>8.1}{slowest:>9.1} ({changes:>3}){fetch:>16.1}{:>8.2}{ours:>10.1}{theirs:>8.1}{:>9.2}{:>13.0}{:>12.0}{start:>9.1}{changed:>8.1}{highest:>8.1}",
            self.files,
            self.commits,
            seen / fetch,
            ours / theirs,
            millis(self.cold_start),
            millis(self.clone),
        )
    }
}
