//! Proxies are taken from the environment as git takes them.

use harness::{GitHttp, Repository};

use crate::support::{
    front::{Answer, Front, Seen, text},
    process::Process,
    remote::repository,
};

async fn backend() -> (Repository, GitHttp) {
    let repository = repository().await;
    let backend = GitHttp::start(repository.folder()).await.unwrap();
    (repository, backend)
}

/// A proxy that wants the user `me` with the password `secret`.
async fn proxy(backend: &GitHttp) -> Front {
    Front::start(backend, |seen: &Seen, answer: Answer| match seen.header("proxy-authorization") {
        Some("Basic bWU6c2VjcmV0") => answer.usual(),
        _ => text("407 Proxy Authentication Required", "proxy-authenticate: Basic realm=\"x\"\r\n", ""),
    })
    .await
}

async fn process(url: &str, variables: &[(&str, &str)]) -> Process {
    Process::start(&[&[("HFI_REPO", url), ("HFI_INTERVAL", "1h")], variables].concat()).await
}

/// The reason why nothing is served. No secret is in the log.
async fn reason(url: &str, variables: &[(&str, &str)]) -> String {
    let process = process(url, variables).await;
    let told = async {
        loop {
            let ready = process.json("/v1/ready").await;
            if let Some(reason) =
                ready["detail"].as_str().filter(|reason| reason.contains("cannot fetch from"))
            {
                return reason.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let reason = tokio::time::timeout(crate::support::PATIENCE, told).await.expect("nothing is told");
    assert!(!process.log().contains("secret"), "{}", process.log());
    reason
}

#[tokio::test]
async fn a_repository_without_tls_is_read_through_the_proxy() {
    let (_repository, backend) = backend().await;
    let proxy = proxy(&backend).await;
    let with_password = proxy.url.replace("://", "://me:secret@");
    for variable in ["http_proxy", "all_proxy", "ALL_PROXY"] {
        let server = process("http://git.invalid/policies.git", &[(variable, &with_password)]).await;
        server.until_ready(|_| true).await;
    }
    let seen = proxy.seen();
    let get = "http://git.invalid/policies.git/info/refs?service=git-upload-pack";
    let post = "http://git.invalid/policies.git/git-upload-pack";
    let targets: Vec<_> = seen.iter().map(|seen| seen.target.as_str()).collect();
    assert_eq!(targets, [get, post].repeat(3));
    assert!(seen.iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn a_host_of_no_proxy_is_asked_directly() {
    let (_repository, backend) = backend().await;
    for no_proxy in ["git.example 127.0.0.1", "127.0.0.0/8", "*"] {
        let variables = [("http_proxy", "http://git.invalid:1"), ("no_proxy", no_proxy)];
        let server = process(&backend.url("policies.git"), &variables).await;
        server.until_ready(|_| true).await;
    }
    let server = process(&backend.url("policies.git"), &[("HTTP_PROXY", "http://git.invalid:1")]).await;
    server.until_ready(|_| true).await;
}

#[tokio::test]
async fn a_proxy_that_does_not_help_is_told_without_its_password() {
    let (_repository, backend) = backend().await;
    let asking = proxy(&backend).await;
    let refusing = Front::start(&backend, |_, _| text("502 Bad Gateway", "", "")).await;
    let (plain, safe) = ("http://git.invalid/policies.git", "https://git.invalid/policies.git");
    let wrong = asking.url.replace("://", "://me:secret-2@");
    let asks = format!("the proxy {} asks for other credentials (407); the variable", asking.url);
    for (url, variable, proxy, said) in [
        (plain, "http_proxy", wrong.as_str(), asks.clone() + " http_proxy takes them"),
        (safe, "https_proxy", wrong.as_str(), asks.clone() + " https_proxy takes them"),
        (safe, "HTTPS_PROXY", asking.url.as_str(), asks + " HTTPS_PROXY takes them"),
        (safe, "all_proxy", refusing.url.as_str(), format!("the proxy {} does not connect", refusing.url)),
        (
            safe,
            "https_proxy",
            "http://me:secret@127.0.0.1:1",
            "the proxy http://127.0.0.1:1 refuses connections".into(),
        ),
        (
            plain,
            "http_proxy",
            "me:secret@proxy.invalid",
            "the proxy http://proxy.invalid:1080 cannot be resolved".into(),
        ),
        (safe, "https_proxy", "http://me:secret@", "in the variable https_proxy, is not valid".into()),
    ] {
        let reason = reason(url, &[(variable, proxy)]).await;
        assert!(reason.contains(&said), "{variable} {proxy}: {reason}");
    }
}
