//! Figures that filters measure, as they are shown.

use crate::api::{measured::Measured, overview::in_force::Shares};

/// The levels of a line of faults.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The measured share with the requests that it rests on, such as `31% of 1200`; empty if there were none.
pub(crate) fn share(measured: Option<&Measured>) -> String {
    let Some(Measured { share: Some(share), matched, partial, .. }) = measured else { return String::new() };
    // There may be more than are known.
    let at_least = if *partial { "≥" } else { "" };
    format!("{} of {at_least}{matched}", self::measured(*share))
}

/// The part of the requests of the last 60 s that got a fault, such as `30.5%`; empty if there were none.
pub(crate) fn recent_share(measured: Option<&Measured>) -> String {
    measured.and_then(|measured| measured.recent_share).map(self::measured).unwrap_or_default()
}

/// The configured shares, such as `30%`, or `10%-30%` of several rules.
pub(crate) fn configured(Shares { highest, lowest }: Shares) -> String {
    if highest == lowest { percent(highest) } else { format!("{}-{}", percent(lowest), percent(highest)) }
}

/// Faults a second; empty if none are measured.
pub(crate) fn rate(measured: Option<&Measured>) -> String {
    let Some(Measured { per_second, .. }) = measured else { return String::new() };
    match *per_second {
        rate if rate > 0.0 && rate < 0.05 => "<0.1".to_owned(),
        rate if rate < 10.0 => ((rate * 10.0).round() / 10.0).to_string(),
        rate => format!("{rate:.0}"),
    }
}

/// Faults over time as a line of so many columns, higher where there were more; empty without any measure.
pub(crate) fn line(faults: &[f64], columns: usize) -> String {
    if faults.is_empty() || columns == 0 {
        return String::new();
    }
    let sums: Vec<f64> =
        faults.chunks(faults.len().div_ceil(columns)).map(|chunk| chunk.iter().sum()).collect();
    let highest = sums.iter().copied().fold(0.0, f64::max);
    let level = |sum: &f64| {
        // Some is more than none, however few they are beside the most.
        let step = if *sum > 0.0 { 1.0 + (sum / highest * 6.0).floor() } else { 0.0 };
        LEVELS.get(step as usize).copied().unwrap_or('█')
    };
    sums.iter().map(level).collect()
}

/// A measured share, rounded to what requests can tell.
pub(crate) fn measured(share: f64) -> String {
    percent(if share >= 0.01 { (share * 1_000.0).round() / 1_000.0 } else { share })
}

/// A share in percent, with at most four decimals.
fn percent(share: f64) -> String {
    let ten_thousandths = (share * 1_000_000.0).round();
    format!("{}%", ten_thousandths / 10_000.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Measured, Shares, configured, line, rate, recent_share, share};

    fn measured(share: Option<f64>, per_second: f64) -> Measured {
        let time = policies::Timestamp::from_millis(0).into();
        let (aborts, chosen, delays, overflow, shadow) = (0, 0, 0, 0, 0);
        let (filters, matched, partial) = (1, 1_200, false);
        Measured {
            aborts,
            chosen,
            delays,
            filters,
            matched,
            overflow,
            partial,
            per_second,
            recent_share: Some(0.3052),
            shadow,
            share,
            since: time,
        }
    }

    #[test]
    fn a_share_says_on_how_many_requests_it_rests() {
        let told = |value| share(Some(&measured(Some(value), 0.0)));
        assert_eq!(told(0.3083), "30.8% of 1200");
        assert_eq!((told(1.0), told(0.0)), ("100% of 1200".to_owned(), "0% of 1200".to_owned()));
        assert_eq!(told(0.000_12), "0.012% of 1200");
        assert_eq!((share(None), share(Some(&measured(None, 0.0)))), (String::new(), String::new()));
        assert_eq!(
            (recent_share(None), recent_share(Some(&measured(None, 0.0)))),
            (String::new(), "30.5%".to_owned())
        );
        let partial = Measured { partial: true, ..measured(Some(0.5), 0.0) };
        assert_eq!(share(Some(&partial)), "50% of ≥1200");
        assert_eq!(configured(Shares { highest: 0.125, lowest: 0.125 }), "12.5%");
        assert_eq!(configured(Shares { highest: 0.3, lowest: 0.000_057 }), "0.0057%-30%");
    }

    #[test]
    fn a_rate_is_short_and_never_zero_if_there_were_faults() {
        let told = |value| rate(Some(&measured(None, value)));
        let rates = [0.0, 0.01, 0.26, 9.96, 14.4, 1_234.5].map(told);
        assert_eq!(rates, ["0", "<0.1", "0.3", "10", "14", "1234"]);
        assert_eq!(rate(None), "");
    }

    #[test]
    fn a_line_is_higher_where_there_were_more() {
        assert_eq!(line(&[0.0, 0.0, 1.0, 1.0, 100.0, 100.0, 50.0, 50.0], 4), "▁▂█▅");
        assert_eq!(line(&[0.0; 60], 20), "▁".repeat(20));
        assert_eq!((line(&[], 20), line(&[1.0], 0)), (String::new(), String::new()));
    }

    proptest! {
        #[test]
        fn any_line_fits(faults in prop::collection::vec(0.0..1e9_f64, 0..80), columns in 0..30_usize) {
            let told = line(&faults, columns);
            prop_assert!(told.chars().count() <= columns);
            let some = faults.iter().any(|faults| *faults > 0.0) && columns > 0;
            prop_assert_eq!(told.contains('█'), some, "{}", told);
        }
    }
}
