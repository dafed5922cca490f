//! A change of files becomes a commit that Git reads as its own, without a work tree and without an index.

use reconciler::source::writing::{CommitError, NewCommit};

use crate::support::{
    policy,
    remote::repository,
    writer::{PUSHED, bare_git, change, changes, commit_of, local, read},
};

#[tokio::test]
async fn files_are_written_changed_and_removed_and_all_others_stay() {
    let repository = repository().await;
    repository.write("team/b.yaml", "b").unwrap();
    repository.write("team/deep/c.yaml", "c").unwrap();
    repository.push("Add more").await.unwrap();
    let mut writer = local(&repository);
    let head = writer.head().unwrap();
    let new = changes(&[
        ("a.yaml", Some("changed\r\n")),
        ("team/deep/c.yaml", None),
        ("team/b.yaml", Some("b2")),
        ("new/deeper/d.yaml", Some("")),
        ("never-there.yaml", None),
    ]);
    let commit = writer.commit(head, &new).unwrap();
    assert_eq!(writer.file(commit, "a.yaml").unwrap().unwrap(), b"changed\r\n");
    assert_eq!(commit_of(&repository, "main").await, head.to_string(), "nothing is pushed yet");
    assert_eq!(writer.push(head, commit), PUSHED);
    assert_eq!(commit_of(&repository, "main").await, commit.to_string());
    let files = bare_git(&repository, &["ls-tree", "-r", "--name-only", "main"]).await;
    assert_eq!(files, "README.md\na.yaml\nnew/deeper/d.yaml\nteam/b.yaml", "no empty directory is left");
    assert_eq!(bare_git(&repository, &["show", "main:team/b.yaml"]).await, "b2");
    bare_git(&repository, &["fsck", "--strict", "--no-dangling"]).await;
    assert_eq!(read(&mut writer), commit);
}

#[tokio::test]
async fn the_author_and_the_message_stand_as_they_were_given() {
    let repository = repository().await;
    let mut writer = local(&repository);
    let head = writer.head().unwrap();
    let message = "Apply checkout-errors\n\nHfi-User: alice\nHfi-Request: 0af7\n";
    let new = NewCommit { message: message.to_owned(), ..change("a.yaml", "b") };
    let commit = writer.commit(head, &new).unwrap();
    assert_eq!(writer.push(head, commit), PUSHED);
    let shown = bare_git(&repository, &["log", "-1", "--format=%an <%ae> %cn <%ce>%n%B", "main"]).await;
    assert_eq!(shown, format!("alice <alice@hfi> alice <alice@hfi>\n{}", message.trim_end()));
    let trailer = bare_git(
        &repository,
        &["log", "-1", "--format=%(trailers:key=Hfi-User,valueonly,separator=)", "main"],
    );
    assert_eq!(trailer.await, "alice");
}

#[tokio::test]
async fn several_commits_go_in_one_push_in_their_order() {
    let repository = repository().await;
    let mut writer = local(&repository);
    let head = writer.head().unwrap();
    let mut tip = head;
    for number in 0..3 {
        tip = writer.commit(tip, &change(&format!("{number}.yaml"), &policy("x", "y", 500))).unwrap();
    }
    let checkout = writer.read_commit(tip, |_| false).unwrap();
    assert_eq!(checkout.checkout().files.len(), 4, "it is read as for serving before it is pushed");
    assert!(checkout.checkout().revision.as_str().ends_with(&tip.to_string()));
    drop(checkout);
    assert_eq!(writer.head(), Some(head));
    assert_eq!(writer.push(head, tip), PUSHED);
    let count = bare_git(&repository, &["rev-list", "--count", &format!("{head}..main")]).await;
    assert_eq!(count, "3");
}

#[tokio::test]
async fn a_change_of_nothing_is_no_commit() {
    let repository = repository().await;
    let mut writer = local(&repository);
    let head = writer.head().unwrap();
    let same = change("a.yaml", &policy("a", "checkout", 503));
    assert!(matches!(writer.commit(head, &same), Err(CommitError::Nothing)));
    let gone = changes(&[("b.yaml", None)]);
    assert!(matches!(writer.commit(head, &gone), Err(CommitError::Nothing)));
}

#[tokio::test]
async fn an_executable_file_stays_one() {
    let repository = repository().await;
    repository.git(&["update-index", "--chmod=+x", "a.yaml"]).await.unwrap();
    repository.git(&["commit", "--quiet", "-m", "Mode"]).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]).await.unwrap();
    let mut writer = local(&repository);
    let head = writer.head().unwrap();
    let commit = writer.commit(head, &change("a.yaml", "b")).unwrap();
    assert_eq!(writer.push(head, commit), PUSHED);
    assert!(bare_git(&repository, &["ls-tree", "main", "a.yaml"]).await.starts_with("100755 "));
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_file_is_named() {
    let repository = repository().await;
    repository.write("Team/b.yaml", "b").unwrap();
    std::os::unix::fs::symlink("Team", repository.work().join("link")).unwrap();
    std::os::unix::fs::symlink("a.yaml", repository.work().join("l.yaml")).unwrap();
    repository.push("Add more").await.unwrap();
    let head = commit_of(&repository, "main").await;
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},sub")]).await.unwrap();
    repository.git(&["commit", "--quiet", "-m", "Submodule"]).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]).await.unwrap();
    let mut writer = local(&repository);
    let head = writer.head().unwrap();
    for (path, why) in [
        ("link/b.yaml", "`link` is a symbolic link"),
        ("l.yaml", "`l.yaml` is a symbolic link"),
        ("sub/b.yaml", "`sub` is a submodule"),
        ("sub", "`sub` is a submodule"),
        ("Team", "`Team` is a directory"),
        ("a.yaml/b.yaml", "`a.yaml` is a file"),
        ("team/b.yaml", "differs from `Team`"),
        ("Team/B.yaml", "differs from `Team/b.yaml`"),
        ("../b.yaml", "is not a path"),
        (".git/hooks/post-commit", "Git keeps for itself"),
        ("Team/con.yaml", "Windows"),
    ] {
        let obstacle = writer.obstacle(head, path).unwrap().unwrap();
        assert!(obstacle.contains(why), "{path}: {obstacle}");
        let error = writer.commit(head, &change(path, "b")).unwrap_err();
        assert!(matches!(&error, CommitError::Obstacle { path: at, .. } if at == path), "{error}");
        assert!(error.to_string().contains(why), "{path}: {error}");
        assert_eq!(writer.file(head, path).unwrap(), None);
    }
    let clash = changes(&[("new/x.yaml", Some("a")), ("New/y.yaml", Some("b"))]);
    assert!(matches!(writer.commit(head, &clash), Err(CommitError::Obstacle { .. })));
    let twice = changes(&[("x.yaml", Some("a")), ("x.yaml", Some("b"))]);
    assert!(matches!(writer.commit(head, &twice), Err(CommitError::Obstacle { .. })));
    assert_eq!(writer.obstacle(head, "Team/c.yaml").unwrap(), None);
}
