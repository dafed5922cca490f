//! A look at a repository that is given up removes nothing there: its locks are those of a Git that is at work.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use reconciler::source::{access::Access, writing::is_checked_out};

use crate::support::{
    remote::{access, repository},
    writer::text,
};

#[tokio::test]
async fn the_locks_of_others_survive_a_look_that_dies_or_takes_too_long() {
    let repository = repository().await;
    let (work, git) = (repository.work(), repository.work().join(".git"));
    let locks = [
        work.join("Cargo.lock"),
        git.join("refs/heads/main.lock"),
        git.join("index.lock"),
        git.join("objects/pack/pack_git2_0123456789abcdef"),
    ];
    for lock in &locks {
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(lock, "").unwrap();
    }
    let program = repository.folder().join("program");
    let timeout = Duration::from_millis(300);
    for (script, why) in [("read -r order\nexit 1", "died"), ("exec sleep 600", "300ms")] {
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let access = Access { program: program.clone(), timeout, ..access() };
        let url = text(&work).parse().unwrap();
        let error = is_checked_out(&url, &"main".parse().unwrap(), &access).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        for lock in &locks {
            assert!(lock.exists(), "{}", lock.display());
        }
    }
}
