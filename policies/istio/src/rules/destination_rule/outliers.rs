//! Outlier detection.

use super::blocks;
use crate::rules::subject::{Out, Rule, Subject};

pub(super) const RULES: &[Rule] = &[Rule::new("DR09", dr09), Rule::new("DR10", dr10), Rule::new("H05", h05)];

fn dr09(subject: &Subject, out: &mut Out) {
    for detection in blocks(subject, "outlierDetection") {
        for name in ["maxEjectionPercent", "minHealthPercent"] {
            let at = detection.get(name);
            if let Some(percent) = at.integer().filter(|percent| !(0..=100).contains(percent)) {
                out.error(&at, format!("is {percent}"), "a percentage is from 0 to 100");
            }
        }
    }
}

fn dr10(subject: &Subject, out: &mut Out) {
    for detection in blocks(subject, "outlierDetection") {
        let at = detection.get("consecutiveLocalOriginFailures");
        if at.integer().is_some_and(|failures| failures > 0)
            && !detection.flag("splitExternalLocalOriginErrors")
        {
            out.error(&at, "counts only beside `splitExternalLocalOriginErrors: true`", "write that too");
        }
    }
}

/// The field that `DR11` warns of does more harm than Istio says.
fn h05(subject: &Subject, out: &mut Out) {
    for detection in blocks(subject, "outlierDetection") {
        if detection.has("consecutiveErrors") {
            let at = detection.get("consecutiveErrors");
            out.error(&at, "does nothing: no Istio since 1.5 reads it", "write `consecutive5xxErrors`");
        }
    }
}
