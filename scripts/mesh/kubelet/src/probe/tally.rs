//! The answers of a probe in a row.

/// Counts like answers.
#[derive(Debug)]
pub(super) struct Tally {
    successes: u32,
    failures: u32,
    last: Option<bool>,
    count: u32,
}

impl Tally {
    /// The thresholds for good and for bad answers.
    pub(super) fn new(successes: u32, failures: u32) -> Self {
        Self { successes, failures, last: None, count: 0 }
    }

    /// Adds an answer, and returns what is so once enough in a row are alike.
    pub(super) fn add(&mut self, good: bool) -> Option<bool> {
        self.count = if self.last == Some(good) { self.count.saturating_add(1) } else { 1 };
        self.last = Some(good);
        let needed = if good { self.successes } else { self.failures };
        (self.count >= needed).then_some(good)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn only_answers_in_a_row_reach_a_threshold() {
        let mut tally = Tally::new(2, 3);
        let answers = [true, false, false, true, true, true, false, false, false, false, true, true];
        let verdicts: Vec<_> = answers.into_iter().map(|good| tally.add(good)).collect();
        let (yes, no) = (Some(true), Some(false));
        let expected = [None, None, None, None, yes, yes, None, None, no, no, None, yes];
        assert_eq!(verdicts, expected);
    }
}
