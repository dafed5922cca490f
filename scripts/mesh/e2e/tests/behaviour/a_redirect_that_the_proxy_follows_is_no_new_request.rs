use std::time::Duration;

use anyhow::Result;
use harness::{Answer, Envoy, Load, Mesh, Request, Sidecar, everywhere, expected};

/// Paths that lead to what comes after them, and the number of redirects on the way.
const REDIRECTS: [(&str, usize); 2] = [("/redirect-whole", 1), ("/redirect-whole/redirect-whole", 2)];

/// All rules but the first two apply to a path and to its redirects.
const POLICIES: &str = r#"
metadata: {name: edge}
spec:
  selector: {service: edge, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /target}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {regex: /half$}}, fault: {percentage: 50, abort: {httpStatus: 503}}}
    - {match: {path: {regex: /held$}}, fault: {percentage: 100, delay_ms: 200}}
---
metadata: {name: shadow}
spec:
  selector: {service: edge, namespace: demo}
  mode: shadow
  rules:
    - {match: {path: {regex: /shadow$}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
"#;

#[tokio::test]
async fn at_a_sidecar() -> Result<()> {
    decides_once(|edge| edge).await
}

#[tokio::test]
async fn at_a_gateway_with_two_plugins() -> Result<()> {
    decides_once(|edge| edge.gateway().with_plugin("boifi.hfi-outbound")).await
}

async fn decides_once(change: impl FnOnce(Sidecar) -> Sidecar) -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    mesh.publish("policies.yaml", POLICIES).await?;
    let edge = mesh.sidecar("edge").following_redirects(2);
    let envoy = Envoy::start(change(edge), &mesh.client).await?;
    everywhere(envoy.address(), &Request::get("/settled"), Answer::aborted).await?;

    for (number, (redirect, times)) in (1..).zip(REDIRECTS) {
        let load = async |path: &str, requests| {
            let request = Request::get(&format!("{redirect}{path}"));
            Load::of(request, requests).run(&mesh.client, &[envoy.address()]).await
        };
        // The rules are those for the path that the client asks for.
        let before = mesh.upstream.requests();
        assert_eq!(load("/target", 20).await?.with_status(200), 20, "{redirect}");
        assert_eq!(mesh.upstream.requests() - before, 20 * (1 + times), "the proxy follows {redirect}");

        let held = load("/held", 20).await?;
        assert_eq!(held.delayed(), 20, "{redirect}");
        let median = held.percentile(0.5);
        assert!(median < Duration::from_millis(390), "{redirect}: requests were held for {median:?}");
        assert_eq!(envoy.stat("hfi.faults.delays_total").await?, 20 * number);

        load("/shadow", 20).await?;
        assert_eq!(envoy.stat("hfi.faults.shadow_total").await?, 20 * number);

        // Two draws would be 75 %.
        let aborted = load("/half", 1000).await?.aborted();
        assert!(expected(1000, 0.5, 0.99999).contains(&aborted), "{redirect}: {aborted} of 1000");
    }

    // Envoy leaves a redirect that names no whole address to its client.
    let relative = mesh.client.send(envoy.address(), &Request::get("/redirect/target")).await?;
    assert_eq!(relative.status, 302);
    Ok(())
}
