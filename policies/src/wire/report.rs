//! The report of faults: what the policies did in one proxy, as a poll carries it.
//!
//! ```text
//! x-hfi-faults: 4k2j9x1q;checkout-errors=1000.301.301.0.0.0;_other=12.0.0.0.0.0
//! epoch;name=matched.chosen.aborts.delays.shadow.overflow
//! ```
//!
//! The counts are totals since the epoch began. So a report that is lost, comes twice or comes late changes no
//! sum: the greater total is the newer one. Counts behind the six are those of a newer filter, and are ignored.

use std::fmt;

use super::counts::{Count, FaultCounts};
use crate::language::PolicyName;

/// The longest value of the header, in bytes. A filter tells the policies that are left out in later polls.
pub const MAX_REPORT_BYTES: usize = 1_024;

/// The longest name of an epoch, in bytes.
const MAX_EPOCH_BYTES: usize = 32;

/// The name under which a filter counts the policies that are too many for it. It is no policy's name.
pub const OTHER: &str = "_other";

/// The name of one life of an Envoy process: 1 to 32 of `a-z` and `0-9`. Within it no total falls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(Box<str>);

/// The name that faults are counted under: that of a policy, or [`OTHER`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountedName {
    Policy(PolicyName),
    Other,
}

/// The totals of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRow {
    pub name: CountedName,
    pub counts: FaultCounts,
}

/// A report that fits into the header. No name is in it twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReport {
    epoch: Epoch,
    rows: Vec<FaultRow>,
}

impl Epoch {
    /// Reads a name; `None` if it is none.
    pub fn parse(name: &str) -> Option<Self> {
        let is_name = (1..=MAX_EPOCH_BYTES).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        is_name.then(|| Self(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CountedName {
    /// Reads the name of a policy, or [`OTHER`]; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        if name == OTHER {
            return Some(Self::Other);
        }
        PolicyName::try_from(name.to_owned()).ok().map(Self::Policy)
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Policy(name) => name.as_str(),
            Self::Other => OTHER,
        }
    }
}

impl FaultRow {
    /// Reads a row without the semicolon before it; `None` if it is none.
    pub fn parse(row: &str) -> Option<Self> {
        let (name, counts) = row.split_once('=')?;
        let counts: Vec<_> = counts.split('.').map(Count::parse).collect::<Option<_>>()?;
        let [known, ..] = counts.as_chunks().0 else { return None };
        Some(Self { name: CountedName::parse(name)?, counts: FaultCounts::from_array(*known) })
    }
}

impl FaultReport {
    /// The report of the first of these rows, as many as fit. Rows with a name that is there already are left out.
    pub fn fill(epoch: Epoch, rows: impl IntoIterator<Item = FaultRow>) -> Self {
        let mut report = Self { epoch, rows: Vec::new() };
        let mut length = report.epoch.as_str().len();
        for row in rows {
            if report.names(&row.name) {
                continue;
            }
            length += row.to_string().len();
            if length > MAX_REPORT_BYTES {
                break;
            }
            report.rows.push(row);
        }
        report
    }

    /// Reads the value of the header; `None` if it is not a report.
    pub fn parse(value: &str) -> Option<Self> {
        // Before anything of it is kept.
        if value.len() > MAX_REPORT_BYTES {
            return None;
        }
        let mut parts = value.split(';');
        let mut report = Self { epoch: Epoch::parse(parts.next()?)?, rows: Vec::new() };
        for part in parts {
            let row = FaultRow::parse(part).filter(|row| !report.names(&row.name))?;
            report.rows.push(row);
        }
        Some(report)
    }

    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    pub fn rows(&self) -> &[FaultRow] {
        &self.rows
    }

    /// True if a row has this name.
    fn names(&self, name: &CountedName) -> bool {
        self.rows.iter().any(|row| row.name == *name)
    }
}

impl fmt::Display for FaultRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [matched, chosen, aborts, delays, shadow, overflow] = self.counts.into_array();
        write!(f, ";{}={matched}.{chosen}.{aborts}.{delays}.{shadow}.{overflow}", self.name.as_str())
    }
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.epoch.as_str())?;
        self.rows.iter().try_for_each(|row| row.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Count, CountedName, Epoch, FaultCounts, FaultReport, FaultRow, MAX_REPORT_BYTES};

    fn row(name: &str, counts: [u64; 6]) -> FaultRow {
        let counts = FaultCounts::from_array(counts.map(Count::saturating));
        FaultRow { name: CountedName::parse(name).unwrap(), counts }
    }

    fn epoch(name: &str) -> Epoch {
        Epoch::parse(name).unwrap()
    }

    #[test]
    fn its_text_is_this() {
        let rows = [row("checkout-errors", [1_000, 301, 300, 1, 2, 3]), row("_other", [12, 0, 0, 0, 0, 0])];
        let report = FaultReport::fill(epoch("4k2j9x1q"), rows.clone());
        let text = "4k2j9x1q;checkout-errors=1000.301.300.1.2.3;_other=12.0.0.0.0.0";
        assert_eq!(report.to_string(), text);
        let read = FaultReport::parse(text).unwrap();
        assert_eq!((read.epoch().as_str(), read.rows()), ("4k2j9x1q", &rows[..]));
        assert_eq!(FaultReport::parse("e").unwrap().rows(), [], "nothing was counted");
    }

    #[test]
    fn counts_of_newer_filters_are_ignored() {
        let newer = FaultReport::parse("e;a=1.2.3.4.5.6.7.8;b=1.1.1.1.1.1").unwrap();
        assert_eq!(newer.rows(), [row("a", [1, 2, 3, 4, 5, 6]), row("b", [1; 6])]);
    }

    #[test]
    fn what_is_no_report_is_nothing() {
        let (greatest, too_great) = ("9007199254740991", "9007199254740992");
        assert!(FaultReport::parse(&format!("e;a={greatest}.0.0.0.0.0")).is_some());
        for bad in [
            "",
            ";",
            "e;",
            ";a=1.1.1.1.1.1",
            "E;a=1.1.1.1.1.1",
            "e-1;a=1.1.1.1.1.1",
            "é;a=1.1.1.1.1.1",
            "e; a=1.1.1.1.1.1",
            "e;a=1.1.1.1.1.1;",
            "e;a=1.1.1.1.1.1;a=2.2.2.2.2.2",
            "e;a=1.1.1.1.1",
            "e;a=",
            "e;a",
            "e;=1.1.1.1.1.1",
            "e;a=1.1.1.1.1.1.",
            "e;a=1.1.1.1.1.1.x",
            "e;a=1..1.1.1.1.1",
            "e;a=01.1.1.1.1.1",
            "e;a=+1.1.1.1.1.1",
            "e;a=-1.1.1.1.1.1",
            "e;a=1 .1.1.1.1.1",
            "e;a=1e3.1.1.1.1.1",
            "e;A=1.1.1.1.1.1",
            "e;_others=1.1.1.1.1.1",
            "e;<b>=1.1.1.1.1.1",
            "e;a=b=1.1.1.1.1.1",
            &format!("e;a={too_great}.0.0.0.0.0"),
            &format!("e;a={}.0.0.0.0.0", "9".repeat(30)),
            &format!("e;{}=1.1.1.1.1.1", "a".repeat(64)),
            &format!("{};a=1.1.1.1.1.1", "e".repeat(33)),
            &format!("e{}", ";a=1.1.1.1.1.1".repeat(80)),
        ] {
            assert_eq!(FaultReport::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_header_holds_some_rows_however_long_they_are() {
        let longest = |number: u64| row(&format!("{}{number}", "a".repeat(62)), [u64::MAX; 6]);
        let report = FaultReport::fill(epoch(&"e".repeat(32)), (0..10).map(longest));
        assert_eq!(report.rows().len(), 5);
        assert!(report.to_string().len() <= MAX_REPORT_BYTES);
    }

    fn any_row() -> impl Strategy<Value = FaultRow> {
        let name = prop_oneof![Just("_other".to_owned()), "[a-z0-9]", "[a-z0-9][a-z0-9-]{0,61}[a-z0-9]"];
        let count = prop_oneof![0..100_u64, any::<u64>()];
        (name, proptest::array::uniform6(count)).prop_map(|(name, counts)| row(&name, counts))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_read_as_it_was_written(
            epoch in "[a-z0-9]{1,32}",
            rows in proptest::collection::vec(any_row(), 0..60)
        ) {
            let report = FaultReport::fill(Epoch::parse(&epoch).unwrap(), rows.clone());
            let text = report.to_string();
            prop_assert!(text.len() <= MAX_REPORT_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(FaultReport::parse(&text), Some(report.clone()));
            // The first rows, in their order, and as many as fit.
            let mut distinct: Vec<FaultRow> = Vec::new();
            for row in rows {
                if distinct.iter().all(|known| known.name != row.name) {
                    distinct.push(row);
                }
            }
            prop_assert!(distinct.starts_with(report.rows()));
            if let Some(next) = distinct.get(report.rows().len()) {
                prop_assert!(text.len() + next.to_string().len() > MAX_REPORT_BYTES);
            }
        }

        #[test]
        fn whatever_is_read_is_a_value_of_the_header(
            value in "[a-c]{0,3}(;[a_o]{1,3}=[0-9]{1,17}([.][0-9]{0,2}){4,7}){0,4}|[a-c0-3;=._-]{0,40}|\\PC{0,200}"
        ) {
            if let Some(report) = FaultReport::parse(&value) {
                prop_assert_eq!(FaultReport::parse(&report.to_string()), Some(report));
            }
        }
    }
}
