//! An answer over HTTP that is of no use for Git is told as what it is, and never in the words of a library.

use std::process::Command;

use harness::GitHttp;

use crate::support::{
    front::{Answer, Front, Seen, text},
    plumbing::Plumbing,
    remote::{access, refusal, repository},
};

/// Words of libgit2, reqwest, hyper and rustls.
const FOREIGN: [&str; 8] =
    ["class=", "error sending", "hyper", "os error", "pkt", "reqwest", "unexpected", "url ("];

fn fails(status: &str, headers: &str) -> Vec<u8> {
    text(status, headers, "no")
}

#[tokio::test]
async fn an_answer_without_refs_is_told() {
    let repository = repository().await;
    let backend = GitHttp::start(repository.folder()).await.unwrap();
    let refs = "content-type: application/x-git-upload-pack-advertisement\r\n";
    let dumb = "0123456789012345678901234567890123456789\trefs/heads/main\n";
    let said = "001e# service=git-upload-pack\n00000019ERR access \x1b[2Jdenied";
    let answers: Vec<(Vec<u8>, &str)> = vec![
        (fails("403 Forbidden", ""), "the server refuses access (403 Forbidden)"),
        (fails("404 Not Found", ""), "the server has no such repository (404)"),
        (
            fails("429 Too Many Requests", "retry-after: 90\r\n"),
            "too many requests (429); it asks to wait 90 s",
        ),
        (fails("429 Slow down", ""), "too many requests (429)"),
        (
            fails("503 Service Unavailable", "retry-after: Sat, 28 Nov 2026 09:00:00 GMT\r\n"),
            "the server fails (503); it asks to wait until Sat, 28 Nov 2026 09:00:00 GMT",
        ),
        (fails("500 Internal Server Error", ""), "the server fails (500)"),
        (fails("418 I'm a teapot", ""), "status 418, which is of no use for Git"),
        (
            text("200 OK", "content-type: text/html; charset=utf-8\r\n", "<html>"),
            "a web page instead of Git data",
        ),
        (
            text("200 OK", "content-type: application/json\r\n", "{}"),
            "answers with `application/json` instead",
        ),
        (text("200 OK", "content-type: text/plain\r\n", dumb), "Git's dumb HTTP protocol"),
        (text("200 OK", "", dumb), "Git's dumb HTTP protocol"),
        (text("200 OK", "", ""), "answers without a Content-Type"),
        (text("200 OK", refs, dumb), "does not begin with `# service=git-upload-pack`"),
        (text("200 OK", refs, ""), "does not begin with `# service=git-upload-pack`"),
        (text("200 OK", refs, "001cERR access denied to you"), "the server says: access denied to you"),
        (text("200 OK", refs, said), "the server says: access \\u001b[2Jdenied"),
        (text("200 OK", refs, "001e# service=git-upload-pack\n0000zzzz"), "is not that of a Git server"),
        (text("200 OK", refs, "001e# service=git-upload-pack\n0000"), "ended its answer too early"),
        (text("200 OK", &format!("{refs}content-encoding: br\r\n"), "x"), "the content coding `br`"),
        (
            text("200 OK", &format!("{refs}content-encoding: gzip\r\n"), "x"),
            "ended before the answer was complete",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n".to_vec(), "ended before the answer was complete"),
        (
            format!("HTTP/1.1 200 OK\r\n{refs}content-length: 900\r\n\r\n001e# service=git-upload-pack\n")
                .into(),
            "ended before the answer was complete",
        ),
        (Vec::new(), "ended before the answer was complete"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec(), "does not answer with HTTP"),
    ];
    for (answer, said) in answers {
        let shown = String::from_utf8_lossy(&answer).into_owned();
        let front = Front::start(&backend, move |_, _| answer.clone()).await;
        let error = refusal(&front.repository(), &access()).await;
        assert!(error.starts_with(&format!("cannot fetch from {}: ", front.repository())), "{error}");
        assert!(error.contains(said), "{shown}\n{error}");
        assert!(!FOREIGN.iter().any(|word| error.contains(word)), "{error}");
    }
}

#[tokio::test]
async fn an_answer_without_a_whole_pack_is_told() {
    let repository = repository().await;
    let backend = GitHttp::start(repository.folder()).await.unwrap();
    let error = async |answer: fn(Answer) -> Vec<u8>| {
        let answer = move |seen: &Seen, behind: Answer| match seen.method.as_str() {
            "POST" => answer(behind),
            _ => behind.usual(),
        };
        let front = Front::start(&backend, answer).await;
        let error = refusal(&front.repository(), &access()).await;
        assert!(!FOREIGN.iter().any(|word| error.contains(word)), "{error}");
        error
    };
    // Shorter than the length that it gives.
    let broken = error(|answer| {
        let mut written = answer.usual();
        written.truncate(written.len() - 30);
        written
    })
    .await;
    assert!(broken.contains("the connection ended before the answer was complete"), "{broken}");
    let short = error(|mut answer| {
        answer.body.truncate(answer.body.len() / 2);
        answer.usual()
    })
    .await;
    assert!(short.contains("ended its answer too early"), "{short}");
    let damaged = error(|mut answer| {
        // Within the pack, after the packets before it.
        let at = answer.body.windows(4).position(|bytes| bytes == b"PACK").unwrap() + 14;
        answer.body[at] ^= 0x55;
        answer.usual()
    })
    .await;
    assert!(damaged.contains("a pack that is damaged or not complete"), "{damaged}");
    let page = error(|_| text("200 OK", "content-type: text/html\r\n", "<html>")).await;
    assert!(page.contains("a web page instead of Git data"), "{page}");
    let said = error(|_| {
        text("200 OK", "content-type: application/x-git-upload-pack-result\r\n", "0016ERR not our ref 12")
    })
    .await;
    assert!(said.contains("the server says: not our ref 12"), "{said}");
}

#[tokio::test]
async fn a_server_that_is_away_is_told() {
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refusal(&format!("http://{away}/policies.git"), &access()).await;
    assert!(error.ends_with(&format!("http://{away}/policies.git: {away} refuses connections")), "{error}");
    let error = refusal("http://git.invalid/policies.git", &access()).await;
    assert!(error.ends_with("git.invalid cannot be resolved to an address"), "{error}");
}

#[tokio::test]
async fn a_repository_of_sha_256_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("git")
        .args(["init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", "r.git"])
        .current_dir(folder.path())
        .status();
    assert!(made.unwrap().success());
    let repository = Plumbing(folder.path().join("r.git"));
    let files = repository.files(["a.yaml".to_owned()].into_iter(), &repository.blob("a"));
    let backend = GitHttp::start(folder.path()).await.unwrap();
    let empty = refusal(&backend.url("r.git"), &access()).await;
    assert!(empty.contains("is a SHA-256 repository") || empty.contains("it is empty"), "{empty}");
    repository.commit(&files, "Add a");
    let url = backend.url("r.git");
    let error = refusal(&url, &access()).await;
    assert!(error.starts_with(&format!("cannot fetch from {url}: the repository is a SHA-256 ")), "{error}");
    assert!(error.contains("git init --object-format=sha1"), "{error}");
}
