//! A push that ends without an answer is neither taken for good nor for bad: the repository is asked.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use harness::{GitHttp, Repository};
use reconciler::source::{
    access::Access,
    ancestry::CommitId,
    writing::{PushOutcome, Settled, Writer},
};

use crate::support::{
    PATIENCE,
    front::Front,
    remote::access,
    writer::{PUSHED, bare_git, change, commit_of, hook, over_http, read, settings, writer},
};

/// Long enough for a push on this machine, and short enough to wait for.
const SHORT: Duration = Duration::from_secs(6);

/// A repository behind a server that takes pushes.
struct Forge {
    repository: Repository,
    server: GitHttp,
}

async fn forge() -> Forge {
    let (repository, server) = over_http().await;
    Forge { repository, server }
}

impl Forge {
    fn writer(&self, access: &Access) -> (Writer, CommitId, CommitId) {
        of(&self.server.url("policies.git"), access)
    }

    /// A hook that hangs while the file exists that is returned first, and makes the other one when it begins.
    fn hang(&self, name: &str) -> (Hold, PathBuf) {
        let hold = self.repository.folder().join("hold");
        let begun = self.repository.folder().join("begun");
        fs::write(&hold, "").unwrap();
        let (held, told) = (hold.display(), begun.display());
        hook(&self.repository, name, &format!("touch {told}\nwhile [ -e {held} ]; do sleep 0.02; done"));
        (Hold(hold), begun)
    }
}

/// A file that goes away with this value, also where a test fails.
struct Hold(PathBuf);

impl Drop for Hold {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn of(url: &str, access: &Access) -> (Writer, CommitId, CommitId) {
    let mut writer = writer(settings(url, access));
    let head = writer.head().unwrap();
    let commit = writer.commit(head, &change("a.yaml", "ours")).unwrap();
    (writer, head, commit)
}

fn is_unknown(outcome: &PushOutcome, commit: CommitId) {
    let PushOutcome::Unknown { commit: told, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(*told, commit);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_for() {
    let forge = forge().await;
    let front = Front::start(&forge.server, |seen, answer| {
        let is_push = seen.method == "POST" && seen.target.ends_with("git-receive-pack");
        if is_push { Vec::new() } else { answer.usual() }
    })
    .await;
    let (mut writer, head, commit) = of(&front.repository(), &access());
    is_unknown(&writer.push(head, commit), commit);
    assert_eq!(commit_of(&forge.repository, "main").await, commit.to_string(), "the server has taken it");
    assert_eq!(writer.settle(head, commit), Settled::In);
    let pushes =
        front.seen().iter().filter(|seen| seen.method == "POST" && seen.target.contains("receive")).count();
    assert_eq!(pushes, 1, "a push is not repeated by itself");
    assert_eq!(read(&mut writer), commit);
    forge.repository.git(&["pull", "--quiet", "origin", "main"]).await.unwrap();
    forge.repository.write("b.yaml", "theirs").unwrap();
    forge.repository.push("Theirs").await.unwrap();
    assert_eq!(writer.settle(head, commit), Settled::In, "also below the commit of another");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_in_the_place_of_the_answer_settles_anything() {
    let result = "content-type: application/x-git-receive-pack-result\r\n";
    for (status, headers, body) in [
        ("502 Bad Gateway", "", ""),
        ("408 Request Timeout", "", "too slow"),
        ("404 Not Found", "", ""),
        ("429 Too Many Requests", "", ""),
        ("200 OK", result, "0010ERR go away\n"),
    ] {
        let forge = forge().await;
        let front = Front::start(&forge.server, move |seen, answer| {
            let is_push = seen.method == "POST" && seen.target.ends_with("git-receive-pack");
            if is_push { crate::support::front::text(status, headers, body) } else { answer.usual() }
        })
        .await;
        let (mut writer, head, commit) = of(&front.repository(), &access());
        is_unknown(&writer.push(head, commit), commit);
        assert_eq!(writer.settle(head, commit), Settled::In, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_the_middle_may_be_pushed_to_again() {
    let forge = forge().await;
    hook(&forge.repository, "pre-receive", "kill -9 $PPID");
    let (mut writer, head, commit) = forge.writer(&access());
    is_unknown(&writer.push(head, commit), commit);
    assert_eq!(commit_of(&forge.repository, "main").await, head.to_string());
    assert_eq!(writer.settle(head, commit), Settled::NotYet);
    writer.tidy();
    fs::remove_file(forge.repository.bare().join("hooks/pre-receive")).unwrap();
    assert_eq!(writer.push(head, commit), PUSHED);
    assert_eq!(writer.settle(head, commit), Settled::In);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_died_is_out_of_the_race_once_the_branch_has_moved() {
    let forge = forge().await;
    hook(&forge.repository, "pre-receive", "kill -9 $PPID");
    let (mut writer, head, commit) = forge.writer(&access());
    is_unknown(&writer.push(head, commit), commit);
    fs::remove_file(forge.repository.bare().join("hooks/pre-receive")).unwrap();
    forge.repository.write("b.yaml", "theirs").unwrap();
    forge.repository.push("Theirs").await.unwrap();
    let theirs = CommitId::from_hex(&commit_of(&forge.repository, "main").await);
    assert_eq!(writer.settle(head, commit), Settled::NotIn { head: theirs });
    assert_eq!(writer.push(head, commit), PushOutcome::LostRace { head: theirs });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_died_is_out_of_the_race_once_the_branch_was_reset() {
    let forge = forge().await;
    forge.repository.write("b.yaml", "theirs").unwrap();
    forge.repository.push("Theirs").await.unwrap();
    hook(&forge.repository, "pre-receive", "kill -9 $PPID");
    let (mut writer, head, commit) = forge.writer(&access());
    is_unknown(&writer.push(head, commit), commit);
    assert_eq!(writer.settle(head, commit), Settled::NotYet);
    let below = bare_git(&forge.repository, &["rev-parse", "main~1"]).await;
    bare_git(&forge.repository, &["update-ref", "refs/heads/main", &below]).await;
    let below = CommitId::from_hex(&below);
    assert_eq!(
        writer.settle(head, commit),
        Settled::NotIn { head: below },
        "it was pushed on top of another"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_the_push_and_hangs_is_left_after_a_while() {
    let forge = forge().await;
    let (_hold, _) = forge.hang("post-receive");
    let (mut writer, head, commit) = forge.writer(&Access { timeout: SHORT, ..access() });
    let began = Instant::now();
    is_unknown(&writer.push(head, commit), commit);
    assert!(began.elapsed() < SHORT + PATIENCE);
    assert_eq!(writer.settle(head, commit), Settled::In);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_after_the_server_was_left_is_seen() {
    let forge = forge().await;
    let (hold, _) = forge.hang("pre-receive");
    let (mut writer, head, commit) = forge.writer(&Access { timeout: SHORT, ..access() });
    is_unknown(&writer.push(head, commit), commit);
    assert_eq!(writer.settle(head, commit), Settled::NotYet);
    drop(hold);
    let until = Instant::now() + PATIENCE;
    while writer.settle(head, commit) == Settled::NotYet && Instant::now() < until {}
    // The server may have noticed that nobody waits for its answer.
    match writer.settle(head, commit) {
        Settled::In => {}
        Settled::NotYet => assert_eq!(writer.push(head, commit), PUSHED),
        other => panic!("{other:?}"),
    }
    assert_eq!(commit_of(&forge.repository, "main").await, commit.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_has_begun_is_not_aborted() {
    let forge = forge().await;
    let (hold, begun) = forge.hang("pre-receive");
    let (mut writer, head, commit) = forge.writer(&access());
    let abort = writer.abort();
    let other = tokio::spawn(async move {
        while !begun.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        abort.request();
        drop(hold);
    });
    assert_eq!(writer.push(head, commit), PUSHED);
    other.await.unwrap();
    assert_eq!(commit_of(&forge.repository, "main").await, commit.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_has_not_begun_is_aborted_and_bounded_in_time() {
    let forge = forge().await;
    let (mut writer, head, commit) = forge.writer(&access());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/policies.git", silent.local_addr().unwrap());
    let hurried = Access { timeout: Duration::from_millis(300), ..access() };
    for (access, is_aborted) in [(access(), true), (hurried, false)] {
        let mut writer = Writer::open(settings(&url, &access)).unwrap();
        let abort = writer.abort();
        if is_aborted {
            thread::spawn({
                let silent = silent.try_clone().unwrap();
                move || {
                    let _connection = silent.accept().unwrap();
                    abort.request();
                }
            });
        }
        let began = Instant::now();
        let outcome = writer.push(head, commit);
        let PushOutcome::Unreachable { reason } = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains(if is_aborted { "hfi is to end" } else { "300ms" }), "{reason}");
        assert!(began.elapsed() < PATIENCE);
    }
    drop(silent);
    let mut away = Writer::open(settings(&url, &access())).unwrap();
    let outcome = away.push(head, commit);
    let PushOutcome::Unreachable { reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("refuses connections"), "{reason}");
    assert!(matches!(away.settle(head, commit), Settled::Unknown { .. }));
    assert_eq!(writer.push(head, commit), PUSHED);
}
