//! One request has a directory for each new policy, and a thousand policies.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::{
    policy,
    writing::{CHECKOUT, Change, Replica, apply, content, git, path, repository},
};

/// A stream of documents that begins with that of the directories.
fn placed(folders: &serde_json::Value, policies: &[String]) -> String {
    format!("{}\n...\n{}", json!({"kind": "Folders", "folders": folders}), policies.join("---\n"))
}

#[tokio::test]
async fn new_policies_go_to_the_directories_that_the_body_names() {
    let repository = repository(&[("shop/a.yaml", CHECKOUT)]).await;
    let replica = Replica::of(&path(&repository)).await;
    let policies = ["a", "b", "c", "d"].map(|name| policy(name, name, 503));
    let folders = json!({"x/y": ["b", "a"], "/": ["c"]});
    let applied = replica.apply("?folder=rest", &placed(&folders, &policies)).await;
    applied.is(201, &["a configured", "b created", "c created", "d created"]);
    let files = git(&repository, &["ls-tree", "-r", "--name-only", "main"]);
    let mut files: Vec<_> = files.lines().filter(|file| file.ends_with(".yaml")).collect();
    files.sort_unstable();
    assert_eq!(files, ["c.yaml", "rest/d.yaml", "shop/a.yaml", "x/y/b.yaml"]);
    assert_eq!(git(&repository, &["rev-list", "--count", "main"]).trim(), "3", "one commit");

    let before = git(&repository, &["rev-parse", "main"]);
    for (folders, reason) in [
        (json!({"x/.git": ["e"]}), "whose parts do not begin with a dot"),
        (json!({"../x": ["e"]}), "must be a directory below the policy directory"),
        (json!({"x": ["z"]}), "`z` is the name of no policy in this body"),
    ] {
        let refused = replica.apply("", &placed(&folders, &[policy("e", "e", 503)])).await;
        refused.is_refused(422, reason);
        assert_eq!(refused.body["errors"][0]["document"], 0, "{refused:?}");
    }
    // What a file holds is no directory.
    let refused = replica.apply("", &placed(&json!({"c.yaml": ["e"]}), &[policy("e", "e", 503)])).await;
    refused.is_refused(409, "c.yaml/e.yaml");
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
}

#[tokio::test]
async fn new_files_that_are_in_each_others_way_are_refused_at_once() {
    let repository = repository(&[("shop/a.yaml", CHECKOUT)]).await;
    let replica = Replica::of(&path(&repository)).await;
    let before = git(&repository, &["rev-parse", "main"]);
    let policies = ["e", "f"].map(|name| policy(name, name, 503));
    for (query, folders, field, reason) in [
        ("", json!({"Cart": ["e"], "cart": ["f"]}), "folders.cart[0]", "differs from `Cart` in upper"),
        ("", json!({"f.yaml": ["e"], "": ["f"]}), "folders.[0]", "is a directory of another new file"),
        ("", json!({"e.yaml": ["f"]}), "folders.e.yaml[0]", "`e.yaml/f.yaml`, which needs a directory"),
        ("folder=Cart", json!({"cart": ["e"]}), "metadata.name", "differs from `cart` in upper"),
    ] {
        for dry in ["", "dryRun=true"] {
            let refused = replica.apply(&format!("?{query}&{dry}"), &placed(&folders, &policies)).await;
            refused.is_refused(422, reason);
            let error = &refused.body["errors"][0];
            assert_eq!(
                (&error["field"], error["line"].as_u64() > Some(0)),
                (&json!(field), true),
                "{refused:?}"
            );
        }
    }
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
    // One that exists stays where it is.
    let policies = [policy("a", "checkout", 500), policy("e", "e", 503)];
    let folders = json!({"Cart": ["a"], "cart": ["e"]});
    replica.apply("", &placed(&folders, &policies)).await.is(201, &["a configured", "e created"]);
}

#[tokio::test]
async fn a_directory_in_the_body_gives_no_right() {
    let repository = repository(&[("shop/a.yaml", CHECKOUT)]).await;
    let replica = Replica::of(&path(&repository)).await;
    let send = async |folders: serde_json::Value| {
        let policy = "metadata: {name: e}\nspec: {selector: {namespace: shop}, rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n";
        let body = placed(&folders, &[policy.to_owned()]);
        replica.send(Change { token: "shop-0123456789abcdef", ..apply("", &body) }).await
    };
    for folder in ["", "teams", "teams/shopping"] {
        send(json!({folder: ["e"]})).await.is_refused(403, "`folder` in the token file");
    }
    send(json!({"teams/shop/deep": ["e"]})).await.is(201, &["e created"]);
    assert!(content(&repository, "teams/shop/deep/e.yaml").contains("name: e"));
}

fn thousand(status: u16) -> Vec<String> {
    (0..1_000).map(|i| policy(&format!("p-{i:04}"), &format!("s-{i}"), status)).collect()
}

/// A request that may take a minute: the tests of this machine share it.
fn patient(body: &str) -> Change<'_> {
    let mut change = apply("", body);
    change.headers.push(("prefer", "wait=60".to_owned()));
    change
}

#[tokio::test]
async fn a_thousand_policies_are_one_commit() {
    let repository = repository(&[("shop/a.yaml", CHECKOUT)]).await;
    let replica = Replica::of(&path(&repository)).await;
    let mut folders = serde_json::Map::new();
    for i in 0..1_000 {
        let names = folders.entry(format!("team-{}", i % 50)).or_insert_with(|| json!([]));
        names.as_array_mut().unwrap().push(json!(format!("p-{i:04}")));
    }
    let begun = std::time::Instant::now();
    let applied = replica.send(patient(&placed(&folders.into(), &thousand(503)))).await;
    eprintln!("created in {:?}", begun.elapsed());
    assert_eq!(applied.status, 201, "{applied:?}");
    assert!(applied.results().iter().all(|line| line.ends_with("created")), "{applied:?}");
    assert_eq!((applied.results().len(), &applied.body["served"]), (1_000, &json!(true)));
    assert_eq!(git(&repository, &["rev-list", "--count", "main"]).trim(), "3");
    assert!(content(&repository, "team-7/p-0007.yaml").contains("503"));
}

#[tokio::test]
async fn a_thousand_policies_of_one_file_are_one_edit() {
    let mut file = String::new();
    for policy in thousand(503) {
        write!(file, "---\n# kept\n{policy}").unwrap();
    }
    let repository = repository(&[("all.yaml", &file)]).await;
    let replica = Replica::of(&path(&repository)).await;
    let begun = std::time::Instant::now();
    let applied = replica.send(patient(&thousand(504).join("---\n"))).await;
    eprintln!("edited in {:?}", begun.elapsed());
    assert_eq!(applied.status, 200, "{applied:?}");
    assert!(applied.results().iter().all(|line| line.ends_with("configured")), "{applied:?}");
    assert_eq!(content(&repository, "all.yaml"), file.replace("httpStatus: 503", "httpStatus: 504"));
    assert_eq!(applied.body["policies"][999]["line"], 3_999);

    let begun = std::time::Instant::now();
    let again = replica.send(patient(&thousand(504).join("---\n"))).await;
    eprintln!("unchanged in {:?}", begun.elapsed());
    assert!(again.results().iter().all(|line| line.ends_with("unchanged")), "{again:?}");
}
