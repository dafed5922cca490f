use anyhow::Result;
use harness::{Answer, Envoy, Mesh, Request, Sidecar, everywhere};

/// Each path is that of one rule.
const POLICY: &str = r#"
metadata: {name: real}
spec:
  selector: {service: edge, namespace: demo}
  rules:
    - {match: {path: {exact: /settled}}, fault: {percentage: 100, abort: {httpStatus: 503}}}
    - {match: {path: {exact: /held}}, fault: {percentage: 100, delay_ms: 50}}
    - match: {path: {exact: /marked}, headers: [{name: x-hfi-fault, present: true}]}
      fault: {percentage: 100, abort: {httpStatus: 501}}
"#;

/// With every name under which a client could pretend that the proxy has decided.
fn forged(path: &str) -> Request {
    let marks = [("x-hfi-fault", "delay"), ("x-hfi-policy", "forged"), ("x-hfi-policy", "forged-too")];
    let decided = ["hfi", "hfi_decided", "wasm.hfi_decided", "x-hfi-decided"].map(|name| (name, "1"));
    marks
        .into_iter()
        .chain(decided)
        .fold(Request::get(path), |request, (name, value)| request.header(name, value))
}

#[tokio::test]
async fn in_its_one_plugin() -> Result<()> {
    removes_them(Sidecar::gateway).await
}

#[tokio::test]
async fn in_the_first_of_two_plugins() -> Result<()> {
    removes_them(|edge| edge.gateway().with_plugin("boifi.hfi-outbound")).await
}

async fn removes_them(change: impl FnOnce(Sidecar) -> Sidecar) -> Result<()> {
    let mesh = Mesh::start(&[]).await?;
    let edge = Sidecar::of("edge", mesh.upstream.address()).following(mesh.reconciler.address());
    let envoy = Envoy::start(change(edge), &mesh.client).await?;
    // Without a policy too.
    let is_clean = |answer: &Answer| answer.status == 200 && marks(answer) == (None, None);
    assert!(is_clean(&mesh.client.send(envoy.address(), &forged("/")).await?));

    mesh.publish("policy.yaml", POLICY).await?;
    everywhere(envoy.address(), &forged("/settled"), Answer::aborted).await?;
    for path in ["/", "/marked"] {
        let answer = mesh.client.send(envoy.address(), &forged(path)).await?;
        assert!(is_clean(&answer), "{path}: {answer:?}");
    }
    let answer = mesh.client.send(envoy.address(), &forged("/held")).await?;
    assert_eq!(marks(&answer), (Some("delay".to_owned()), Some("real".to_owned())));
    assert_eq!(envoy.stat("hfi.faults.delays_total").await?, 1);
    Ok(())
}

/// In the mesh they are the workload's own.
#[tokio::test]
async fn and_a_sidecar_lets_them_pass() -> Result<()> {
    let mesh = Mesh::start(&[("frontend", 1)]).await?;
    let answer = mesh.client.send(mesh.addresses("frontend")[0], &forged("/")).await?;
    assert_eq!(answer.seen_by_workload("x-hfi-fault").as_deref(), Some("delay"));
    Ok(())
}

fn marks(answer: &Answer) -> (Option<String>, Option<String>) {
    (answer.seen_by_workload("x-hfi-fault"), answer.seen_by_workload("x-hfi-policy"))
}
