use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Behaviour, Load, Poll, Reply, Request, Snapshot};
use tokio::task::JoinSet;

use crate::policies::policy;
use crate::scripted::{Scripted, aborting};

/// The most bytes that the filter takes.
const LARGEST: usize = 4 << 20;
/// The most that a policy may say in an answer.
const LONGEST_TEXT: usize = 64 << 10;

#[tokio::test]
async fn and_a_series_of_them_is_warned_of_once() -> Result<()> {
    let other = aborting(599)?;
    let cases = [
        ("an error", Reply::error(500)),
        ("that no format is acceptable", Reply::error(406)),
        ("garbage that is rightly labelled", Reply::garbage(b"hfi\x01garbage".to_vec())),
        ("a body that is not what its label says", Reply::with(&other).labelled_as(&aborting(598)?)),
        ("a body without its end", Reply::with(&other).cut_short()),
        ("an answer that is not the control plane's", Reply::with(&other).from_somebody_else()),
        ("more than Envoy takes", Reply::garbage(vec![0; 40 << 20])),
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

/// It is what it says, and could be put in force; but to do so would hold traffic up.
#[tokio::test]
async fn nor_does_a_good_one_that_is_too_large() -> Result<()> {
    let too_large = |size| aborting_at_length(599, size).map(|large| Reply::with(&large));
    let (by_a_byte, by_far) = tokio::try_join!(
        two_series_of("too large by a byte", too_large(LARGEST + 1)?),
        two_series_of("too large by far", too_large(LARGEST + (1 << 20))?),
    )?;
    for warning in by_a_byte.iter().chain(&by_far) {
        assert!(warning.contains(&format!("more than {LARGEST} bytes")), "{warning}");
    }
    Ok(())
}

/// Its filter may be older than the control plane: an upgrade of the one must not stop the faults of
/// the other.
#[tokio::test]
async fn nor_does_one_in_a_format_that_is_not_known() -> Result<()> {
    let newer = Reply::garbage(b"hfi	of a later release".to_vec()).of_type("application/vnd.hfi.snapshot.v9");
    for warning in two_series_of("a newer format", newer).await? {
        for part in ["format 9", "application/vnd.hfi.snapshot.v9", "deploy"] {
            assert!(warning.contains(part), "{part}: {warning}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn but_one_that_is_just_not_too_large_does() -> Result<()> {
    let scripted = Scripted::start(Behaviour::Serve(aborting(501)?)).await?;
    scripted.answers(501).await?;
    scripted.control_plane.becomes(Behaviour::Serve(aborting_at_length(502, LARGEST)?));
    scripted.answers(502).await?;
    assert_eq!(scripted.envoy.warnings()?, [""; 0]);
    Ok(())
}

/// A snapshot of this size by which every request to `frontend` is aborted with this status. Most of
/// it is what requests would be told that nobody sends.
fn aborting_at_length(status: u16, size: usize) -> Result<Snapshot> {
    let with = |rest: usize| {
        let fault = format!("percentage: 100, abort: {{httpStatus: {status}}}");
        let mut files = vec![policy("errors", "frontend", &fault)];
        for number in 0..size / LONGEST_TEXT {
            let text = "x".repeat(if number == 0 { rest } else { LONGEST_TEXT });
            let fault = format!("percentage: 100, abort: {{httpStatus: 500, body: {text}}}");
            let file = policy(&format!("wordy-{number:02}"), "frontend", &fault);
            files.push(file.replace("- fault", "- match: {path: {exact: /nowhere}}\n      fault"));
        }
        Snapshot::of_all(&files)
    };
    let half = LONGEST_TEXT / 2;
    let snapshot = with(half + size - with(half)?.size())?;
    assert_eq!(snapshot.size(), size);
    Ok(snapshot)
}

/// Good answers, bad ones, good ones, and all of it again.
async fn two_series_of(name: &str, bad: Reply) -> Result<Vec<String>> {
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
    scripted.envoy.warnings()
}

#[tokio::test]
async fn nor_does_one_that_never_comes() -> Result<()> {
    let scripted = Scripted::start(Behaviour::Serve(aborting(501)?)).await?;
    scripted.answers(501).await?;
    // A poll that does not name the plugins of its proxy yet is renewed once they are known.
    let names_plugins = |polls: &[Poll]| polls.iter().any(|poll| poll.header("x-hfi-plugins").is_some());
    scripted.control_plane.polled("a poll that names the plugins", names_plugins).await?;
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
    // The other end of a connection sees later that it was closed.
    let is_over = |polls: &[Poll]| polls[hung].ended.is_some();
    let polls = scripted.control_plane.polled("the poll to be given up", is_over).await?;
    let lasted = polls[hung].ended.context("it was given up")? - polls[hung].began;
    assert!(lasted > Duration::from_secs(10) && lasted < Duration::from_secs(14), "{lasted:?}");
    assert_eq!(scripted.envoy.stat("hfi.sync.failures_total").await?, 1);
    let warnings = scripted.envoy.warnings()?;
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    Ok(())
}

async fn all_get(scripted: &Scripted, status: u16) -> Result<()> {
    let load = Load::of(Request::get("/"), 100);
    let results = load.run(&scripted.client, &[scripted.envoy.address()]).await?;
    assert_eq!((results.with_status(status), results.aborted()), (100, 100));
    assert!(results.percentile(1.0) < Duration::from_secs(1), "{:?}", results.percentile(1.0));
    Ok(())
}
