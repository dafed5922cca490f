//! Requests whose form is unusual: hosts with a port or capitals, paths with two slashes, and calls that leave the
//! mesh.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use harness::Request;

use super::town::{PARTNER, Town};

pub(super) const POLICIES: &str = "\
metadata: {name: odd-host}
spec:
  selector: {service: gateway-istio, namespace: edge}
  direction: outbound
  destination: {host: shop.example.com}
  rules: [{match: {path: {exact: /odd/host}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: odd-path}
spec:
  selector: {service: gateway-istio, namespace: edge}
  rules: [{match: {path: {prefix: /odd/path}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
---
metadata: {name: odd-callee}
spec:
  selector: {service: web, namespace: shop}
  direction: outbound
  rules: [{match: {path: {exact: /odd/callee}}, fault: {percentage: 100, abort: {httpStatus: 503}}}]
";

pub(super) async fn at_a_gateway(town: &Town) -> Result<()> {
    let mut wrong = Vec::new();
    for (host, path, is_faulted) in [
        ("shop.example.com", "/odd/host", true),
        ("shop.example.com:8443", "/odd/host", true),
        ("SHOP.Example.com", "/odd/host", true),
        ("too.example.com", "/odd/host", false),
        ("shop.example.com", "/odd/path", true),
        ("shop.example.com", "//odd/path", false),
        ("shop.example.com", "/odd//path", false),
        ("shop.example.com", "/ODD/path", false),
        ("shop.example.com", "/%6fdd/path", true),
    ] {
        let answer = town.outside().ask(town.edge, Request::get(path).header("host", host)).await?;
        if answer.aborted() != is_faulted || !(is_faulted || answer.status == 200) {
            wrong.push(format!("{host}{path}: {answer:?}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

pub(super) async fn out_of_the_mesh(town: &Town) -> Result<()> {
    let node = town.world.address();
    let mut wrong = Vec::new();
    for (port, is_faulted) in [
        // A port of which the mesh knows that it is HTTP's.
        (80, true),
        (PARTNER, false),
    ] {
        let request = Request::get("/odd/callee").header("host", "unknown.example");
        let answer = town.web().ask(SocketAddr::from((node, port)), request).await?;
        if answer.aborted() != is_faulted {
            wrong.push(format!("port {port}: {answer:?}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
