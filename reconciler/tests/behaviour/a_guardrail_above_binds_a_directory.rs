//! Guardrails in the directories above bind what `--dir` serves and what is validated, however one enters the tree.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tempfile::TempDir;

use crate::support::{Server, hfi, policy};

const GUARDRAIL: &str = "kind: Guardrail\nspec: {httpStatuses: [500]}\n";

/// `pol/guardrail.yaml`, and `pol/team/a/p.yaml` which breaks it.
fn tree() -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("pol/team/a")).unwrap();
    fs::write(tree.path().join("pol/guardrail.yaml"), GUARDRAIL).unwrap();
    fs::write(tree.path().join("pol/team/a/p.yaml"), policy("p", "checkout", 503)).unwrap();
    tree
}

/// The policies in force below `path`, and whether `hfi validate` takes them and `hfi explain` lets one decide.
async fn entered(tree: &Path, path: &str) -> (Vec<String>, bool, bool) {
    let (code, text) = hfi(tree, &["validate", path]);
    assert!(code == 0 || text.contains("demands it") || text.contains("may hold a guardrail"), "{text}");
    let explain = ["explain", "--dir", path, "--namespace", "demo", "--service", "checkout"];
    let (_, why) = hfi(tree, &explain);
    (Server::of_folder(&tree.join(path)).await.names().await, code == 0, why.contains("decides"))
}

const REFUSED: (Vec<String>, bool, bool) = (Vec::new(), false, false);

#[tokio::test]
async fn a_policy_that_breaks_it_is_refused_wherever_one_enters() {
    for git in [true, false] {
        let tree = tree();
        if git {
            fs::create_dir(tree.path().join(".git")).unwrap();
        }
        for path in ["pol", "pol/team", "pol/team/a"] {
            assert_eq!(entered(tree.path(), path).await, REFUSED, "{path}, {git}");
        }
        let (code, text) = hfi(tree.path(), &["validate", "pol/team/a/p.yaml"]);
        assert!(code == 1 && text.contains("guardrail.yaml demands it"), "{text}");
        fs::write(tree.path().join("pol/team/a/p.yaml"), policy("p", "checkout", 500)).unwrap();
        assert_eq!(entered(tree.path(), "pol/team/a").await, (vec!["p".to_owned()], true, true), "{git}");
    }
}

#[tokio::test]
async fn the_root_of_the_work_tree_is_the_highest_that_counts() {
    let tree = tree();
    fs::create_dir(tree.path().join("pol/team/.git")).unwrap();
    assert_eq!(entered(tree.path(), "pol/team/a").await, (vec!["p".to_owned()], true, true));
}

#[tokio::test]
async fn one_that_cannot_be_understood_takes_everything_below_out_of_force() {
    for git in [true, false] {
        let tree = tree();
        if git {
            fs::create_dir(tree.path().join(".git")).unwrap();
        }
        fs::write(tree.path().join("pol/guardrail.yaml"), "kind: Guardrail\nspec: {maxPercent: 5}\n")
            .unwrap();
        assert_eq!(entered(tree.path(), "pol/team").await, REFUSED, "{git}");
    }
}

#[tokio::test]
async fn outside_of_a_work_tree_other_files_and_directories_that_anybody_may_write_to_do_not_count() {
    let tree = tree();
    fs::write(tree.path().join("pol/guardrail.yaml"), "services: [unlike, ours]\n").unwrap();
    assert_eq!(entered(tree.path(), "pol/team").await, (vec!["p".to_owned()], true, true));
    fs::write(tree.path().join("pol/guardrail.yaml"), GUARDRAIL).unwrap();
    fs::set_permissions(tree.path().join("pol"), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(entered(tree.path(), "pol/team").await, (vec!["p".to_owned()], true, true));
}

#[tokio::test]
async fn a_change_above_is_seen_at_once() {
    for git in [true, false] {
        let tree = tree();
        if git {
            fs::create_dir(tree.path().join(".git")).unwrap();
        }
        let guardrail = tree.path().join("pol/guardrail.yaml");
        let server = Server::of_folder(&tree.path().join("pol/team")).await;
        let etag = server.snapshot("namespace=demo&service=checkout", &[]).await.etag;
        fs::remove_file(&guardrail).unwrap();
        let etag = server.next("namespace=demo&service=checkout", &etag).await.etag;
        fs::write(&guardrail, GUARDRAIL).unwrap();
        server.next("namespace=demo&service=checkout", &etag).await;
        assert!(server.names().await.is_empty());
    }
}
