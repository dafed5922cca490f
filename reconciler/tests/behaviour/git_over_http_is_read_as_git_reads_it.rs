//! What git takes from a server over HTTP is taken, whatever way the server chose to say it.

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _};

use flate2::{Compression, write::GzEncoder};
use harness::{GitHttp, Repository};
use reconciler::source::{
    Source,
    access::{Access, Login},
};

use crate::support::{
    front::{Answer, Front, Seen, text},
    policy,
    remote::{access, following, look, noise, refusal, repository},
};

async fn backend() -> (Repository, GitHttp) {
    let repository = repository().await;
    let backend = GitHttp::start(repository.folder()).await.unwrap();
    (repository, backend)
}

async fn is_read(answer: impl Fn(&Seen, Answer) -> Vec<u8> + Send + Sync + 'static, why: &str) {
    let (_repository, backend) = backend().await;
    let front = Front::start(&backend, answer).await;
    let checkout = look(&front.repository(), &access()).await;
    assert_eq!(checkout.map(|checkout| checkout.files.len()), Ok(1), "{why}");
}

#[tokio::test]
async fn an_answer_may_be_written_in_many_ways() {
    is_read(|_, answer| answer.usual(), "as usual").await;
    is_read(|_, answer| answer.written("HTTP/1.1"), "ended by closing").await;
    is_read(|_, answer| answer.written("HTTP/1.0"), "HTTP/1.0").await;
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";
    is_read(move |_, answer| [early.as_bytes().to_vec(), answer.usual()].concat(), "after hints").await;
    let with_charset = |_: &Seen, answer: Answer| {
        let kind = answer.headers.iter().find(|(name, _)| name == "content-type").unwrap().1.to_uppercase();
        answer.with("content-type", &format!("{kind} ; charset=utf-8")).usual()
    };
    is_read(with_charset, "with a charset").await;
    let compressed = |seen: &Seen, answer: Answer| {
        assert_eq!(seen.header("accept-encoding"), Some("gzip"));
        let mut body = GzEncoder::new(Vec::new(), Compression::fast());
        body.write_all(&answer.body).unwrap();
        Answer { body: body.finish().unwrap(), ..answer }.with("content-encoding", "gzip").usual()
    };
    is_read(compressed, "compressed").await;
    let chunked = |_: &Seen, answer: Answer| {
        let chunks = answer
            .body
            .chunks(7)
            .map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        let body = chunks.chain([b"0\r\n\r\n".to_vec()]).collect::<Vec<_>>().concat();
        Answer { body, ..answer }.with("transfer-encoding", "chunked").written("HTTP/1.1")
    };
    is_read(chunked, "in chunks").await;
}

/// Asks for the password `secret` of the user `git` with these challenges.
fn challenge(challenges: &'static str) -> impl Fn(&Seen, Answer) -> Vec<u8> + Send + Sync {
    move |seen, answer| match seen.header("authorization") {
        Some("Basic Z2l0OnNlY3JldA==") => answer.usual(),
        _ => text("401 Unauthorized", challenges, "no"),
    }
}

fn with_password() -> (Access, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "secret\n").unwrap();
    let login = Login { password_file: Some(file.path().to_owned()), ..Login::default() };
    (Access { login, ..access() }, file)
}

#[tokio::test]
async fn the_password_is_used_whatever_else_is_offered_beside_basic() {
    let (_repository, backend) = backend().await;
    let (access, _file) = with_password();
    for challenges in [
        "www-authenticate: Basic realm=\"x\"\r\nwww-authenticate: NTLM\r\n",
        "www-authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nwww-authenticate: basic realm=\"a, b\"\r\n",
        "www-authenticate: Bearer authorization_uri=https://x/y, Basic realm=x, TFS-Federated\r\n",
    ] {
        let front = Front::start(&backend, challenge(challenges)).await;
        let checkout = look(&front.repository(), &access).await;
        assert_eq!(checkout.map(|checkout| checkout.files.len()), Ok(1), "{challenges}");
        assert_eq!(front.seen().iter().filter(|seen| seen.header("authorization").is_none()).count(), 1);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_password_is_not_shown_one() {
    let (_repository, backend) = backend().await;
    let (access, _file) = with_password();
    for (challenges, said) in [
        (
            "www-authenticate: Negotiate\r\nwww-authenticate: NTLM\r\n",
            "it offers Negotiate, NTLM, and hfi has only Basic",
        ),
        ("", "does not say in WWW-Authenticate what it wants"),
    ] {
        let front = Front::start(&backend, challenge(challenges)).await;
        let error = refusal(&front.repository(), &access).await;
        assert!(error.contains(said), "{error}");
        assert!(front.seen().iter().all(|seen| seen.header("authorization").is_none()));
    }
}

#[tokio::test]
async fn the_user_of_the_url_is_the_user() {
    let (_repository, backend) = backend().await;
    let front = Front::start(&backend, challenge("www-authenticate: Basic realm=\"x\"\r\n")).await;
    let (mut access, _file) = with_password();
    access.login.username = Some("other".to_owned());
    let error = refusal(&front.repository(), &access).await;
    assert!(error.contains("refused the credentials: user `other`"), "{error}");
    let checkout = look(&front.repository().replace("://", "://git@"), &access).await.unwrap();
    assert_eq!(checkout.files.len(), 1);
}

/// A source of a repository with so many commits that libgit2 offers them in several requests, read once.
async fn of_a_long_history(repository: &Repository, front: &Front) -> Source {
    for number in 0..60 {
        let message = format!("Note {number}");
        repository.git(&["commit", "--quiet", "--allow-empty", "--message", &message]).await.unwrap();
    }
    repository.git(&["push", "--quiet", "origin", "main"]).await.unwrap();
    let source = Source::open(following(&front.repository(), &access()), None).unwrap();
    read(source).await.0
}

/// Reads what is new. Returns the number of files with the source.
async fn read(mut source: Source) -> (Source, usize) {
    let read = move || {
        let files = source.read(|_| false).unwrap().unwrap().keep().files.len();
        (source, files)
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// Replaces all commits of the branch by another one, and prunes them from the server, which then knows none of them.
async fn begin_again(repository: &Repository) {
    repository.git(&["checkout", "--quiet", "--orphan", "other"]).await.unwrap();
    repository.write("a.yaml", &policy("a", "checkout", 404)).unwrap();
    repository.git(&["commit", "--quiet", "--all", "--message", "Begin again"]).await.unwrap();
    repository.git(&["push", "--quiet", "--force", "origin", "other:main"]).await.unwrap();
    let bare = repository.bare();
    let bare = bare.to_str().unwrap();
    repository.git(&["-C", bare, "reflog", "expire", "--expire=now", "--all"]).await.unwrap();
    repository.git(&["-C", bare, "gc", "--quiet", "--prune=now"]).await.unwrap();
}

/// Adds a policy of its own with as many commits.
async fn go_on(repository: &Repository, name: &str, commits: usize) {
    for number in 0..commits {
        let status = 400 + u16::try_from(number).unwrap();
        repository.write(&format!("{name}.yaml"), &policy(name, "checkout", status)).unwrap();
        repository.git(&["add", "--all"]).await.unwrap();
        repository.git(&["commit", "--quiet", "--message", "Go on"]).await.unwrap();
    }
    repository.git(&["push", "--quiet", "origin", "HEAD:main"]).await.unwrap();
}

#[tokio::test]
async fn a_long_request_is_compressed() {
    let (repository, backend) = backend().await;
    let front = Front::start(&backend, |_, answer| answer.usual()).await;
    let source = of_a_long_history(&repository, &front).await;
    begin_again(&repository).await;
    assert_eq!(read(source).await.1, 1);
    let codings: Vec<_> =
        front.seen().iter().map(|seen| seen.header("content-encoding").map(str::to_owned)).collect();
    assert!(codings.contains(&Some("gzip".to_owned())), "{codings:?}");
}

#[tokio::test]
async fn a_pack_is_asked_for_with_the_first_commits_that_are_offered() {
    let (repository, backend) = backend().await;
    let front = Front::start(&backend, |_, answer| answer.usual()).await;
    let source = of_a_long_history(&repository, &front).await;
    let posts = || front.seen().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!(posts(), 1, "a clone offers none");
    go_on(&repository, "b", 1).await;
    let (source, files) = read(source).await;
    assert_eq!((posts(), files), (2, 2), "one commit more");
    begin_again(&repository).await;
    let (source, files) = read(source).await;
    assert_eq!((posts(), files), (3, 2), "the server has none of those that are offered");
    go_on(&repository, "c", 30).await;
    let (source, _) = read(source).await;
    go_on(&repository, "d", 1).await;
    assert_eq!(read(source).await.1, 4);
    assert_eq!(posts(), 5, "one commit more after many");
}

#[tokio::test]
async fn a_large_pack_passes_through_little_memory() {
    let (repository, backend) = backend().await;
    for number in 0..48 {
        fs::write(repository.work().join(format!("{number}.bin")), noise(1 << 20, number + 1)).unwrap();
    }
    repository.push("Add 48 MiB").await.unwrap();
    // The process that fetches may have less than the pack.
    let folder = tempfile::tempdir().unwrap();
    let (program, limited) = (folder.path().join("hfi"), "#!/bin/sh\nulimit -d 40000 && exec");
    fs::write(&program, format!("{limited} {} \"$@\"\n", env!("CARGO_BIN_EXE_hfi"))).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let checkout = look(&backend.url("policies.git"), &Access { program, ..access() }).await;
    assert_eq!(checkout.map(|checkout| checkout.files.len()), Ok(1));
}
