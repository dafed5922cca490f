//! Retries.

use crate::{
    field::Field,
    rules::{
        routes,
        subject::{Out, Rule, Subject},
    },
    values::RETRY_CONDITIONS,
};

pub(super) const RULES: &[Rule] = &[Rule::new("VS20", vs20), Rule::new("VS21", vs21), Rule::new("H24", h24)];

fn retries<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (Field<'a>, Field<'a>)> + use<'a> {
    routes::http(subject).filter_map(|route| Some((route.get("retries").set()?, route)))
}

fn vs20(subject: &Subject, out: &mut Out) {
    for (retries, _) in retries(subject) {
        let attempts = retries.integer_of("attempts").unwrap_or_default();
        if attempts < 0 {
            out.error(&retries.get("attempts"), format!("is {attempts}"), "write 0 for no retries");
        }
        for name in ["perTryTimeout", "retryOn", "retryRemoteLocalities"] {
            if attempts == 0 && !retries.get(name).is_empty() {
                out.error(
                    &retries.get(name),
                    "stands beside no attempts",
                    "write `attempts`, or leave it out",
                );
            }
        }
    }
}

fn vs21(subject: &Subject, out: &mut Out) {
    for (retries, _) in retries(subject) {
        let at = retries.get("retryOn");
        for word in at.text().unwrap_or_default().split(',') {
            let is_status = word.parse().is_ok_and(|status: u16| (100..=599).contains(&status));
            if word.contains(' ') {
                out.error(
                    &at,
                    format!("has a blank in `{word}`"),
                    "write the conditions with commas only, as in `5xx,reset`",
                );
            } else if !(at.is_empty() || is_status || RETRY_CONDITIONS.contains(&word)) {
                out.error(
                    &at,
                    format!("has `{word}`"),
                    format!("known are status codes and {}", RETRY_CONDITIONS.join(", ")),
                );
            }
        }
    }
}

fn h24(subject: &Subject, out: &mut Out) {
    const ALSO_AFTER_WORK: [&str; 3] = ["5xx", "gateway-error", "retriable-4xx"];
    for (retries, route) in retries(subject) {
        let at = retries.get("retryOn");
        let words: Vec<_> = at.text().unwrap_or_default().split(',').collect();
        if let Some(word) = words.iter().find(|word| word.parse().is_ok_and(|status: u16| status < 400)) {
            out.warning(&at, format!("has `{word}`, which is a success"), "write the codes of errors");
        }
        let by_method =
            !route.get("match").is_empty() && route.get("match").items().all(|wanted| wanted.has("method"));
        if let Some(word) = words.iter().find(|word| ALSO_AFTER_WORK.contains(word)).filter(|_| !by_method) {
            let right = "match the method, or retry on `connect-failure,refused-stream` only";
            out.warning(&at, format!("has `{word}`, which repeats writes too"), right);
        }
    }
}
