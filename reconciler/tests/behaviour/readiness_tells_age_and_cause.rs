//! `GET /v1/ready`: once something is served it stays 200, and says how sure that is.

use std::fs;

use crate::{
    support::policy,
    support::process::{Process, text},
};

#[tokio::test]
async fn a_source_that_fails_is_told_and_what_is_served_stays() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, away) = (parent.path().join("policies"), parent.path().join("away"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let hfi = Process::start(&[("HFI_DIR", text(&folder)), ("HFI_INTERVAL", "1s")]).await;
    let good = hfi.until_ready(|_| true).await;
    assert!(good["source_error"].is_null() && good["halted"] == false, "{good}");
    fs::rename(&folder, &away).unwrap();
    let bad = hfi.until_ready(|ready| !ready["source_error"].is_null()).await;
    assert!(bad["source_error"]["message"].as_str().unwrap().starts_with("cannot read directory"), "{bad}");
    assert_eq!(bad["revision"], good["revision"]);
    let age = |ready: &serde_json::Value| ready["source_age_seconds"].as_f64().unwrap();
    let older = hfi.until_ready(|ready| age(ready) > age(&bad)).await;
    assert!(older["source_error"]["age_seconds"].is_number(), "{older}");
    fs::rename(&away, &folder).unwrap();
    hfi.until_ready(|ready| ready["source_error"].is_null()).await;
}
