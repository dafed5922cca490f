//! The cost of the regexes of many files. Those of one file are limited, but small files can be many.

use std::collections::HashSet;

use super::{file::File, file_regexes::FileRegexes};

/// The memory and the work that the regexes of some files take.
#[derive(Debug, Default)]
pub struct RegexCost {
    /// The addresses of what is counted already: a file may have several paths, and regexes share maps.
    counted: HashSet<usize>,
    bytes: usize,
    steps: usize,
}

/// The error of files whose regexes take too much.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegexExcess {
    #[error("the compiled regexes of all files take more than {} bytes", RegexCost::MAX_BYTES)]
    Bytes,
    #[error("to compile the regexes of all files takes more than {} steps", RegexCost::MAX_STEPS)]
    Steps,
}

impl RegexCost {
    /// The most memory, in bytes.
    pub const MAX_BYTES: usize = 32 << 20;

    /// The most steps to compile them: about ten seconds.
    pub const MAX_STEPS: usize = 1_000_000_000;

    /// Adds the regexes of a file. Those that it has in an invalid document only take steps.
    pub fn add(&mut self, file: &File) -> Result<(), RegexExcess> {
        let FileRegexes { steps, table_bytes, maps } = &file.regexes;
        self.steps = self.steps.saturating_add(*steps);
        if self.steps > Self::MAX_STEPS {
            return Err(RegexExcess::Steps);
        }
        let table = (std::ptr::from_ref(file) as usize, *table_bytes);
        let parts = Some(table).filter(|_| *table_bytes > 0).into_iter().chain(maps.iter().copied());
        for (address, size) in parts {
            self.bytes += if self.counted.insert(address) { size } else { 0 };
        }
        if self.bytes > Self::MAX_BYTES { Err(RegexExcess::Bytes) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{File, RegexCost, RegexExcess};

    fn file(regexes: impl Iterator<Item = String>) -> File {
        let rule = |regex| {
            format!("{{match: {{path: {{regex: '{regex}'}}}}, fault: {{percentage: 1, delay_ms: 1}}}}")
        };
        let rules: Vec<_> = regexes.map(rule).collect();
        File::read(format!("metadata: {{name: a}}\nspec: {{rules: [{}]}}", rules.join(", ")).as_bytes())
    }

    #[test]
    fn tables_of_many_small_files_are_counted() {
        let table = || file([String::from("^a{9000}b")].into_iter());
        let (one, other) = (table(), table());
        let mut cost = RegexCost::default();
        cost.add(&one).unwrap();
        let of_one = cost.bytes;
        assert!(of_one > 70_000, "{of_one}");
        cost.add(&one).unwrap();
        assert_eq!(cost.bytes, of_one, "it is counted already");
        cost.bytes = RegexCost::MAX_BYTES;
        assert_eq!(cost.add(&other), Err(RegexExcess::Bytes));
    }

    #[test]
    fn maps_are_counted_once() {
        let mut cost = RegexCost::default();
        let files: Vec<_> = (0..100).map(|number| file([format!(r"\w{number}")].into_iter())).collect();
        files.iter().for_each(|file| cost.add(file).unwrap());
        assert!((4_000..40_000).contains(&cost.bytes), "{}", cost.bytes);
    }

    #[test]
    fn what_is_refused_takes_steps() {
        let (mut cost, refused) = (RegexCost::default(), file([String::from("[ab]*a[ab]{14}c")].into_iter()));
        assert!(refused.documents.is_empty() && refused.regexes.steps > 1_000_000);
        let files = RegexCost::MAX_STEPS / refused.regexes.steps;
        (0..files).for_each(|_| cost.add(&refused).unwrap());
        assert_eq!(cost.add(&refused), Err(RegexExcess::Steps));
    }
}
