//! `--dir`: changes that editors and Kubernetes make in a directory are seen, and nothing else is read.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use reconciler::source::Settings;

use crate::support::{Server, policy};

const CHECKOUT: &str = "namespace=demo&service=checkout";

fn write(folder: &Path, file: &str, content: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[tokio::test]
async fn a_file_that_an_editor_renames_into_place_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.yaml", &policy("a", "checkout", 503));
    let server = Server::of_folder(folder.path()).await;
    let mut etag = server.snapshot(CHECKOUT, &[]).await.etag;
    for status in [500, 501, 502] {
        write(folder.path(), ".a.yaml.swp", &policy("a", "checkout", status));
        fs::rename(folder.path().join(".a.yaml.swp"), folder.path().join("a.yaml")).unwrap();
        etag = server.next(CHECKOUT, &etag).await.etag;
    }
}

#[tokio::test]
async fn a_config_map_that_is_swapped_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "..2026_01/a.yaml", &policy("a", "checkout", 503));
    symlink("..2026_01", root.join("..data")).unwrap();
    symlink("..data/a.yaml", root.join("a.yaml")).unwrap();
    let server = Server::of_folder(root).await;
    assert_eq!(server.names().await, ["a"]);
    let etag = server.snapshot(CHECKOUT, &[]).await.etag;

    write(root, "..2026_02/a.yaml", &policy("b", "checkout", 503));
    symlink("..2026_02", root.join("..data_tmp")).unwrap();
    fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    fs::remove_dir_all(root.join("..2026_01")).unwrap();
    server.next(CHECKOUT, &etag).await;
    assert_eq!(server.names().await, ["b"]);
}

#[tokio::test]
async fn files_in_new_directories_are_seen_however_deep() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let etag = server.snapshot(CHECKOUT, &[]).await.etag;
    write(folder.path(), "teams/shop/checkout/a.yml", &policy("a", "checkout", 503));
    server.next(CHECKOUT, &etag).await;
    assert_eq!(server.names().await, ["a"]);
}

#[tokio::test]
async fn what_is_hidden_foreign_or_outside_is_not_read() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = folder.path();
    write(root, "a.yaml", &policy("a", "checkout", 503));
    write(root, ".hidden.yaml", &policy("b", "checkout", 503));
    write(root, ".hidden/b.yaml", &policy("c", "checkout", 503));
    write(root, "notes.txt", "not: [yaml");
    write(root, "kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n");
    write(outside.path(), "d.yaml", &policy("d", "checkout", 503));
    write(root, "team/e.yaml", &policy("e", "checkout", 503));
    // What stands there nobody may read, and it could be a guardrail of its folder.
    symlink(outside.path().join("d.yaml"), root.join("team/d.yaml")).unwrap();
    symlink(outside.path(), root.join("outside")).unwrap();
    symlink("nowhere.yaml", root.join("dangling.yaml")).unwrap();
    assert_eq!(Server::of_folder(root).await.names().await, ["a"]);
}

#[tokio::test]
async fn a_directory_that_goes_away_leaves_what_is_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("policies");
    write(&root, "a.yaml", &policy("a", "checkout", 503));
    let server = Server::of_folder(&root).await;
    let before = server.snapshot(CHECKOUT, &[]).await;
    fs::rename(&root, folder.path().join("elsewhere")).unwrap();
    // The next look at it fails; nothing must come of that.
    let held = server.snapshot(CHECKOUT, &[("if-none-match", &before.etag), ("prefer", "wait=1")]).await;
    assert_eq!(held.status, 304);
}

#[tokio::test]
async fn a_directory_that_is_replaced_is_watched_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("policies");
    write(&root, "a.yaml", &policy("a", "checkout", 503));
    let server = Server::of_folder(&root).await;
    let mut etag = server.snapshot(CHECKOUT, &[]).await.etag;
    write(folder.path(), "new/a.yaml", &policy("a", "checkout", 500));
    fs::rename(&root, folder.path().join("old")).unwrap();
    fs::rename(folder.path().join("new"), &root).unwrap();
    for status in [501, 502] {
        etag = server.next(CHECKOUT, &etag).await.etag;
        write(&root, "a.yaml", &policy("a", "checkout", status));
    }
    server.next(CHECKOUT, &etag).await;
}

#[tokio::test]
async fn a_directory_that_is_removed_and_made_again_is_watched_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("policies");
    write(&root, "a.yaml", &policy("a", "checkout", 503));
    let server = Server::start(Settings::Dir(root.clone()), Duration::from_secs(1)).await;
    server.until_ready().await;
    let mut etag = server.snapshot(CHECKOUT, &[]).await.etag;
    fs::remove_dir_all(&root).unwrap();
    write(&root, "a.yaml", &policy("a", "checkout", 500));
    for status in [501, 502] {
        etag = server.next(CHECKOUT, &etag).await.etag;
        write(&root, "a.yaml", &policy("a", "checkout", status));
    }
    server.next(CHECKOUT, &etag).await;
}

#[tokio::test]
async fn a_link_that_is_swapped_is_seen() {
    for below in ["", "policies", "policies/team"] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (tree, name) in [("a", "one"), ("b", "two"), ("c", "three")] {
            let file = Path::new(".worktrees").join(tree).join(below).join("p.yaml");
            write(root, file.to_str().unwrap(), &policy(name, "checkout", 503));
        }
        symlink(".worktrees/a", root.join("current")).unwrap();
        let server = Server::of_folder(&root.join("current").join(below)).await;
        let mut etag = server.snapshot(CHECKOUT, &[]).await.etag;
        for (tree, name) in [("b", "two"), ("c", "three")] {
            // As git-sync does it.
            symlink(format!(".worktrees/{tree}"), root.join("new")).unwrap();
            fs::rename(root.join("new"), root.join("current")).unwrap();
            etag = server.next(CHECKOUT, &etag).await.etag;
            assert_eq!(server.names().await, [name], "{below}");
        }
        // And what is in the tree that the link leads to now.
        let file = Path::new(".worktrees/c").join(below).join("p.yaml");
        write(root, file.to_str().unwrap(), &policy("four", "checkout", 503));
        server.next(CHECKOUT, &etag).await;
    }
}

#[tokio::test]
async fn the_interval_goes_on_while_policies_come_to_their_end() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // What changes through a hard link is not noticed in the directory, so only the interval can see it.
    let (inside, outside) = (folder.path().join("z.yaml"), elsewhere.path().join("z.yaml"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    for i in 0..20 {
        let end = policies::Timestamp::from_millis(now + i * 500).to_rfc3339();
        let yaml = format!(
            "metadata: {{name: p{i}}}\nspec: {{expiresAt: {end}, rules: [{{fault: {{percentage: 1, delay_ms: 1}}}}]}}\n"
        );
        write(folder.path(), &format!("{i}.yaml"), &yaml);
    }
    fs::write(&outside, policy("old", "checkout", 503)).unwrap();
    fs::hard_link(&outside, &inside).unwrap();
    let server = Server::start(Settings::Dir(folder.path().to_owned()), Duration::from_secs(1)).await;
    server.until_ready().await;
    fs::write(&outside, policy("new", "checkout", 503)).unwrap();
    let seen = async {
        while !server.names().await.contains(&"new".to_owned()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), seen).await.expect("the interval starved");
}

#[tokio::test]
async fn an_empty_directory_is_a_valid_empty_repository() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    assert!(server.names().await.is_empty());
}

#[tokio::test]
async fn a_duration_counts_from_the_files_modification() {
    let folder = tempfile::tempdir().unwrap();
    let yaml =
        "metadata: {name: a}\nspec: {rules: [{fault: {percentage: 1, duration_seconds: 60, delay_ms: 1}}]}\n";
    write(folder.path(), "a.yaml", yaml);
    let file = fs::File::options().write(true).open(folder.path().join("a.yaml")).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(59)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    assert_eq!(server.names().await, ["a"]);
    let etag = server.snapshot("", &[]).await.etag;
    // It ends by itself, and every client that waits is told.
    server.next("", &etag).await;
    assert!(server.names().await.is_empty());
}
