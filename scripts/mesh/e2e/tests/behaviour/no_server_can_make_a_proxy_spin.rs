use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Behaviour, Reply};

use crate::scripted::{Scripted, aborting};

/// Between answers that came before their time and brought nothing.
const EARLY: Duration = Duration::from_secs(1);
/// Between any two polls.
const ALWAYS: Duration = Duration::from_millis(200);

#[tokio::test]
async fn by_answers_that_come_at_once() -> Result<()> {
    let (one, other) = (aborting(501)?, aborting(502)?);
    tokio::try_join!(
        polls_apart("304s", Behaviour::Say(Reply::not_modified(&one)), 4, EARLY),
        polls_apart("the same again", Behaviour::Say(Reply::with(&one)), 4, EARLY),
        polls_apart("something new", Behaviour::Alternate(one.clone(), other), 15, ALWAYS),
    )?;
    Ok(())
}

/// Waits for so many polls more that are answered so, and holds them to the pace.
async fn polls_apart(name: &str, at_once: Behaviour, more: usize, apart: Duration) -> Result<()> {
    let scripted = Scripted::start(Behaviour::Serve(aborting(501)?)).await?;
    scripted.answers(501).await?;
    let since = Instant::now();
    scripted.control_plane.becomes(at_once);
    let polls = scripted
        .control_plane
        .polled("more polls", |polls| polls.iter().filter(|poll| poll.began > since).count() > more)
        .await?;
    let begun: Vec<_> = polls.iter().map(|poll| poll.began).filter(|began| *began > since).collect();
    let took = *begun.last().context("a last one")? - *begun.first().context("a first one")?;
    println!("{name}: {more} more polls in {took:?}");
    // Less is allowed, for what is measured is when they come in.
    assert!(took > (apart * u32::try_from(more)?).mul_f64(0.8), "{name}: {more} more polls in {took:?}");
    Ok(())
}
