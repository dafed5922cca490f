//! SSH: the server is known by its key in a file, and so are we. Nothing is trusted at first sight.

use std::{fs, io::Write as _, net::TcpListener, path::PathBuf, thread};

use harness::{GitSsh, Repository};
use reconciler::source::access::{Access, Login};
use tempfile::TempDir;

use crate::{
    support::remote::{SOON, access, following, look, refusal, repository},
    support::{Server, policy},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";

/// A repository behind sshd, and what it takes to read it.
struct Forge {
    repository: Repository,
    server: GitSsh,
    known_hosts: PathBuf,
    access: Access,
    _folder: TempDir,
}

impl Forge {
    fn url(&self) -> String {
        self.server.url(&self.repository.bare())
    }

    fn with_key(&self, key: PathBuf) -> Access {
        let login = Login { ssh_key_file: Some(key), ..self.access.login.clone() };
        Access { login, ..self.access.clone() }
    }
}

async fn forge(kind: &str) -> Forge {
    let repository = repository().await;
    let server = GitSsh::start(kind).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let known_hosts = folder.path().join("known_hosts");
    fs::write(&known_hosts, server.known_host().unwrap()).unwrap();
    let login = Login { ssh_key_file: Some(server.client_key()), ..Login::default() };
    let access = Access { login, known_hosts_file: Some(known_hosts.clone()), ..access() };
    Forge { repository, server, known_hosts, access, _folder: folder }
}

#[tokio::test]
async fn the_right_keys_open_a_repository() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let forge = forge(kind).await;
        let checkout = look(&forge.url(), &forge.access).await.unwrap();
        assert_eq!(checkout.files.len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn an_address_in_the_form_of_scp_goes_over_ssh() {
    let forge = forge("ed25519").await;
    let url = forge.url();
    let (authority, path) = url.trim_start_matches("ssh://").split_once('/').unwrap();
    // The brackets are for the port, which is not the usual one here.
    look(&format!("[{authority}]:/{path}"), &forge.access).await.unwrap();
}

#[tokio::test]
async fn keys_of_every_usual_kind_are_ours() {
    let forge = forge("ed25519").await;
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = forge.server.another_key(kind, "").await.unwrap();
        forge.server.let_in(&key).unwrap();
        look(&forge.url(), &forge.with_key(key)).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_with_a_passphrase_is_opened_by_it() {
    let forge = forge("ed25519").await;
    let key = forge.server.another_key("ed25519", "secret words").await.unwrap();
    forge.server.let_in(&key).unwrap();
    let passphrase = key.with_file_name("passphrase");
    fs::write(&passphrase, "secret words\n").unwrap();
    let mut access = forge.with_key(key.clone());
    let error = refusal(&forge.url(), &access).await;
    assert!(error.contains(&format!("cannot use the SSH key in {}", key.display())), "{error}");
    access.login.password_file = Some(passphrase.clone());
    look(&forge.url(), &access).await.unwrap();
    fs::write(&passphrase, "other secret words\n").unwrap();
    let error = refusal(&forge.url(), &access).await;
    assert!(error.contains(&format!("cannot use the SSH key in {}", key.display())), "{error}");
}

#[tokio::test]
async fn a_refused_key_is_told_by_its_file_and_tried_once() {
    let forge = forge("ed25519").await;
    let key = forge.server.another_key("ed25519", "").await.unwrap();
    let error = refusal(&forge.url(), &forge.with_key(key.clone())).await;
    assert!(error.contains("refused the credentials: user `"), "{error}");
    assert!(error.contains(&format!("SSH key in {}", key.display())), "{error}");
    let missing = key.with_file_name("missing");
    let error = refusal(&forge.url(), &forge.with_key(missing.clone())).await;
    assert!(error.contains(&format!("{} cannot be read", missing.display())), "{error}");
}

#[tokio::test]
async fn a_server_with_another_key_than_known_is_refused() {
    let forge = forge("ed25519").await;
    let another = forge.server.another_key("ed25519", "").await.unwrap();
    fs::write(&forge.known_hosts, forge.server.known_as(&another).unwrap()).unwrap();
    let error = refusal(&forge.url(), &forge.access).await;
    assert!(error.contains(&forge.server.fingerprint().await.unwrap()), "{error}");
    assert!(error.contains(&format!("not among those that {} has", forge.known_hosts.display())), "{error}");
    let log = forge.server.log().unwrap();
    assert!(!log.contains("publickey"), "the server was shown our key: {log}");
}

#[tokio::test]
async fn a_server_that_is_not_known_is_refused() {
    let forge = forge("ed25519").await;
    fs::write(&forge.known_hosts, "").unwrap();
    let error = refusal(&forge.url(), &forge.access).await;
    assert!(error.contains("is not among those"), "{error}");
    fs::remove_file(&forge.known_hosts).unwrap();
    let error = refusal(&forge.url(), &forge.access).await;
    assert!(error.contains(&format!("{} cannot be read", forge.known_hosts.display())), "{error}");
}

#[tokio::test]
async fn a_key_that_is_marked_as_revoked_is_not_taken_for_a_good_one() {
    let forge = forge("ed25519").await;
    let known = forge.server.known_host().unwrap();
    fs::write(&forge.known_hosts, format!("@revoked {known}{known}")).unwrap();
    let error = refusal(&forge.url(), &forge.access).await;
    assert!(error.contains("`@revoked`"), "{error}");
}

#[tokio::test]
async fn a_known_host_may_be_hashed() {
    let forge = forge("ed25519").await;
    let status = std::process::Command::new("ssh-keygen")
        .args(["-q", "-H", "-f"])
        .arg(&forge.known_hosts)
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
    assert!(!fs::read_to_string(&forge.known_hosts).unwrap().contains("127.0.0.1"));
    look(&forge.url(), &forge.access).await.unwrap();
}

#[tokio::test]
async fn a_server_that_changes_its_key_changes_nothing_until_the_new_one_is_known() {
    let forge = forge("ed25519").await;
    let server = Server::start(following(&forge.url(), &forge.access), SOON).await;
    server.until_ready().await;
    let before = server.snapshot(CHECKOUT, &[]).await;
    let another = forge.server.another_key("ed25519", "").await.unwrap();
    fs::write(&forge.known_hosts, forge.server.known_as(&another).unwrap()).unwrap();
    forge.repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    // A fetch that began before may still end well; what it can see is what is served already.
    let tried = || forge.server.log().unwrap().lines().count();
    let seen = tried();
    while tried() < seen + 8 {
        tokio::time::sleep(SOON).await;
    }
    forge.repository.push("Change a").await.unwrap();
    let held = [("if-none-match", before.etag.as_str()), ("prefer", "wait=1")];
    assert_eq!(server.snapshot(CHECKOUT, &held).await.status, 304);
    fs::write(&forge.known_hosts, forge.server.known_host().unwrap()).unwrap();
    server.next(CHECKOUT, &before.etag).await;
}

#[tokio::test]
async fn what_keeps_from_a_repository_is_told_in_plain_words() {
    let forge = forge("ed25519").await;
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let web_address = web.local_addr().unwrap();
    thread::spawn(move || {
        for client in web.incoming() {
            client.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    for (url, said) in [
        (format!("ssh://git@{away}/p.git"), "the server refuses connections at this port (libgit2: "),
        ("ssh://git@git.invalid/p.git".to_owned(), "the host cannot be resolved to an address (libgit2: "),
        (format!("ssh://git@{web_address}/p.git"), "what listens there does not speak SSH, or has no "),
        (forge.url().replace("policies.git", "others.git"), "the server says: fatal: "),
    ] {
        let error = refusal(&url, &forge.access).await;
        assert!(error.starts_with(&format!("cannot fetch from {url}: {said}")), "{error}");
    }
}
