//! A line on stderr that tells how far a command is. Elsewhere than on a terminal there is none.

use std::io::{IsTerminal as _, Write as _, stderr};

/// The width of the bar, in columns.
const WIDTH: usize = 20;

/// The line. It is cleared when it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { is_terminal: stderr().is_terminal() }
    }

    /// Shows how many of all are done, and a text of at most about 50 columns.
    pub(crate) fn show(&self, done: usize, all: usize, text: &str) {
        self.write(&format!("{} {text}", bar(done, all)));
    }

    fn write(&self, line: &str) {
        if self.is_terminal {
            // Nothing else can be done about a terminal that is gone.
            let _ = write!(stderr(), "\r\u{1b}[K{line}").and_then(|()| stderr().flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.write("");
    }
}

fn bar(done: usize, all: usize) -> String {
    let filled = (WIDTH * done.min(all)).checked_div(all).unwrap_or(0);
    format!("[{}{}]", "#".repeat(filled), "-".repeat(WIDTH - filled))
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_is_full_when_all_is_done() {
        assert_eq!(bar(0, 0), "[--------------------]");
        assert_eq!(bar(1, 3), "[######--------------]");
        assert_eq!(bar(3, 3), "[####################]");
        assert_eq!(bar(4, 3), bar(3, 3));
    }
}
