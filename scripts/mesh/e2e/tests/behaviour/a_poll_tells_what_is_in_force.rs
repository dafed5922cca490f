use std::time::Instant;

use anyhow::{Context, Result};
use harness::{Behaviour, Poll};

use crate::scripted::{Scripted, aborting};

#[tokio::test]
async fn and_who_asks() -> Result<()> {
    let first = aborting(501)?;
    let mut scripted = Scripted::start(Behaviour::Serve(first.clone())).await?;
    let carries = |name: &'static str, value: &str| {
        let value = value.to_owned();
        move |poll: &Poll| poll.header(name) == Some(&value)
    };

    let poll = any(&scripted, "a first poll", |_| true).await?;
    assert_eq!(poll.path, "/v1/snapshot?namespace=demo&service=frontend");
    assert_eq!(poll.node, scripted.envoy.node_id());
    let accept = "application/vnd.hfi.snapshot.v2, application/vnd.hfi.snapshot.v1;q=0.5";
    assert_eq!(poll.header("accept"), Some(accept));
    assert_eq!(poll.header("prefer"), Some("wait=1"));
    assert_eq!(poll.header("host"), Some(harness::CONTROL_PLANE));
    assert_eq!((poll.header("if-none-match"), poll.header("x-hfi-revision")), (None, None));

    let poll = any(&scripted, "the digest in a poll", carries("if-none-match", &first.etag())).await?;
    assert_eq!(poll.header("x-hfi-revision"), Some(first.revision()));

    // The same bytes at a newer commit: that is told with a 304.
    scripted.control_plane.becomes(Behaviour::Serve(first.clone().at("main@sha1:newer")));
    let poll = any(&scripted, "the newer commit", carries("x-hfi-revision", "main@sha1:newer")).await?;
    assert_eq!(poll.header("if-none-match"), Some(first.etag().as_str()));

    let second = aborting(502)?;
    scripted.control_plane.becomes(Behaviour::Serve(second.clone()));
    let poll = any(&scripted, "the second digest", carries("if-none-match", &second.etag())).await?;
    assert_eq!(poll.header("x-hfi-revision"), Some(second.revision()));

    // What ran before a restart is not known after it.
    scripted.envoy.kill().await?;
    let since = Instant::now();
    scripted.envoy.restart().await?;
    let of_restarted = |poll: &Poll| poll.began > since;
    let poll = any(&scripted, "a poll after the restart", of_restarted).await?;
    assert_eq!((poll.header("if-none-match"), poll.header("x-hfi-revision")), (None, None));
    scripted.answers(502).await
}

/// Waits for a poll as wanted: the first one.
async fn any(scripted: &Scripted, what: &'static str, wanted: impl Fn(&Poll) -> bool) -> Result<Poll> {
    let polls = scripted.control_plane.polled(what, |polls| polls.iter().any(&wanted)).await?;
    polls.into_iter().find(wanted).context("it was there")
}
