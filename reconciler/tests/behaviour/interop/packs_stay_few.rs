//! However often something is pushed, and by force at that, the clone stays small and few of its files are
//! open.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use harness::{GitHttp, Repository};
use reconciler::{
    source::{
        Source,
        access::Access,
        signers::Signers,
        state_dir::{StateDir, StateDirError},
    },
    sync::loader::Loader,
};
use tempfile::TempDir;

use crate::{
    support::policy,
    support::process::text,
    support::remote::{access, following, repository},
    support::signing::{Signer, head},
};

const PUSHES: usize = 300;
/// Every so many pushes are taken back by the next.
const FORCED: usize = 3;
const NOISE: usize = 20_000;
/// More than are ever there, and much less than there were pushes.
const FEW: usize = 60;

/// Commits, each of which is pushed: a policy changes, and noise comes along that is taken back.
fn commits(bare: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (stream, marks) = (folder.path().join("stream"), folder.path().join("marks"));
    let mut text = String::new();
    let mut kept = 0;
    for mark in 1..=PUSHES {
        writeln!(text, "commit refs/heads/pool\nmark :{mark}\ncommitter A <a@b> {mark} +0000\ndata 0")
            .unwrap();
        match kept {
            0 => {}
            kept => writeln!(text, "from :{kept}").unwrap(),
        }
        let policy = policy("a", "checkout", 400 + u16::try_from(mark % 100).unwrap());
        writeln!(text, "M 100644 inline a.yaml\ndata {}\n{policy}", policy.len()).unwrap();
        if mark % FORCED == 0 {
            // What does not compress, and no two of which are alike.
            let mut noise = String::new();
            let mut state = mark as u64;
            while noise.len() < NOISE {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                write!(noise, "{:08x}", state >> 32).unwrap();
            }
            writeln!(text, "M 100644 inline noise\ndata {}\n{noise}", noise.len()).unwrap();
        } else {
            kept = mark;
        }
    }
    fs::write(&stream, text).unwrap();
    let mut git = Command::new("git");
    git.arg("-C").arg(bare).args(["fast-import", "--quiet", "--force"]);
    git.arg(format!("--export-marks={}", marks.display())).stdin(fs::File::open(stream).unwrap());
    assert!(git.status().unwrap().success());
    let marks = fs::read_to_string(marks).unwrap();
    let mut ids: Vec<_> = marks
        .lines()
        .map(|line| {
            let (mark, id) = line.trim_start_matches(':').split_once(' ').unwrap();
            (mark.parse::<usize>().unwrap(), id.to_owned())
        })
        .collect();
    ids.sort();
    ids.into_iter().map(|(_, id)| id).collect()
}

/// The packs of a clone, and how many bytes they have.
fn packs(clone: &Path) -> (usize, u64) {
    let entries = fs::read_dir(clone.join("objects/pack")).unwrap().map(Result::unwrap);
    let packs = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".pack"));
    packs.fold((0, 0), |(count, bytes), pack| (count + 1, bytes + pack.metadata().unwrap().len()))
}

/// The number of files below a directory that this process has open.
fn open_files(folder: &Path) -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
    open.filter_map(|file| fs::read_link(file.path()).ok()).filter(|file| file.starts_with(folder)).count()
}

fn open(url: &str, state: &TempDir) -> Source {
    let state = loop {
        match StateDir::open(state.path().to_owned()) {
            // A program that another test starts shares the lock for a moment, until it is executed.
            Err(StateDirError::Taken(_)) => {
                fs::File::create(state.path().join("lock")).unwrap().lock().unwrap();
            }
            opened => break opened.unwrap(),
        }
    };
    Source::open(following(url, &access()), Some(state)).unwrap()
}

/// Moves the branch to a commit that is there.
fn force(bare: &Path, commit: &str) {
    let branch = bare.join("refs/heads/main");
    fs::write(branch.with_extension("new"), format!("{commit}\n")).unwrap();
    fs::rename(branch.with_extension("new"), &branch).unwrap();
}

/// Pushes a commit that is in another repository.
fn push(from: &Path, bare: &Path, commit: &str) {
    let mut git = Command::new("git");
    git.arg("-C").arg(from).args(["push", "--quiet", "--force"]).arg(bare);
    assert!(git.arg(format!("{commit}:refs/heads/main")).status().unwrap().success());
}

fn follow(url: &str, push: impl Fn(&str), state: &TempDir, commits: &[String]) {
    let clone: PathBuf = state.path().join("clone.git");
    let (mut source, mut loader) = (open(url, state), Loader::default());
    let mut most = (0, 0, 0);
    for commit in commits {
        push(commit);
        let loaded = loader.load(&mut source).unwrap().expect("nothing is new");
        assert_eq!(loaded.checkout.revision.as_str(), format!("main@sha1:{commit}"));
        source.tidy();
        let (packs, bytes) = packs(&clone);
        most = (most.0.max(packs), most.1.max(bytes), most.2.max(open_files(state.path())));
    }
    let (packs, bytes, files) = most;
    assert!(packs <= FEW && files <= FEW, "{packs} packs, {files} open files");
    let forced = commits.len() / FORCED * NOISE / 2;
    assert!(bytes < forced as u64 / 2, "{bytes} bytes, of which some {forced} were taken back");

    // Nothing is missing.
    let fsck =
        Command::new("git").arg("-C").arg(&clone).args(["fsck", "--full"]).stderr(Stdio::piped()).output();
    let fsck = fsck.unwrap();
    assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stderr));
    drop(source);
    let restored = Loader::default().restore(&mut open(url, state)).expect("nothing was kept");
    assert!(restored.checkout.revision.as_str().ends_with(commits.last().unwrap()));
}

#[tokio::test]
async fn through_hundreds_of_pushes() {
    let repository = Repository::new().await.unwrap();
    let http = GitHttp::start(repository.folder()).await.unwrap();
    let (url, bare) = (http.url("policies.git"), repository.bare());
    let run = move || {
        let commits = commits(&bare);
        follow(&url, |commit| force(&bare, commit), &tempfile::tempdir().unwrap(), &commits);
        // A repository on this machine gives away whole packs: here it has no other commits in them.
        let local = tempfile::tempdir().unwrap();
        let init = Command::new("git").args(["init", "--quiet", "--bare"]).arg(local.path()).status();
        assert!(init.unwrap().success());
        let push = |commit: &str| push(&bare, local.path(), commit);
        follow(text(local.path()), push, &tempfile::tempdir().unwrap(), &commits[..PUSHES / 2]);
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test]
async fn also_where_all_that_is_pushed_is_refused() {
    let (repository, alice) = (repository().await, Signer::ssh("-t ed25519"));
    let keys = tempfile::tempdir().unwrap();
    alice.allow_in(keys.path(), "alice.pub");
    alice.push(&repository).await;
    let signed = head(&repository).await;
    let bare = repository.bare();
    let run = move || {
        let state = tempfile::tempdir().unwrap();
        let access = Access { signers: Some(Signers::new(keys.path().to_owned())), ..access() };
        let settings = following(text(&bare), &access);
        let state_dir = StateDir::open(state.path().to_owned()).unwrap();
        let (mut source, mut loader) = (Source::open(settings, Some(state_dir)).unwrap(), Loader::default());
        loader.load(&mut source).unwrap().expect("it is signed");
        for commit in &commits(&bare)[..PUSHES / 2] {
            fs::write(bare.join("refs/heads/main"), format!("{commit}\n")).unwrap();
            let error = loader.load(&mut source).unwrap_err().to_string();
            assert!(error.contains("is not signed"), "{error}");
            source.tidy();
        }
        let (packs, _) = packs(&state.path().join("clone.git"));
        let files = open_files(state.path());
        assert!(packs <= FEW && files <= FEW, "{packs} packs, {files} open files");
        // What is good is still there, to be served and to be restored.
        fs::write(bare.join("refs/heads/main"), format!("{signed}\n")).unwrap();
        assert!(loader.load(&mut source).unwrap().is_none());
        drop(source);
        let restored = Loader::default().restore(&mut open(text(&bare), &state)).expect("nothing was kept");
        assert!(restored.checkout.revision.as_str().ends_with(&signed));
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}
