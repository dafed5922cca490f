use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Behaviour, Reply};

use crate::scripted::{Scripted, aborting};

#[tokio::test]
async fn of_a_proxy_that_weakens_it() -> Result<()> {
    let scripted = follows_through(Reply::weakly_labelled).await?;
    assert_eq!(scripted.envoy.warnings()?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn of_a_proxy_that_removes_it_which_is_warned_of_once() -> Result<()> {
    let scripted = follows_through(Reply::unlabelled).await?;
    let warnings = scripted.envoy.warnings()?;
    assert!(warnings.len() == 1 && warnings[0].contains("the answer has no ETag"), "{warnings:#?}");
    Ok(())
}

/// Every change gets through, and polls are held as ever.
async fn follows_through(change: fn(Reply) -> Reply) -> Result<Scripted> {
    let scripted = Scripted::start(Behaviour::Relay(aborting(501)?, change)).await?;
    scripted.answers(501).await?;
    let next = aborting(502)?;
    scripted.control_plane.becomes(Behaviour::Relay(next.clone(), change));
    scripted.answers(502).await?;

    let since = Instant::now();
    let held = |polls: &[harness::Poll]| polls.iter().filter(|poll| poll.began > since).count() >= 3;
    let polls = scripted.control_plane.polled("three more polls", held).await?;
    // Each is held for a second.
    assert!(since.elapsed() > Duration::from_millis(1500), "{:?}", since.elapsed());
    let etag = next.etag();
    let mut polls = polls.iter().filter(|poll| poll.began > since);
    assert!(polls.all(|poll| poll.header("if-none-match") == Some(&etag)));
    assert_eq!(scripted.envoy.stat("hfi.sync.failures_total").await?, 0);
    Ok(scripted)
}
