//! The results that the policies say some requests get, and the check that they got them.

use std::fmt;
use std::time::Duration;

use super::results::{Results, expected};

/// For [`expected`], so that chance alone makes a program fail once in some hundred thousand runs.
pub const CONFIDENCE: f64 = 0.999_999;

/// The results that the policies in force say some requests get.
#[derive(Debug, Clone, Copy)]
pub enum Expectation {
    /// Nothing: each reaches the workload at once.
    Untouched,
    /// This share is answered with 503, the others reach the workload at once.
    Aborted {
        /// Between 0 and 1.
        share: f64,
    },
    /// Each reaches the workload, this much later.
    Delayed {
        /// The least delay.
        by: Duration,
    },
}

impl Expectation {
    /// True if the requests got what the policies say.
    pub fn holds(self, results: &Results) -> bool {
        let all = results.requests();
        let passed = results.with_status(200);
        match self {
            Self::Untouched => passed == all && results.delayed() == 0,
            Self::Aborted { share } => {
                expected(all, share, CONFIDENCE).contains(&results.aborted())
                    && results.with_status(503) == results.aborted()
                    && passed + results.aborted() == all
                    && results.delayed() == 0
            }
            Self::Delayed { by } => {
                passed == all && results.delayed() == all && results.percentile(0.0) >= by
            }
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untouched => f.write_str("nothing"),
            Self::Aborted { share } => write!(f, "503 for {:.0} %", share * 100.0),
            Self::Delayed { by } => write!(f, "{} ms later", by.as_millis()),
        }
    }
}
