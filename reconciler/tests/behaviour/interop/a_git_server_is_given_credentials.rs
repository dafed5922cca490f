//! HTTPS: who asks is known by a password or token in a file, and who answers by a certificate.

use std::{fs, net::SocketAddr, path::PathBuf, process::Stdio};

use harness::{GitHttps, Repository};
use reconciler::source::access::{Access, Login};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    support::remote::{SOON, access, following, look, refusal, repository, until_told},
    support::{Server, policy},
};

/// A repository behind nginx, and what it takes to read it.
struct Forge {
    repository: Repository,
    server: GitHttps,
    password: PathBuf,
    access: Access,
    _folder: TempDir,
}

async fn forge() -> Forge {
    let repository = repository().await;
    let server = GitHttps::start(repository.folder(), "robot", "secret-1").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "secret-1\n").unwrap();
    let login =
        Login { username: Some("robot".into()), password_file: Some(password.clone()), ..Login::default() };
    let access = Access { login, ca_file: Some(server.ca_file()), ..access() };
    Forge { repository, server, password, access, _folder: folder }
}

#[tokio::test]
async fn a_password_and_an_authority_of_ones_own_open_a_repository() {
    let forge = forge().await;
    let checkout = look(&forge.server.url("policies.git"), &forge.access).await.unwrap();
    assert_eq!(checkout.files.len(), 1);
}

#[tokio::test]
async fn a_branch_that_is_pushed_by_force_or_made_again_is_followed_there_too() {
    let forge = forge().await;
    let (repository, query) = (&forge.repository, "namespace=demo&service=checkout");
    let server = Server::start(following(&forge.server.url("policies.git"), &forge.access), SOON).await;
    server.until_ready().await;
    let first = server.snapshot(query, &[]).await;
    repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    repository.push("Change a").await.unwrap();
    let second = server.next(query, &first.etag).await;
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]).await.unwrap();
    repository.git(&["push", "--quiet", "--force", "origin", "main"]).await.unwrap();
    assert_eq!(server.next(query, &second.etag).await, first);
    let bare = repository.bare();
    repository.git(&["-C", bare.to_str().unwrap(), "update-ref", "-d", "refs/heads/main"]).await.unwrap();
    repository.git(&["checkout", "--quiet", "--orphan", "other"]).await.unwrap();
    repository.write("a.yaml", &policy("a", "checkout", 404)).unwrap();
    repository.git(&["commit", "--quiet", "--all", "--message", "Begin again"]).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "other:main"]).await.unwrap();
    server.next(query, &first.etag).await;
}

#[tokio::test]
async fn a_refused_password_is_told_by_its_file_and_tried_once() {
    let forge = forge().await;
    fs::write(&forge.password, "secret-2").unwrap();
    let error = refusal(&forge.server.url("policies.git"), &forge.access).await;
    let file = forge.password.display();
    assert!(error.contains(&format!("refused the credentials: user `robot`, password in {file}")), "{error}");
    let asked = forge.server.requests().unwrap();
    assert_eq!(asked.lines().count(), 2, "once without and once with the password: {asked}");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let forge = forge().await;
    let url = forge.server.url("policies.git");
    let with = |login: Login| Access { login, ..forge.access.clone() };
    let error = refusal(&url, &with(Login::default())).await;
    assert!(error.contains("give one with --git-password-file"), "{error}");
    fs::write(&forge.password, "\n").unwrap();
    let error = refusal(&url, &forge.access).await;
    assert!(error.contains(&format!("{} is empty", forge.password.display())), "{error}");
    fs::remove_file(&forge.password).unwrap();
    let error = refusal(&url, &forge.access).await;
    assert!(error.contains(&format!("{} cannot be read", forge.password.display())), "{error}");
}

#[tokio::test]
async fn a_certificate_by_a_stranger_is_refused_before_the_password_is_sent() {
    let forge = forge().await;
    let url = forge.server.url("policies.git");
    let trusting_the_system = Access { ca_file: None, ..forge.access.clone() };
    let error = refusal(&url, &trusting_the_system).await;
    assert!(error.contains("certificate is not trusted"), "{error}");
    let another = GitHttps::start(forge.repository.folder(), "robot", "secret-1").await.unwrap();
    let error = refusal(&url, &Access { ca_file: Some(another.ca_file()), ..forge.access.clone() }).await;
    assert!(error.contains("certificate is not trusted"), "{error}");
    let error =
        refusal(&url, &Access { ca_file: Some(forge.password.clone()), ..forge.access.clone() }).await;
    assert!(error.contains("holds no certificate"), "{error}");
    assert_eq!(forge.server.requests().unwrap(), "");
}

#[tokio::test]
async fn a_password_is_not_taken_along_to_another_host() {
    let forge = forge().await;
    let error = refusal(&forge.server.moved_url("policies.git"), &forge.access).await;
    let port = forge.server.address().port();
    let said = format!("redirects to https://localhost:{port}, which asks for a password");
    assert!(error.contains(&said), "{error}");
    assert!(!forge.server.requests().unwrap().contains(" robot ["), "the password was sent");
}

#[tokio::test]
async fn a_password_that_is_rotated_counts_from_the_next_fetch_on() {
    let forge = forge().await;
    let settings = following(&forge.server.url("policies.git"), &forge.access);
    let server = Server::start(settings, SOON).await;
    server.until_ready().await;
    let before = server.snapshot("namespace=demo&service=checkout", &[]).await;

    forge.server.let_in("robot", "secret-2").unwrap();
    forge.repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    forge.repository.push("Change a").await.unwrap();
    let refused = || forge.server.requests().unwrap().matches(" robot [").count();
    let seen = refused();
    while refused() < seen + 2 {
        tokio::time::sleep(SOON).await;
    }
    let held = [("if-none-match", before.etag.as_str())];
    let now = server.snapshot("namespace=demo&service=checkout", &held).await;
    assert_eq!(now.status, 304, "a refusal changes nothing");

    fs::write(&forge.password, "secret-2").unwrap();
    server.next("namespace=demo&service=checkout", &before.etag).await;
}

#[tokio::test]
async fn a_refusal_is_told_until_there_is_something_to_serve() {
    let forge = forge().await;
    fs::write(&forge.password, "secret-2").unwrap();
    let settings = following(&forge.server.url("policies.git"), &forge.access);
    let server = Server::start(settings, SOON).await;
    until_told(&server, "refused the credentials").await;
    fs::write(&forge.password, "secret-1").unwrap();
    server.until_ready().await;
}

/// All that a process says until it is ended, and what `ps` shows of it and its children meanwhile.
async fn watched(environment: &[(&str, &str)], until: &str) -> String {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let temporary = tempfile::tempdir().unwrap();
    let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_hfi"))
        .arg("serve")
        .env("TMPDIR", temporary.path())
        .envs(environment.iter().copied())
        .env("HFI_LISTEN", "127.0.0.1:0")
        .env("HFI_LOG", "trace")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut said = String::new();
    let watching = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            let shown = tokio::process::Command::new("ps").args(["-eo", "args"]).output().await.unwrap();
            said += &format!("{line}\n{}", String::from_utf8_lossy(&shown.stdout));
            if line.contains(until) {
                return;
            }
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, watching).await.expect(until);
    said
}

#[tokio::test]
async fn no_secret_is_logged_or_shown_by_ps() {
    let forge = forge().await;
    let (url, ca) = (forge.server.url("policies.git"), forge.server.ca_file());
    let environment = [
        ("HFI_REPO", url.as_str()),
        ("HFI_GIT_USERNAME", "robot"),
        ("HFI_GIT_PASSWORD_FILE", forge.password.to_str().unwrap()),
        ("HFI_CA_FILE", ca.to_str().unwrap()),
    ];
    let said = watched(&environment, "\"serving\"").await;
    assert!(!said.contains("secret-1"), "{said}");
    fs::write(&forge.password, "secret-2").unwrap();
    let said = watched(&environment, "refused the credentials").await;
    assert!(!said.contains("secret-2"), "{said}");
}

/// A proxy that leads to this address whatever it is asked for, and how often it was.
async fn proxy(to: SocketAddr) -> (String, watch::Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asking, asked) = watch::channel(0);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            asking.send_modify(|count| *count += 1);
            tokio::spawn(tunnel(client, to));
        }
    });
    (url, asked)
}

async fn tunnel(mut client: TcpStream, to: SocketAddr) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(client.read_u8().await?);
    }
    assert!(request.starts_with(b"CONNECT git.invalid:"), "{}", String::from_utf8_lossy(&request));
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut client, &mut TcpStream::connect(to).await?).await.map(drop)
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used() {
    let forge = forge().await;
    let (proxy, asked) = proxy(forge.server.address()).await;
    let (url, ca) =
        (forge.server.url("policies.git").replace("127.0.0.1", "git.invalid"), forge.server.ca_file());
    let environment = |proxy| {
        [
            ("HFI_REPO", url.as_str()),
            ("HFI_GIT_USERNAME", "robot"),
            ("HFI_GIT_PASSWORD_FILE", forge.password.to_str().unwrap()),
            ("HFI_CA_FILE", ca.to_str().unwrap()),
            ("https_proxy", proxy),
        ]
    };
    watched(&environment(&proxy), "\"serving\"").await;
    assert!(*asked.borrow() > 0);
    let said = watched(&environment("http://me:secret-3@"), "nothing to serve yet").await;
    assert!(!said.contains("secret-3"), "{said}");
}
