use std::time::Duration;

use anyhow::Result;
use harness::{Behaviour, Client, Deadline, Poll, Request, Sidecar};

use crate::scripted::{Scripted, aborting};

/// As Istio changes a plugin: it gives the running proxy another listener. Envoy then has two
/// configurations for as long as the old listener is drained.
#[tokio::test]
async fn without_a_request_that_escapes() -> Result<()> {
    let mut scripted = Scripted::with(Behaviour::Serve(aborting(501)?), Sidecar::reconfigurable).await?;
    scripted.answers(501).await?;
    scripted.control_plane.polled("polls of the first configuration", |polls| polls.len() > 3).await?;

    let changed = scripted.sidecar.clone().plugin("poll_wait_seconds", 2.into());
    scripted.envoy.reconfigure(changed)?;
    // Until the new configuration has had an answer of its own, and a while longer.
    let deadline = Deadline::of("polls of the new configuration", Duration::from_secs(20));
    while of(&scripted.control_plane.polls(), "wait=2").count() < 2 {
        // Over a new connection: those that are there stay with the old listener.
        let answer = Client::new()?.send(scripted.envoy.address(), &Request::get("/")).await?;
        assert_eq!(answer.status, 501);
        deadline.pause().await?;
    }

    // The old one, if it went on, would begin two polls in the time of one of these.
    let only_new = |polls: &[Poll]| of(polls.get(polls.len() - 3..).unwrap_or(polls), "wait=2").count() == 3;
    let polls = scripted.control_plane.polled("the old configuration to end", only_new).await?;
    for configuration in ["wait=1", "wait=2"] {
        let polls: Vec<&Poll> = of(&polls, configuration).collect();
        let in_turn = |pair: &[&Poll]| pair[0].ended.is_some_and(|ended| ended <= pair[1].began);
        assert!(polls.windows(2).all(in_turn), "two polls of one configuration at once: {polls:#?}");
    }
    scripted.control_plane.becomes(Behaviour::Serve(aborting(502)?));
    scripted.answers(502).await
}

fn of<'a>(polls: &'a [Poll], configuration: &'a str) -> impl Iterator<Item = &'a Poll> {
    polls.iter().filter(move |poll| poll.header("prefer") == Some(configuration))
}
