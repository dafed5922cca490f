//! `hfi policy diff`: 0 if all is the same, 1 if not, 2 if a file is wrong.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::{
    Server,
    command::{Ended, hfi, hfi_at_a_terminal},
    policy,
};

async fn world() -> (TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    (folder, server)
}

async fn diff(server: &Server, path: &Path) -> Ended {
    hfi(&["policy", "diff", "--server", &server.url, "-f", path.to_str().unwrap()], &[]).await
}

#[tokio::test]
async fn what_is_said_in_other_words_is_the_same() {
    let (folder, server) = world().await;
    assert_eq!(diff(&server, folder.path()).await.code, 0);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("b.yaml");
    let other = "# A comment\nspec:\n  rules:\n    - fault:\n        abort:\n          httpStatus: 503\n        percentage: 100.0\n  selector: {namespace: demo, service: checkout}\nmetadata: {name: 'a'}\n";
    fs::write(&file, other).unwrap();
    let same = diff(&server, &file).await;
    assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{same:?}");
}

#[tokio::test]
async fn a_change_and_a_new_policy_are_shown() {
    let (_folder, server) = world().await;
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("a.yaml"), policy("a", "checkout", 500)).unwrap();
    fs::create_dir(elsewhere.path().join("team")).unwrap();
    fs::write(elsewhere.path().join("team/b.yaml"), policy("b", "cart", 503)).unwrap();
    let changed = diff(&server, elsewhere.path()).await;
    assert_eq!(changed.code, 1, "{changed:?}");
    let text = &changed.stdout;
    assert!(text.contains("--- policy/a of the server\n+++ ") && text.contains("a.yaml\n@@ "), "{text}");
    assert!(text.contains("httpStatus: 503\n+") && text.contains("httpStatus: 500\n"), "{text}");
    assert!(text.contains("--- /dev/null\n+++ ") && text.contains("+  name: b\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    let file = elsewhere.path().join("a.yaml");
    let arguments = ["policy", "diff", "--server", &server.url, "-f", file.to_str().unwrap()];
    assert!(hfi_at_a_terminal(&arguments, &[]).await.contains("\u{1b}[31m-"));
}

#[tokio::test]
async fn a_file_that_is_wrong_is_no_difference() {
    let (_folder, server) = world().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("a.yaml");
    fs::write(&file, "metadata: {name: a}\nspec: {rules: [{fault: {percntage: 5}}]}\n").unwrap();
    let wrong = diff(&server, &file).await;
    assert_eq!((wrong.code, wrong.stdout.as_str()), (2, ""), "{wrong:?}");
    assert!(wrong.stderr.contains("did you mean `percentage`?"), "{wrong:?}");
    assert_eq!(diff(&server, Path::new("/nowhere")).await.code, 2);
    assert_eq!(hfi(&["policy", "diff", "--server", &server.url], &[]).await.code, 2);
}
