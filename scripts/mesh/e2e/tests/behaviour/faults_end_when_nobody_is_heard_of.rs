use std::time::{Duration, Instant};

use anyhow::Result;
use harness::{Answer, Behaviour, Load, Reply, Request, everywhere, first};

use crate::scripted::{Scripted, aborting};

const STALENESS: Duration = Duration::from_secs(3);

#[tokio::test]
async fn for_too_long_and_go_on_after_a_304() -> Result<()> {
    let snapshot = aborting(501)?;
    let scripted = following(Behaviour::Serve(snapshot.clone())).await?;
    let since = Instant::now();
    scripted.control_plane.becomes(Behaviour::Say(Reply::error(500)));
    let passes = |answer: &Answer| answer.status == 200;
    let (address, request) = (scripted.envoy.address(), Request::get("/"));
    let ended = first(&scripted.client, address, &request, passes).await?;
    println!("faults ended {:?} after the last good answer at most", ended - since);
    // The last contact is up to a held poll, which is a second, before the first error.
    assert!(ended - since > STALENESS - Duration::from_millis(1500), "{:?}", ended - since);
    everywhere(address, &request, passes).await?;
    // One for the answers that fail, one for what became of it.
    let warnings = scripted.envoy.warnings()?;
    assert!(warnings.len() <= 2, "{warnings:#?}");

    let since = Instant::now();
    scripted.control_plane.becomes(Behaviour::Say(Reply::not_modified(&snapshot)));
    scripted.answers(501).await?;
    // So it still has what is not to be sent again.
    let polls = scripted.control_plane.polls();
    let mut asked = polls.iter().filter(|poll| poll.began > since);
    let etag = snapshot.etag();
    assert!(asked.all(|poll| poll.header("if-none-match") == Some(&etag)), "{polls:#?}");
    Ok(())
}

#[tokio::test]
async fn but_not_as_long_as_304s_come() -> Result<()> {
    let scripted = following(Behaviour::Serve(aborting(501)?)).await?;
    let since = Instant::now();
    while since.elapsed() < STALENESS + Duration::from_secs(2) {
        let load = Load::of(Request::get("/"), 100);
        let results = load.run(&scripted.client, &[scripted.envoy.address()]).await?;
        assert_eq!(results.with_status(501), 100);
    }
    Ok(())
}

/// A proxy with a snapshot in force that it may trust for a short time.
async fn following(behaviour: Behaviour) -> Result<Scripted> {
    let short = STALENESS.as_secs().into();
    let scripted =
        Scripted::with(behaviour, |sidecar| sidecar.plugin("max_staleness_seconds", short)).await?;
    scripted.answers(501).await?;
    Ok(scripted)
}
