use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mesh::{Behaviour, Load, Poll, Reply, Request};
use tokio::task::JoinSet;

use crate::scripted::{Scripted, aborting};

#[tokio::test]
async fn and_a_series_of_them_is_warned_of_once() -> Result<()> {
    let other = aborting(599)?;
    let cases = [
        ("an error", Reply::error(500)),
        ("garbage that is rightly labelled", Reply::garbage(b"hfi\x01garbage".to_vec())),
        ("a body that is not what its label says", Reply::with(&other).labelled_as(&aborting(598)?)),
        ("a body without its end", Reply::with(&other).cut_short()),
        ("an answer that is not the control plane's", Reply::with(&other).from_somebody_else()),
        ("more than a proxy takes", Reply::garbage(vec![0; 40 << 20])),
    ];
    let mut running = JoinSet::new();
    for (name, bad) in cases {
        running.spawn(async move { two_series_of(name, bad).await.context(name) });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// Good answers, bad ones, good ones, and all of it again.
async fn two_series_of(name: &str, bad: Reply) -> Result<()> {
    let scripted = Scripted::start(Behaviour::Serve(aborting(501)?)).await?;
    scripted.answers(501).await?;
    let mut failed = 0;
    for series in 1..=2 {
        let since = Instant::now();
        let of_series = |poll: &&Poll| poll.ended.is_some_and(|ended| ended > since);
        scripted.control_plane.becomes(Behaviour::Say(bad.clone()));
        let three = |polls: &[Poll]| polls.iter().filter(of_series).count() >= 3;
        scripted.control_plane.polled("three bad answers", three).await?;
        all_get(&scripted, 500 + series).await?;

        scripted.control_plane.becomes(Behaviour::Serve(aborting(501 + series)?));
        failed += scripted.control_plane.polls().iter().filter(of_series).count() as u64;
        scripted.answers(501 + series).await?;
        assert_eq!(scripted.envoy.stat("hfi.sync.failures_total").await?, failed, "{name}");
        let warnings = scripted.envoy.warnings()?;
        assert_eq!(warnings.len(), usize::from(series), "{name}: {warnings:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn nor_does_one_that_never_comes() -> Result<()> {
    let scripted = Scripted::start(Behaviour::Serve(aborting(501)?)).await?;
    scripted.answers(501).await?;
    let since = Instant::now();
    scripted.control_plane.becomes(Behaviour::Hang);
    // Two seconds is longer than any poll is held that is answered.
    let hangs = |poll: &Poll| poll.ended.is_none() && poll.began.elapsed() > Duration::from_secs(2);
    let polls = scripted.control_plane.polled("a poll to hang", |polls| polls.iter().any(hangs)).await?;
    let hung = polls.iter().position(hangs).context("it hangs")?;
    scripted.control_plane.becomes(Behaviour::Serve(aborting(502)?));
    // A held poll may take ten seconds longer than the one that it asks to be held.
    while polls[hung].began.elapsed() < Duration::from_secs(10) {
        all_get(&scripted, 501).await?;
    }
    scripted.answers(502).await?;
    println!("the poll was given up, and the next one in force, after {:?}", since.elapsed());
    let ended = scripted.control_plane.polls()[hung].ended;
    let lasted = ended.context("it was given up")? - polls[hung].began;
    assert!(lasted > Duration::from_secs(10) && lasted < Duration::from_secs(14), "{lasted:?}");
    assert_eq!(scripted.envoy.stat("hfi.sync.failures_total").await?, 1);
    let warnings = scripted.envoy.warnings()?;
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    Ok(())
}

async fn all_get(scripted: &Scripted, status: u16) -> Result<()> {
    let load = Load::of(Request::get("/"), 100);
    let tally = load.run(&scripted.client, &[scripted.envoy.address()]).await?;
    assert_eq!((tally.with_status(status), tally.aborted()), (100, 100));
    assert!(tally.percentile(1.0) < Duration::from_secs(1), "{:?}", tally.percentile(1.0));
    Ok(())
}
