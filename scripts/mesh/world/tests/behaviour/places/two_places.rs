//! Each proxy on the way throws its own dice, and those that stick to a user agree.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use harness::{CONFIDENCE, Load, Request, expected};

use super::town::Town;

const REQUESTS: usize = 600;

pub(super) const POLICIES: &str = "\
metadata: {name: twice}
spec:
  rules:
    - {match: {path: {exact: /twice}}, fault: {percentage: 50, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /sticky}}, fault: {percentage: 50, stickyBy: x-user, abort: {httpStatus: 503}}}
";

pub(super) async fn throw_twice_or_agree(town: &Town) -> Result<()> {
    let request = |path: &str| Request::get(path).header("host", "shop.example.com");
    let results = town.outside().load(town.edge, Load::of(request("/twice"), REQUESTS)).await?;
    let share = results.aborted();
    ensure!(expected(REQUESTS, 0.75, CONFIDENCE).contains(&share), "{share} of {REQUESTS}");

    let users = || (0..REQUESTS).map(|user| request("/sticky").header("x-user", &user.to_string()));
    let mut chosen = Vec::new();
    for address in [town.edge, town.edge, town.cart] {
        let answers = town.outside().send(address, users().collect()).await?;
        let hit = answers.iter().enumerate().filter(|(_, answer)| answer.aborted());
        chosen.push(hit.map(|(user, _)| user).collect::<BTreeSet<_>>());
    }
    let share = chosen.first().map_or(0, BTreeSet::len);
    ensure!(expected(REQUESTS, 0.5, CONFIDENCE).contains(&share), "{share} of {REQUESTS} users");
    ensure!(chosen.windows(2).all(|two| two.first() == two.last()), "not the same users: {chosen:?}");
    Ok(())
}
