//! A server of archives that fails holds a worker of the real kustomize-controller for some seconds, with the arguments that
//! `flux/` ships. A server that hangs holds it until it ends: hfi answers in time or is killed by its probe.

use std::time::Duration;

use harness::KubeApi;
use tokio::{
    io::AsyncReadExt as _,
    net::TcpListener,
    time::{Instant, timeout},
};

use crate::support::{
    archive_server::ArchiveServer,
    flux::{self, free},
    links::{add_link, bring_tenant, link, until_applied},
};

/// Flux pauses for five seconds before its only retry. The rest is for a busy machine: with the retries that it has by default
/// it would be three and a half minutes.
const HELD: Duration = Duration::from_secs(15);

/// Longer than a server that fails holds a worker.
const LONGER: Duration = Duration::from_secs(8);

/// A cluster with one worker, and a link to an archive beside the one that cannot be had.
struct World {
    api: KubeApi,
    server: ArchiveServer,
    controller: harness::Process,
}

impl World {
    /// Waits until the other link has applied something new.
    async fn goes_on(&self, what: &str) {
        let began = Instant::now();
        self.server.publish(&self.api, "other", "well", what).await;
        until_applied(&self.api, &[what], || self.controller.log().unwrap()).await;
        let took = began.elapsed();
        println!("{what}: the other link went on after {took:.1?}");
        assert!(took < HELD, "{what}: {took:?}; {}", self.controller.log().unwrap());
    }
}

#[tokio::test]
async fn a_worker_is_held_for_seconds_by_a_server_that_fails() {
    let api = KubeApi::start().await.unwrap();
    api.create_namespace("hfi-istio").await.unwrap();
    flux::define(&api, &["flux-source"]).await;
    bring_tenant(&api).await;
    let folder = tempfile::tempdir().unwrap();
    let controller = flux::apply_with(&api, folder.path(), 1);
    let world = World { api, server: ArchiveServer::start().await, controller };
    let World { api, server, .. } = &world;
    add_link(api, "other").await;
    add_link(api, "bad").await;
    world.goes_on("at-the-beginning").await;

    for (manner, why) in [("fails", "giving up after 2 attempt(s)"), ("is-cut", "unexpected EOF")] {
        server.publish(api, "bad", manner, manner).await;
        server.asked(manner).await;
        if manner == "is-cut" {
            server.cut();
        }
        world.goes_on(manner).await;
        link(api, "bad", |ready| ready.starts_with("False") && ready.contains(why)).await;
    }

    // Nobody listens there.
    let [address] = free();
    server.publish_at(api, "bad", &format!("http://{address}"), "refuses").await;
    link(api, "bad", |ready| ready.starts_with("Unknown")).await;
    world.goes_on("refuses").await;

    // It hangs: it takes the request, and never answers. Until it is killed, nothing else goes on.
    let listener = TcpListener::bind(address).await.unwrap();
    server.publish_at(api, "bad", &format!("http://{address}"), "hangs").await;
    let (mut held, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert!(held.read_buf(&mut request).await.unwrap() > 0);
    }
    server.publish(api, "other", "waits", "waits").await;
    assert!(timeout(LONGER, server.asked("waits")).await.is_err(), "the one worker was not held");
    drop((held, listener));
    server.asked("waits").await;
    world.goes_on("hangs").await;
}
