//! With `--kubernetes`, replicas elect one by a Lease.

use std::{fs, time::Duration};

use harness::KubeApi;
use tokio::time::Instant;

use crate::{
    support::cluster::{peer, start, until},
    support::policy,
    support::process::{Process, text},
};

async fn leads(hfi: &Process) -> bool {
    hfi.metric("hfi_leader").await == Some(1.0)
}

#[tokio::test]
async fn one_of_two_leads_and_the_other_succeeds_it() {
    let api = KubeApi::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let environment = [("HFI_DIR", text(folder.path()))];
    let mut first = start(&api, "hfi", &environment).await;
    peer(&first, "the first leads", |peer| peer["leader"] == true).await;
    let second = start(&api, "hfi", &environment).await;
    let known = peer(&second, "the second knows who leads", |peer| peer["holder"].is_string()).await;
    assert_eq!(known["leader"], false);
    assert_eq!(known["holder"], first.json("/v1/policies/status").await["kubernetes"]["holder"]);
    assert_eq!((leads(&first).await, leads(&second).await), (true, false));

    // Asked to end, it gives the Lease up: the next try of the other one, every 2 s, takes it.
    let asked = Instant::now();
    first.signal("TERM");
    until("the second leads", Duration::from_secs(5), async || leads(&second).await.then_some(())).await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert!(first.ended(Duration::from_secs(10)).await.success());

    // Killed, it cannot: the Lease has to run out.
    let third = start(&api, "hfi", &environment).await;
    peer(&third, "the third knows who leads", |peer| peer["holder"].is_string()).await;
    let killed = Instant::now();
    drop(second);
    until("the third leads", Duration::from_secs(20), async || leads(&third).await.then_some(())).await;
    assert!(killed.elapsed() > Duration::from_secs(10), "before it was sure: {:?}", killed.elapsed());
    let lease =
        api.get("/apis/coordination.k8s.io/v1/namespaces/boifi/leases/hfi-control-plane").await.unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 3, "{lease}");
}
