//! A disk that was full, a machine that went down, a repository that is at fault: what is good stays.

use std::{fs, path::Path};

use harness::{GitHttp, Repository};

use crate::{
    support::policy,
    support::process::text,
    the_last_good_outlives_the_process::{World, serves_nothing},
};

#[tokio::test]
async fn a_clone_that_lacks_an_object_is_begun_again() {
    let world = World::new().await;
    world.repository.write("b.yaml", &policy("b", "checkout", 503)).unwrap();
    world.repository.push("Add b").await.unwrap();
    world.run_once().await;
    world.push(&policy("a", "checkout", 500)).await;
    world.run_once().await;
    // The last good commit can still be read, and one of its files cannot. Nor would a fetch bring it.
    let id = world.repository.git(&["rev-parse", "HEAD:b.yaml"]).await.unwrap();
    let (folder, file) = id.trim().split_at(2);
    fs::remove_file(world.clone().join("objects").join(folder).join(file)).unwrap();
    world.take_away();
    let hfi = world.start().await;
    serves_nothing(&hfi).await;
    world.bring_back();
    hfi.until_ready(|ready| ready["restored"] == false).await;
    assert_eq!(hfi.json("/v1/policies").await["policies"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_clone_that_was_damaged_is_repaired_and_served() {
    type Damage = fn(&Path, &Path);
    let refs: Damage = |clone, _| fs::write(clone.join("refs/heads/main"), "damaged").unwrap();
    let nowhere: Damage =
        |clone, _| fs::write(clone.join("refs/heads/main"), format!("{}\n", "1".repeat(40))).unwrap();
    let object: Damage = |_, object| fs::remove_file(object).unwrap();
    let world = World::new().await;
    let http = GitHttp::start(world.repository.folder()).await.unwrap();
    let bare = world.repository.bare().display().to_string();
    let urls = [bare, http.url("policies.git")];
    for (round, (url, (name, of, damage))) in urls
        .iter()
        .flat_map(|url| {
            let damages = [
                ("a ref that is none", "HEAD", refs),
                ("a ref to nothing", "HEAD", nowhere),
                ("no commit", "HEAD", object),
                ("no tree", "HEAD^{tree}", object),
                ("no file", "HEAD:a.yaml", object),
            ];
            damages.map(|damage| (url, damage))
        })
        .enumerate()
    {
        let change = async |status| world.push(&policy(&format!("a{round}"), "checkout", status)).await;
        change(503).await;
        world.start_with(&[("HFI_REPO", url)]).await.until_ready(|_| true).await;
        // What was fetched and has not been served yet.
        change(500).await;
        let (clone, bare) = (world.clone(), world.repository.bare());
        let fetch = ["-c", "fetch.unpackLimit=100", "fetch", "--quiet", text(&bare), "+main:main"];
        let in_clone = ["--git-dir", text(&clone)];
        world.repository.git(&[&in_clone[..], &fetch].concat()).await.unwrap();
        let id = world.repository.git(&["rev-parse", of]).await.unwrap();
        let (folder, file) = id.trim().split_at(2);
        damage(&clone, &clone.join("objects").join(folder).join(file));
        let hfi = world.start_with(&[("HFI_REPO", url)]).await;
        let tip = world.repository.git(&["rev-parse", "HEAD"]).await.unwrap();
        hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{}", tip.trim())).await;
        // A ref to nothing is overwritten like any other.
        let is_told = hfi.said("the clone is damaged").is_some();
        assert!(is_told || name == "a ref to nothing", "{name}: {}", hfi.log());
        // And it is so for good.
        change(501).await;
        let tip = world.repository.git(&["rev-parse", "HEAD"]).await.unwrap();
        hfi.until_ready(|ready| ready["revision"] == format!("main@sha1:{}", tip.trim())).await;
    }
}

#[tokio::test]
async fn a_repository_that_is_at_fault_itself_takes_nothing_from_what_is_kept() {
    for is_local in [true, false] {
        let world = World::new().await;
        let http = GitHttp::start(world.repository.folder()).await.unwrap();
        let bare = world.repository.bare();
        let url = if is_local { text(&bare).to_owned() } else { http.url("policies.git") };
        let repository = [("HFI_REPO", url.as_str())];
        world.start_with(&repository).await.until_ready(|_| true).await;
        // Of the same name, with a tip whose parents are nowhere.
        world.push(&policy("a", "checkout", 500)).await;
        let shallow = world.repository.folder().join("shallow.git");
        let from = format!("file://{}", bare.display());
        let clone = ["clone", "--quiet", "--bare", "--depth", "1", &from, text(&shallow)];
        world.repository.git(&clone).await.unwrap();
        world.take_away();
        fs::rename(&shallow, &bare).unwrap();
        for _ in 0..2 {
            let hfi = world.start_with(&repository).await;
            let told = |ready: &serde_json::Value| {
                let told = ready["source_error"]["message"].as_str()?;
                Some(!is_local || told.contains("is a shallow clone") && told.contains("--unshallow"))
            };
            hfi.until_ready(|ready| ready["restored"] == true && told(ready) == Some(true)).await;
        }
    }
}

#[tokio::test]
async fn a_repository_that_lacks_a_file_takes_nothing_from_what_is_kept() {
    let world = World::new().await;
    world.run_once().await;
    // Another one in its place, as from a backup that is not whole: all its packs are linked.
    let other = Repository::new().await.unwrap();
    other.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    other.push("Begin again").await.unwrap();
    let id = other.git(&["rev-parse", "HEAD:a.yaml"]).await.unwrap();
    let (folder, file) = id.trim().split_at(2);
    fs::remove_file(other.bare().join("objects").join(folder).join(file)).unwrap();
    let before = world.repository.folder().join("before.git");
    fs::rename(world.repository.bare(), before).unwrap();
    fs::rename(other.bare(), world.repository.bare()).unwrap();
    for _ in 0..2 {
        let hfi = world.start().await;
        let told = |ready: &serde_json::Value| {
            let told = ready["source_error"]["message"].as_str();
            told.is_some_and(|told| told.contains("an object is missing"))
        };
        hfi.until_ready(|ready| ready["restored"] == true && told(ready)).await;
    }
}

#[tokio::test]
async fn refs_that_cannot_be_read_take_nothing_from_what_is_kept() {
    let world = World::new().await;
    world.run_once().await;
    fs::write(world.clone().join("refs/heads/main"), "damaged").unwrap();
    world.take_away();
    for _ in 0..2 {
        let hfi = world.start().await;
        hfi.until_ready(|ready| ready["restored"] == true && !ready["source_error"].is_null()).await;
    }
}
