//! Rules of a ProxyConfig.

use super::subject::{Out, Rule, Subject};

pub(super) const TABLES: [&[Rule]; 1] = [&[Rule::new("PC01", pc01)]];

fn pc01(subject: &Subject, out: &mut Out) {
    let at = subject.get("concurrency");
    if let Some(threads) = at.integer().filter(|&threads| threads < 0) {
        out.error(&at, format!("is {threads}"), "write 0 for a thread on each core, or a number of threads");
    }
}
