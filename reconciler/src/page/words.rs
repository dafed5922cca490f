//! Figures and times in words.

use policies::Timestamp;

use crate::{
    api::{time::Time, writes::HistoryCommit},
    moment::relative,
};

use super::html::Html;

/// A number, with a blank between each three digits.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("\u{a0}")
}

/// A time as seen from now, which also says exactly when.
pub(super) fn moment(html: &mut Html, time: Time, now: Timestamp) {
    let exact = String::from(time);
    html.markup("<time datetime=\"").text(&exact).markup("\" title=\"").text(&exact).markup("\">");
    html.text(relative(time.0, now)).markup("</time>");
}

/// The same of a time that has come: the clocks of replicas differ.
pub(super) fn past(html: &mut Html, time: Time, now: Timestamp) {
    moment(html, Time(time.0.min(now)), now);
}

/// The end of a policy, if it has one.
pub(super) fn end(html: &mut Html, end: Option<Time>, now: Timestamp) {
    match end {
        Some(end) => moment(html, end, now),
        None => _ = html.markup("<span class=\"none\">never</span>"),
    }
}

/// A commit, by its author and its subject.
pub(super) fn commit(html: &mut Html, commit: Option<&HistoryCommit>) {
    let Some(HistoryCommit { author, id, subject, .. }) = commit else {
        html.markup("<span class=\"none\">not known</span>");
        return;
    };
    html.quoted(author).markup(" <code>").text(id.get(..8).unwrap_or(id)).markup("</code> ");
    html.markup("<span class=\"more\">").quoted(subject).markup("</span>");
}

/// The number of those that are not shown.
pub(super) fn more(html: &mut Html, more: usize) {
    if more > 0 {
        html.markup("<p class=\"note\">and ").text(more).markup(" more</p>");
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn figures_are_short_and_exact() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1\u{a0}000", "1\u{a0}234\u{a0}567"]);
    }
}
