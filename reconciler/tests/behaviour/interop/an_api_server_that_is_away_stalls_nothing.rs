//! With `--kubernetes`, an API server that is away, hangs or refuses costs what it alone can give.

use std::{fs, time::Duration};

use harness::KubeApi;
use tempfile::TempDir;

use crate::{
    support::cluster::{PATIENCE, SOURCE, events, peer, shown, start, start_by, until},
    support::lossy::Lossy,
    support::policy,
    support::process::{Answer, Process, text},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 500)).unwrap();
    folder
}

/// A change reaches a poll that waits for it.
async fn a_change_arrives(hfi: &Process, folder: &TempDir, status: u16) -> Answer {
    let before = hfi.snapshot(CHECKOUT).await;
    let held = hfi.next(CHECKOUT, &before.etag);
    let change = async {
        fs::write(folder.path().join("a.yaml"), policy("a", "checkout", status)).unwrap();
    };
    let begun = tokio::time::Instant::now();
    let (after, ()) = tokio::join!(held, change);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    after
}

fn times(hfi: &Process, message: &str) -> usize {
    hfi.log().lines().filter(|line| line.contains(message)).count()
}

#[tokio::test]
async fn killed_or_hanging_it_is_missed_and_found_again() {
    let mut api = KubeApi::start().await.unwrap();
    let folder = folder();
    let hfi = start(&api, "hfi", &[("HFI_DIR", text(folder.path()))]).await;
    peer(&hfi, "it leads", |peer| peer["connected"] == true && peer["leader"] == true).await;
    shown(&api, &hfi, |status| status["summary"]["active"] == 1).await;

    api.kill().await.unwrap();
    let gone = peer(&hfi, "it is missed", |peer| peer["failing"].as_array().unwrap().len() >= 2).await;
    assert_eq!((&gone["connected"], &gone["namespaces"].is_u64()), (&false.into(), &true), "{gone}");
    a_change_arrives(&hfi, &folder, 501).await;
    assert_eq!(hfi.json("/v1/policies/status").await["summary"]["active"], 1, "what was known stays known");
    let lost = until("it no longer leads", Duration::from_secs(15), async || {
        (hfi.metric("hfi_leader").await == Some(0.0)).then_some(())
    });
    lost.await;
    assert_eq!(hfi.metric("hfi_kubernetes_failing{duty=\"lease\"}").await, Some(1.0));

    api.restart().await.unwrap();
    let revision = hfi.json("/v1/policies/status").await["revision"].clone();
    let back = until("it is found again", Duration::from_secs(60), async || {
        let status = hfi.json("/v1/policies/status").await;
        Some(status["kubernetes"].clone()).filter(|peer| peer["connected"] == true && peer["leader"] == true)
    });
    assert_eq!(back.await["failing"], serde_json::json!([]));
    shown(&api, &hfi, |status| status["revision"] == revision).await;

    assert_eq!(revisions(&api).await, 2, "what changed meanwhile is told as well");

    api.hang(true).unwrap();
    peer(&hfi, "it is missed", |peer| peer["connected"] == false).await;
    a_change_arrives(&hfi, &folder, 502).await;
    api.hang(false).unwrap();
    peer(&hfi, "it is found again", |peer| peer["connected"] == true).await;
    // Each time it is said once, however often it was tried.
    for duty in ["namespaces", "lease"] {
        let said = |line: &&str| line.contains("the API server fails at this task") && line.contains(duty);
        let said = hfi.log().lines().filter(said).count();
        assert!((1..=2).contains(&said), "{duty}: {}", hfi.log());
    }
}

/// The number of new revisions that Events have told of.
async fn revisions(api: &KubeApi) -> usize {
    events(api).await.iter().filter(|event| event.1 == "NewRevision").count()
}

#[tokio::test]
async fn an_event_whose_answer_was_lost_is_there_once() {
    let api = KubeApi::start().await.unwrap();
    let folder = folder();
    let lossy = Lossy::before(&api.kubeconfig("hfi", &api.url()).unwrap()).await;
    let kubeconfig = api.kubeconfig("hfi", &lossy.url).unwrap();
    let hfi = start_by(kubeconfig, &[("HFI_DIR", text(folder.path()))]).await;
    shown(&api, &hfi, |status| status["summary"]["active"] == 1).await;
    lossy.lose(Some("/events"));
    let revision = a_change_arrives(&hfi, &folder, 501).await.revision;
    until("the Event is there", PATIENCE, async || (revisions(&api).await == 2).then_some(())).await;
    lossy.lose(None);
    shown(&api, &hfi, |status| status["revision"] == revision).await;
    assert_eq!(revisions(&api).await, 2);
}

/// The right to write Events is taken away, and given again.
#[tokio::test]
async fn an_event_that_was_refused_is_written_once_it_may_be() {
    let api = KubeApi::start().await.unwrap();
    let folder = folder();
    let hfi = start(&api, "hfi", &[("HFI_DIR", text(folder.path()))]).await;
    shown(&api, &hfi, |status| status["summary"]["active"] == 1).await;
    let role = "/apis/rbac.authorization.k8s.io/v1/namespaces/boifi/roles/hfi-control-plane";
    let whole = api.get(role).await.unwrap();
    let mut less = whole.clone();
    less["rules"].as_array_mut().unwrap().retain(|rule| rule["resources"] != serde_json::json!(["events"]));
    let set = async |rules: &serde_json::Value| {
        let merge = [("content-type", "application/merge-patch+json")];
        let patch = serde_json::json!({"rules": rules["rules"]}).to_string();
        api.ask("PATCH", role, &merge, &patch).await.unwrap();
    };
    set(&less).await;
    let fails = |peer: &serde_json::Value| {
        peer["failing"].as_array().unwrap().iter().any(|task| task["duty"] == "events")
    };
    // Rights are taken away a moment later.
    until("it is refused", PATIENCE, async || {
        let status = if revisions(&api).await % 2 == 0 { 501 } else { 502 };
        fs::write(folder.path().join("a.yaml"), policy("a", "checkout", status)).unwrap();
        let status = hfi.json("/v1/policies/status").await;
        fails(&status["kubernetes"]).then_some(())
    })
    .await;
    // The last file may not be read yet: what is served and what is shown change both.
    until("the status shows what is served", PATIENCE, async || {
        let served = hfi.json("/v1/policies/status").await["revision"].clone();
        let shown = api.get(&format!("{SOURCE}/hfi-control-plane")).await.ok()?;
        (shown["status"]["revision"] == served).then_some(())
    })
    .await;
    let told = revisions(&api).await;
    set(&whole).await;
    let longest = Duration::from_secs(25);
    until("nothing fails, though nothing else happens", longest, async || {
        let status = hfi.json("/v1/policies/status").await;
        (!fails(&status["kubernetes"])).then_some(())
    })
    .await;
    assert!(revisions(&api).await > told, "all that waited are written");
}

#[tokio::test]
async fn what_it_refuses_is_told_and_all_else_goes_on() {
    let api = KubeApi::start().await.unwrap();
    let folder = folder();
    let mut hfi = start(&api, "nobody", &[("HFI_DIR", text(folder.path()))]).await;
    let refused = peer(&hfi, "it is refused", |peer| peer["failing"].as_array().unwrap().len() == 2).await;
    assert_eq!(refused["failing"][0]["duty"], "namespaces", "{refused}");
    let reason = refused["failing"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("namespaces is forbidden") && reason.ends_with("(403)"), "{reason}");
    assert_eq!((&refused["leader"], &refused["namespaces"]), (&false.into(), &serde_json::Value::Null));
    a_change_arrives(&hfi, &folder, 503).await;
    assert_eq!(hfi.json("/v1/policies/status").await["summary"]["inactive"], 0, "it is not known");
    assert_eq!(hfi.json("/v1/ready").await["status"], "ready");
    assert_eq!(times(&hfi, "the API server fails at this task"), 2, "{}", hfi.log());
    hfi.signal("TERM");
    assert!(hfi.ended(Duration::from_secs(5)).await.success());
}

#[tokio::test]
async fn at_the_start_it_may_be_away_but_not_unknown() {
    let folder = folder();
    let kubeconfig = folder.path().join("kubeconfig");
    let nowhere = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "a", "user": {"token": "secret"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a", "namespace": "boifi"}}],
    });
    fs::write(&kubeconfig, nowhere.to_string()).unwrap();
    let environment =
        [("HFI_DIR", text(folder.path())), ("HFI_KUBERNETES", "true"), ("KUBECONFIG", text(&kubeconfig))];
    let hfi = Process::start(&environment).await;
    hfi.until_ready(|_| true).await;
    peer(&hfi, "it is missed", |peer| {
        peer["connected"] == false && peer["failing"].as_array().unwrap().len() == 2
    })
    .await;
    assert!(!hfi.log().contains("secret"), "{}", hfi.log());
    drop(hfi);
    fs::remove_file(&kubeconfig).unwrap();
    let mut unnamed = environment;
    unnamed[2] = ("KUBECONFIG", "");
    let nowhere = [&unnamed[..], &[("HOME", text(folder.path()))]].concat();
    let broken = "apiVersion: v1\nkind: Config\nusers: [{name: a, user: {token: secret, x";
    for (environment, text, reason) in [
        (&environment[..], None, "No such file"),
        (&environment, Some(""), "current context"),
        (&environment, Some(broken), "line 3, column"),
        (&nowhere, None, "name a kubeconfig in KUBECONFIG, or run in a pod with a service account token"),
    ] {
        if let Some(text) = text {
            fs::write(&kubeconfig, text).unwrap();
        }
        let (code, said) = Process::refused(environment);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(reason) && !said.contains("secret"), "{said}");
    }
}
