//! `--repo PATH`: the packs of a repository on this machine are linked, not copied, whoever owns it; what cannot be
//! followed is told with advice.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::Path,
    process::Command,
};

use reconciler::source::{Checkout, Source, state_dir::StateDir};

use crate::support::{
    plumbing::{Plumbing, bare},
    policy,
    process::text,
    remote::{access, following, look},
};

fn with_policies(repository: &Plumbing, names: &[&str]) -> String {
    let files = names.iter().map(|name| {
        let blob = repository.blob(policy(name, "checkout", 503));
        format!("100644 blob {blob}\t{name}.yaml")
    });
    let tree = repository.tree(files);
    repository.commit(&tree, "Change")
}

fn open(repository: &Path, state: &Path) -> Source {
    let state = StateDir::open(state.to_owned()).unwrap();
    Source::open(following(text(repository), &access()), Some(state)).unwrap()
}

fn read(source: &mut Source) -> Result<Checkout, String> {
    let reading = source.read(|_| false).map_err(|error| error.to_string())?;
    Ok(reading.expect("it is new").keep())
}

/// The packs of an object directory, by inode.
fn packs(repository: &Path) -> Vec<u64> {
    let packs = fs::read_dir(repository.join("objects/pack")).unwrap().flatten();
    let packs = packs.filter(|file| file.path().extension().is_some_and(|ending| ending == "pack"));
    packs.map(|pack| pack.metadata().unwrap().ino()).collect()
}

#[test]
fn its_packs_become_links_that_outlive_it() {
    let folder = tempfile::tempdir().unwrap();
    let (repository, state) = (bare(folder.path()), folder.path().join("state"));
    with_policies(&repository, &["a"]);
    repository.git(&["repack", "-adq"], "");
    let mut source = open(&repository.0, &state);
    assert_eq!(read(&mut source).unwrap().files.len(), 1);
    let clone = state.join("clone.git");
    assert_eq!(packs(&clone), packs(&repository.0), "they are not the same files");
    assert!(!clone.join("objects/info/alternates").exists());

    // A few commits are packed, whatever `gc` does there meanwhile.
    let newest = with_policies(&repository, &["a", "b"]);
    repository.git(&["gc", "--quiet", "--prune=now"], "");
    assert_eq!(read(&mut source).unwrap().files.len(), 2);
    drop(source);
    fs::remove_dir_all(&repository.0).unwrap();
    let mut source = open(&repository.0, &state);
    let restored = source.restore(|reading| Ok(reading.keep())).expect("nothing was kept");
    assert!(restored.revision.as_str().ends_with(&newest) && restored.files.len() == 2);
    let fsck = Command::new("git").arg("-C").arg(&clone).args(["fsck", "--full", "--strict"]).status();
    assert!(fsck.unwrap().success());
}

#[test]
fn on_another_filesystem_its_packs_and_loose_objects_are_copied() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let repository = bare(folder.path());
    with_policies(&repository, &["a"]);
    repository.git(&["repack", "-adq"], "");
    with_policies(&repository, &["a", "b"]);
    let mut source = open(&repository.0, elsewhere.path());
    assert_eq!(read(&mut source).unwrap().files.len(), 2);
    let clone = elsewhere.path().join("clone.git");
    let fsck = Command::new("git").arg("-C").arg(&clone).args(["fsck", "--full", "--strict"]).status();
    assert!(fsck.unwrap().success());
}

#[test]
fn a_symbolic_link_among_its_packs_is_read_and_not_linked() {
    let folder = tempfile::tempdir().unwrap();
    let (repository, state) = (bare(folder.path()), folder.path().join("state"));
    with_policies(&repository, &["a"]);
    repository.git(&["repack", "-adq"], "");
    for file in fs::read_dir(repository.0.join("objects/pack")).unwrap().map(|file| file.unwrap().path()) {
        let moved = folder.path().join(file.file_name().unwrap());
        fs::rename(&file, &moved).unwrap();
        std::os::unix::fs::symlink(moved, file).unwrap();
    }
    assert_eq!(read(&mut open(&repository.0, &state)).unwrap().files.len(), 1);
    let files = fs::read_dir(state.join("clone.git/objects/pack")).unwrap().flatten();
    assert!(files.into_iter().all(|file| file.file_type().unwrap().is_file()));
}

#[test]
fn what_it_borrows_from_another_repository_is_linked_too() {
    let folder = tempfile::tempdir().unwrap();
    let (repository, state) = (bare(folder.path()), folder.path().join("state"));
    with_policies(&repository, &["a"]);
    let borrower = Plumbing(folder.path().join("borrower.git"));
    repository.git(&["clone", "--quiet", "--bare", "--shared", ".", text(&borrower.0)], "");
    with_policies(&borrower, &["a", "b"]);
    assert_eq!(read(&mut open(&borrower.0, &state)).unwrap().files.len(), 2);
    fs::remove_dir_all(&repository.0).unwrap();
    fs::remove_dir_all(&borrower.0).unwrap();
    let mut source = open(&borrower.0, &state);
    assert!(source.restore(|reading| Ok(reading.keep())).is_some());
}

#[tokio::test]
async fn the_repository_of_another_user_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    with_policies(&repository, &["a"]);
    if chown(&repository.0, Some(1234), Some(1234)).is_err() {
        return;
    }
    assert_eq!(look(text(&repository.0), &access()).await.unwrap().files.len(), 1);
}

#[tokio::test]
async fn a_format_that_is_not_supported_is_told_with_advice() {
    for (argument, advice) in [
        ("--ref-format=reftable", "git refs migrate --ref-format=files"),
        ("--object-format=sha256", "git init --object-format=sha1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let made =
            Command::new("git").args(["init", "--quiet", "--bare", argument]).arg(folder.path()).output();
        if !made.unwrap().status.success() {
            // This Git does not know the format either.
            continue;
        }
        let error = look(text(folder.path()), &access()).await.unwrap_err();
        assert!(error.starts_with(text(folder.path())) && error.contains(advice), "{error}");
    }
}

#[tokio::test]
async fn a_partial_clone_is_followed_only_if_it_has_everything() {
    let folder = tempfile::tempdir().unwrap();
    let repository = bare(folder.path());
    with_policies(&repository, &["a"]);
    repository.git(&["config", "uploadpack.allowFilter", "true"], "");
    let partial = Plumbing(folder.path().join("partial"));
    let url = format!("file://{}", repository.0.display());
    repository.git(&["clone", "--quiet", "--filter=blob:none", "--no-checkout", &url, text(&partial.0)], "");
    let error = look(text(&partial.0), &access()).await.unwrap_err();
    assert!(
        error.contains("is a partial clone") && error.contains("git fetch --refetch --no-filter"),
        "{error}"
    );
    partial.git(&["fetch", "--quiet", "--refetch", "--no-filter"], "");
    assert_eq!(look(text(&partial.0), &access()).await.unwrap().files.len(), 1);
}
