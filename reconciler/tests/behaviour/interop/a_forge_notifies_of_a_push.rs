//! `POST /v1/hooks/{forge}`: a push to a server elsewhere takes effect when its forge tells of it.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use harness::{GitHttp, Repository};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    support::process::Process,
    support::{PATIENCE, client, metric, policy},
};

const BODY: &[u8] = br#"{"ref":"refs/heads/other","repository":{"clone_url":"http://evil.example/"}}"#;

/// A repository behind HTTP, which nobody here can watch, and `hfi` that reads it once an hour.
struct World {
    repository: Repository,
    hfi: Process,
    client: reqwest::Client,
    secrets: TempDir,
    _forge: GitHttp,
}

impl World {
    async fn new(secret: &str) -> Self {
        let repository = Repository::new().await.unwrap();
        repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
        repository.push("Add a").await.unwrap();
        let bare = repository.bare();
        let forge = GitHttp::start(bare.parent().unwrap()).await.unwrap();
        let secrets = tempfile::tempdir().unwrap();
        let file = secrets.path().join("secret");
        fs::write(&file, secret).unwrap();
        let hfi = Process::start(&[
            ("HFI_REPO", &forge.url(bare.file_name().unwrap().to_str().unwrap())),
            ("HFI_INTERVAL", "1h"),
            ("HFI_HOOK_SECRET_FILE", file.to_str().unwrap()),
        ])
        .await;
        let world = Self { repository, hfi, client: client(), secrets, _forge: forge };
        world.until("a").await;
        world
    }

    /// Waits until the policies in force are those of the newest commit.
    async fn until(&self, what: &str) {
        let commit = self.repository.git(&["rev-parse", "HEAD"]).await.unwrap();
        let url = format!("{}/v1/ready", self.hfi.url);
        let served = async {
            loop {
                let ready = self.client.get(&url).send().await.unwrap().text().await.unwrap();
                if ready.contains(commit.trim()) {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, served).await.unwrap_or_else(|_| panic!("{what}: the push went unnoticed"));
    }

    async fn push(&self, status: u16) {
        self.repository.write("a.yaml", &policy("a", "checkout", status)).unwrap();
        self.repository.push("Change a").await.unwrap();
    }

    async fn notify(&self, forge: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let request = self.client.post(format!("{}/v1/hooks/{forge}", self.hfi.url)).body(body.to_vec());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        let (status, kind) = (answer.status().as_u16(), answer.headers()["content-type"].clone());
        let json: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        if status != 202 {
            assert_eq!(kind, "application/problem+json", "{forge} {headers:?}");
        }
        (status, json["detail"].as_str().unwrap_or_default().to_owned())
    }

    /// The number of reads of the source. The first one is counted after the server is ready.
    async fn looks(&self) -> f64 {
        let name = "hfi_reconciles_total{result=\"success\"}";
        let counted = async {
            loop {
                if let Some(looks) = metric(&self.client, &self.hfi.url, name).await {
                    return looks;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, counted).await.expect("the first read of the source is never counted")
    }
}

/// The HMAC-SHA256 in hex, by somebody else's hand.
fn openssl(secret: &str, body: &[u8]) -> String {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-r", "-hmac", secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(body).unwrap();
    let output = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    output.split(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn each_forge_proves_itself_in_its_own_way() {
    let world = World::new("s3cret").await;
    let hex = openssl("s3cret", BODY);
    let signature = format!("sha256={hex}");
    for (i, (forge, header, proof)) in [
        ("github", "X-Hub-Signature-256", signature.as_str()),
        ("gitlab", "X-Gitlab-Token", "s3cret"),
        ("gitea", "X-Gitea-Signature", &hex),
        ("generic", "X-Signature", &signature),
    ]
    .into_iter()
    .enumerate()
    {
        world.push(500 + i as u16).await;
        assert_eq!(world.notify(forge, &[(header, proof)], BODY).await.0, 202, "{forge}");
        world.until(forge).await;
    }
}

#[tokio::test]
async fn what_is_not_proven_is_refused_and_causes_nothing() {
    let world = World::new("s3cret").await;
    let looks = world.looks().await;
    let signed = |secret: &str, body: &[u8]| format!("sha256={}", openssl(secret, body));
    let (good, foreign, other) = (signed("s3cret", BODY), signed("other", BODY), signed("s3cret", b"{}"));
    let hub = "x-hub-signature-256";
    for (forge, headers) in [
        ("github", &[][..]),
        ("github", &[("x-signature", good.as_str())]),
        ("github", &[(hub, &foreign)]),
        ("github", &[(hub, &other)]),
        ("github", &[(hub, good.strip_prefix("sha256=").unwrap())]),
        ("github", &[(hub, "sha256=")]),
        ("github", &[(hub, "")]),
        ("gitea", &[("x-gitea-signature", &good)]),
        ("gitlab", &[("x-gitlab-token", "s3cre")]),
        ("gitlab", &[("x-gitlab-token", "")]),
        ("generic", &[("x-signature", &foreign)]),
    ] {
        let (status, detail) = world.notify(forge, headers, BODY).await;
        assert!(status == 401 && detail.contains("header x-"), "{forge} {headers:?}: {status} {detail}");
        assert!(!detail.contains("s3cret"));
    }
    assert_eq!(world.notify("bitbucket", &[(hub, &good)], BODY).await.0, 404);
    let large = vec![b' '; (1 << 20) + 1];
    let (status, detail) = world.notify("github", &[(hub, &signed("s3cret", &large))], &large).await;
    assert!(status == 413 && detail.contains("1048576"), "{status} {detail}");
    assert_eq!(world.looks().await, looks);
    let refused = "hfi_notifications_total{forge=\"github\",result=\"failure\"}";
    assert_eq!(metric(&world.client, &world.hfi.url, refused).await, Some(8.0));
}

#[tokio::test]
async fn bodies_that_do_not_end_are_few() {
    let world = World::new("s3cret").await;
    let address = world.hfi.url.strip_prefix("http://").unwrap().to_owned();
    let begun =
        "POST /v1/hooks/gitlab HTTP/1.1\r\nhost: a\r\nx-gitlab-token: x\r\ncontent-length: 99\r\n\r\n{";
    // One more than there are places, so that all are taken when the first is answered.
    let mut open = JoinSet::new();
    for _ in 0..17 {
        let address = address.clone();
        open.spawn(async move {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(begun.as_bytes()).await.unwrap();
            let mut status = [0; 12];
            client.read_exact(&mut status).await.unwrap();
            (client, status)
        });
    }
    let (_seventeenth, status) = timeout(PATIENCE, open.join_next()).await.unwrap().unwrap().unwrap();
    assert_eq!(&status, b"HTTP/1.1 503");
    let hook = world.client.post(format!("{}/v1/hooks/gitlab", world.hfi.url));
    let refused = hook.header("x-gitlab-token", "s3cret").body(BODY).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    assert_eq!(world.notify("gitlab", &[], BODY).await.0, 401, "it is not read");
    drop(open);
    let proof = [("x-gitlab-token", "s3cret")];
    let answered = async { while world.notify("gitlab", &proof, BODY).await.0 != 202 {} };
    timeout(PATIENCE, answered).await.expect("the places are free again");
}

#[tokio::test]
async fn a_notification_that_is_replayed_causes_one_look_a_second() {
    let world = World::new("s3cret").await;
    let (looks, begun) = (world.looks().await, Instant::now());
    let proof = [("x-gitlab-token", "s3cret")];
    while begun.elapsed() < Duration::from_millis(2_500) {
        assert_eq!(world.notify("gitlab", &proof, BODY).await.0, 202);
    }
    world.push(500).await;
    assert_eq!(world.notify("gitlab", &proof, BODY).await.0, 202);
    world.until("after the replays").await;
    let caused = world.looks().await - looks;
    // One at once, and one a second from then on.
    assert!((2.0..=begun.elapsed().as_secs_f64() + 1.0).contains(&caused), "{caused} looks");
}

#[tokio::test]
async fn secrets_change_without_a_restart() {
    let world = World::new("old\n").await;
    let file = world.secrets.path().join("secret");
    let is_good = async |secret: &str| {
        let proof = format!("sha256={}", openssl(secret, BODY));
        world.notify("generic", &[("x-signature", &proof)], BODY).await.0 == 202
    };
    for (content, good, bad) in [
        ("old", &["old"][..], "new"),
        ("new\nold\n", &["old", "new"], "new\nold"),
        (" new\n\n", &["new"], "old"),
    ] {
        fs::write(&file, content).unwrap();
        for secret in good {
            assert!(is_good(secret).await, "{secret} of {content:?}");
        }
        assert!(!is_good(bad).await, "{bad} of {content:?}");
    }
    fs::remove_file(&file).unwrap();
    let (status, detail) = world.notify("gitlab", &[("x-gitlab-token", "new")], BODY).await;
    assert!(status == 503 && detail.contains("--hook-secret-file cannot be read"), "{status} {detail}");
}

#[tokio::test]
async fn without_secrets_there_are_no_notifications() {
    let folder = tempfile::tempdir().unwrap();
    let hfi = Process::start(&[("HFI_DIR", folder.path().to_str().unwrap())]).await;
    let hook = format!("{}/v1/hooks/github", hfi.url);
    let answer = client().post(hook).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("--hook-secret-file"));
}
