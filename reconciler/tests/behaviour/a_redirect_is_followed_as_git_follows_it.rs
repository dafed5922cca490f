//! A redirect is followed by the first request of a fetch, and never with the password to another server.

use std::{
    fs,
    sync::{Arc, OnceLock},
};

use harness::{GitHttp, Repository};
use reconciler::source::access::{Access, Login};

use crate::support::{
    front::{Answer, Front, Seen, text},
    remote::{access, look, refusal, repository},
};

async fn backend() -> (Repository, GitHttp) {
    let repository = repository().await;
    let backend = GitHttp::start(repository.folder()).await.unwrap();
    (repository, backend)
}

fn redirect(to: &str) -> Vec<u8> {
    text("302 Found", &format!("location: {to}\r\n"), "")
}

fn with_password() -> (Access, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "secret").unwrap();
    let login = Login { password_file: Some(file.path().to_owned()), ..Login::default() };
    (Access { login, ..access() }, file)
}

fn asking(seen: &Seen, answer: Answer) -> Vec<u8> {
    match seen.header("authorization") {
        Some(_) => answer.usual(),
        None => text("401 Unauthorized", "www-authenticate: Basic realm=\"x\"\r\n", ""),
    }
}

/// A server whose repository has moved to another URL.
async fn moved(backend: &GitHttp, to: String) -> Front {
    Front::start(backend, move |seen, _| redirect(&seen.target.replace("/policies.git", &to))).await
}

#[tokio::test]
async fn a_repository_that_moved_is_read_where_it_is() {
    let (_repository, backend) = backend().await;
    let there = Front::start(&backend, |_, answer| answer.usual()).await;
    let front = moved(&backend, there.repository()).await;
    let checkout = look(&front.repository(), &access()).await.unwrap();
    assert_eq!(checkout.files.len(), 1);
    assert_eq!(front.seen().len(), 1, "only the first request goes there");
    assert_eq!(there.seen().last().unwrap().target, "/policies.git/git-upload-pack");
}

#[tokio::test]
async fn the_password_goes_along_within_the_server_only() {
    let (_repository, backend) = backend().await;
    let (access, _file) = with_password();
    let within = Front::start(&backend, |seen, answer| match seen.target.strip_prefix("/old") {
        Some(path) => redirect(path),
        None => asking(seen, answer),
    })
    .await;
    let checkout = look(&format!("{}/old/policies.git", within.url), &access).await.unwrap();
    assert_eq!(checkout.files.len(), 1);

    let stranger = Front::start(&backend, asking).await;
    // Another port, and another name of the same host.
    for to in [stranger.repository(), stranger.repository().replace("127.0.0.1", "localhost")] {
        let front = moved(&backend, to.clone()).await;
        let error = refusal(&front.repository(), &access).await;
        let origin = to.trim_end_matches("/policies.git");
        assert!(error.contains(&format!("redirects to {origin}, which asks for a password")), "{error}");
    }
    // Even once the own server has had it.
    let (target, to) = (stranger.repository(), Arc::new(OnceLock::<String>::new()));
    to.set(target).unwrap();
    let known = Front::start(&backend, move |seen, answer| match seen.header("authorization") {
        Some(_) => redirect(&seen.target.replace("/policies.git", to.get().unwrap())),
        None => asking(seen, answer),
    })
    .await;
    let error = refusal(&known.repository(), &access).await;
    assert!(error.contains("which asks for a password"), "{error}");
    assert_eq!(stranger.seen().len(), 3);
    assert!(stranger.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn user_information_in_a_redirect_is_not_sent() {
    let (_repository, backend) = backend().await;
    let there = Front::start(&backend, |_, answer| answer.usual()).await;
    let front = moved(&backend, there.repository().replace("://", "://me:secret@")).await;
    look(&front.repository(), &access()).await.unwrap();
    assert!(there.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn other_redirects_are_refused() {
    let (_repository, backend) = backend().await;
    let error = async |answer: fn(&Seen, Answer) -> Vec<u8>| {
        let front = Front::start(&backend, answer).await;
        (refusal(&front.repository(), &access()).await, front.seen())
    };
    let (late, seen) = error(|seen, answer| match seen.method.as_str() {
        "POST" => redirect("/elsewhere/git-upload-pack"),
        _ => answer.usual(),
    })
    .await;
    assert!(late.contains("only the first may be redirected"), "{late}");
    assert_eq!(seen.len(), 2);
    let (circle, seen) = error(|seen, _| redirect(&seen.target)).await;
    assert!(circle.contains("redirects more than 20 times"), "{circle}");
    assert_eq!(seen.len(), 21);
    let (login, _) = error(|seen, _| match seen.target.starts_with("/login") {
        true => text("200 OK", "content-type: text/html\r\n", "<html>Sign in"),
        false => redirect("/login?return=policies"),
    })
    .await;
    assert!(login.contains("and not to a Git repository; is that a login page?"), "{login}");
    let (file, _) = error(|_, _| redirect("file:///etc/passwd")).await;
    assert!(file.contains("an address that is not HTTP"), "{file}");
}
