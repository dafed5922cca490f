//! With `--kubernetes`, `kubectl get policysources` shows what is served, and Events what has changed.

use std::fs;

use harness::KubeApi;

use crate::{
    support::cluster::{PATIENCE, events, peer, shown, start, table, told},
    support::policy,
    support::process::text,
    support::remote::repository,
    support::signing::Signer,
};

fn condition<'a>(status: &'a serde_json::Value, kind: &str) -> &'a serde_json::Value {
    let mut conditions = status["conditions"].as_array().unwrap().iter();
    conditions.find(|condition| condition["type"] == kind).unwrap()
}

#[tokio::test]
async fn one_object_shows_it_and_each_change_is_an_event_once() {
    let api = KubeApi::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join("policies").join(name);
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(file("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let halt = folder.path().join("halt");
    let environment = [
        ("HFI_DIR", text(&folder.path().join("policies")).to_owned()),
        ("HFI_HALT_FILE", text(&halt).to_owned()),
    ];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut hfi = start(&api, "hfi", &environment).await;
    let status = shown(&api, &hfi, |status| condition_is(status, "Ready", "True")).await;
    let served = hfi.json("/v1/policies/status").await;
    assert_eq!(status["revision"], served["revision"]);
    assert_eq!(status["digest"], served["digest"]);
    for (name, count) in status["summary"].as_object().unwrap() {
        assert_eq!(count, &served["summary"][name], "{name}");
    }
    assert_eq!(status["leader"], served["kubernetes"]["holder"]);
    assert!(status["lastReadTime"].is_string(), "{status}");

    fs::write(file("b.yaml"), "metadata: {name: b}\nspec: {rulez: []}\n").unwrap();
    let status = shown(&api, &hfi, |status| status["summary"]["rejectedFiles"] == 1).await;
    assert_eq!(status["rejected"][0]["file"], "b.yaml");
    let error = status["rejected"][0]["errors"][0].as_str().unwrap();
    assert!(error.starts_with("b.yaml:2:"), "{error}");
    let row = table(&api).await;
    let cell = |name: &str| &row.iter().find(|(column, _)| column == name).unwrap().1;
    assert_eq!(*cell("Revision"), status["revision"]);
    assert_eq!((cell("Active"), cell("Inactive"), cell("Rejected")), (&1.into(), &0.into(), &1.into()));
    assert_eq!(
        (cell("Ready"), cell("Reason"), cell("Source")),
        (&"True".into(), &"Serving".into(), &"Read".into())
    );
    assert_eq!(*cell("Digest"), status["digest"]);

    let valid = condition(&status, "PoliciesValid").clone();
    fs::write(&halt, "").unwrap();
    let halted = shown(&api, &hfi, |status| status["halted"] == true).await;
    assert_eq!(condition(&halted, "Ready")["reason"], "Halted");
    assert_eq!(condition(&halted, "PoliciesValid"), &valid, "what does not change keeps its time");
    fs::remove_file(&halt).unwrap();
    shown(&api, &hfi, |status| status["halted"] == false).await;
    told(&api, "Resumed").await;

    // A directory that is gone cannot be read; what was read stays in force.
    fs::rename(folder.path().join("policies"), folder.path().join("away")).unwrap();
    let unreadable = shown(&api, &hfi, |status| condition_is(status, "SourceReachable", "False")).await;
    assert_eq!(condition(&unreadable, "Ready")["status"], "True");
    fs::rename(folder.path().join("away"), folder.path().join("policies")).unwrap();
    shown(&api, &hfi, |status| condition_is(status, "SourceReachable", "True")).await;
    let events_so_far = told(&api, "SourceReachable").await;
    let reasons: Vec<_> =
        events_so_far.iter().map(|(kind, reason, _)| (kind.as_str(), reason.as_str())).collect();
    let expected = [
        ("Normal", "NewRevision"),
        ("Normal", "NewRevision"),
        ("Warning", "FileRejected"),
        ("Warning", "Halted"),
        ("Normal", "Resumed"),
        ("Warning", "SourceUnreachable"),
        ("Normal", "SourceReachable"),
    ];
    assert_eq!(reasons, expected, "{events_so_far:?}");
    assert!(events_so_far[2].2.starts_with("b.yaml:2:"), "{events_so_far:?}");

    // The next leader knows what has been told.
    hfi.signal("TERM");
    assert!(hfi.ended(PATIENCE).await.success());
    let successor = start(&api, "hfi", &environment).await;
    let holder = peer(&successor, "it leads", |peer| peer["leader"] == true).await["holder"].clone();
    shown(&api, &successor, |status| status["leader"] == holder).await;
    assert_eq!(events(&api).await, events_so_far);

    // What somebody has removed is there again with the next change.
    api.ask("DELETE", "/apis/hfi.dev/v1alpha1/namespaces/boifi/policysources/hfi-control-plane", &[], "")
        .await
        .unwrap();
    fs::remove_file(file("b.yaml")).unwrap();
    shown(&api, &successor, |status| status["summary"]["rejectedFiles"] == 0).await;
}

fn condition_is(status: &serde_json::Value, kind: &str, wanted: &str) -> bool {
    status["conditions"].is_array() && condition(status, kind)["status"] == wanted
}

#[tokio::test]
async fn what_is_withdrawn_is_shown_with_the_reason() {
    let api = KubeApi::start().await.unwrap();
    let (repository, keys) = (repository().await, tempfile::tempdir().unwrap());
    let alice = Signer::ssh("-t ed25519");
    alice.allow_in(keys.path(), "alice.pub");
    alice.push(&repository).await;
    let bare = repository.bare().display().to_string();
    let environment =
        [("HFI_REPO", bare.as_str()), ("HFI_VERIFY", text(keys.path())), ("HFI_INTERVAL", "1s")];
    let hfi = start(&api, "hfi", &environment).await;
    shown(&api, &hfi, |status| condition_is(status, "Ready", "True")).await;
    fs::remove_file(keys.path().join("alice.pub")).unwrap();
    let withdrawn = shown(&api, &hfi, |status| status["withdrawn"].is_string()).await;
    assert_eq!(condition(&withdrawn, "Ready")["reason"], "Withdrawn");
    assert_eq!(withdrawn["withdrawn"], hfi.json("/v1/policies/status").await["withdrawn"]);
    alice.allow_in(keys.path(), "alice.pub");
    shown(&api, &hfi, |status| condition_is(status, "Ready", "True")).await;
    let events = told(&api, "Reinstated").await;
    let times = |reason: &str| events.iter().filter(|event| event.1 == reason).count();
    let times = ["NewRevision", "Withdrawn", "Reinstated"].map(times);
    assert_eq!(times, [1, 1, 1], "{events:?}");
}
