//! `--peers`: one name with the addresses of all replicas, as a headless Service has them. They come and go.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use crate::support::{
    command::hfi,
    person::{prints, tells},
    policy,
    process::{Process, text},
    replicas::{Replicas, until},
    writing::{ALICE, CHECKOUT, TOKENS, path, repository},
};

/// The time after which filters have found another replica.
const SETTLED: Duration = Duration::from_secs(40);

/// Writes the addresses of the name, for all who have this file as their `/etc/hosts`.
fn name(replicas: &Replicas, which: &[usize]) {
    let host = |at: &usize| replicas.addresses[*at].rsplit_once(':').unwrap().0;
    let lines: String = which.iter().map(|at| format!("{} hfi-peers\n", host(at))).collect();
    fs::write(replicas.path("hosts"), lines).unwrap();
}

/// Starts a replica that knows the others by the name.
async fn start(replicas: &Replicas, at: usize, repository: &str) -> Process {
    let mut unshare = Command::new("unshare");
    let script = format!("mount --bind {} /etc/hosts && exec \"$@\"", text(&replicas.path("hosts")));
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"]);
    let port = replicas.addresses[at].rsplit_once(':').unwrap().1;
    let (peers, writers) = (format!("hfi-peers:{port}"), replicas.path("writers"));
    let tokens = replicas.path("tokens");
    let variables = [
        ("HFI_LISTEN", replicas.addresses[at].as_str()),
        ("HFI_PEERS", &peers),
        ("HFI_PEER_TOKEN_FILE", text(&tokens)),
        ("HFI_REPO", repository),
        ("HFI_WRITE_TOKEN_FILE", text(&writers)),
        ("HFI_INTERVAL", "1s"),
    ];
    let replica = Process::start_within(unshare, &variables).await;
    replica.until_ready(|_| true).await;
    replica
}

#[tokio::test]
async fn an_apply_waits_after_one_has_gone_and_after_one_has_started_anew() {
    let (replicas, repository) = (Replicas::new(3), repository(&[("a.yaml", CHECKOUT)]).await);
    let (file, token, repo) = (replicas.path("b.yaml"), replicas.path("alice"), path(&repository));
    fs::write(replicas.path("writers"), TOKENS).unwrap();
    fs::write(&token, ALICE).unwrap();
    fs::write(&file, policy("b", "cart", 503)).unwrap();
    name(&replicas, &[0, 1, 2]);
    let [one, mut two, mut three] = [
        start(&replicas, 0, &repo).await,
        start(&replicas, 1, &repo).await,
        start(&replicas, 2, &repo).await,
    ];
    for replica in [&one, &two, &three] {
        let shown = until(replica, "/v1/filters", |shown| shown["replicas"] == "3 of 3").await;
        assert_eq!((&shown["complete"], &shown["missing"]), (&true.into(), &serde_json::json!([])));
    }
    assert_eq!(one.metric("hfi_peers{state=\"answering\"}").await, Some(2.0));
    let apply = async |wait: &str| {
        let variables = [("HFI_SERVER", one.url.as_str()), ("HFI_TOKEN_FILE", text(&token))];
        hfi(&["policy", "apply", "-f", text(&file), wait], &variables).await
    };
    let polls = async {
        let (url, mut etag) = ("/v1/snapshot?namespace=demo&service=cart", String::new());
        loop {
            etag = one.get(url, &[("x-hfi-node", "cart-1"), ("if-none-match", &etag)]).await.etag;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let people = async {
        let waited = apply("--wait=3m").await;
        prints(&waited, 0, "policy/b created\n");
        assert_eq!(waited.stderr, "policy/b runs in 1 filter that polls the replicas (3 of 3)\n");

        // The filters of one that was killed poll another one only after a while.
        three.child.kill().unwrap();
        three.child.wait().unwrap();
        until(&one, "/v1/filters", |shown| shown["replicas"] == "2 of 3").await;
        let dead = apply("--wait=3s").await;
        prints(&dead, 1, "policy/b unchanged\n");
        tells(&dead, &["a replica does not answer, and more filters may poll it", "error: the replica "]);
        assert_eq!(one.metric("hfi_peers{state=\"missing\"}").await, Some(1.0));
        name(&replicas, &[0, 1]);
        until(&one, "/v1/filters", |shown| shown["replicas"] == "2 of 2").await;
        let gone = apply("--wait=3s").await;
        prints(&gone, 1, "policy/b unchanged\n");
        tells(&gone, &["a replica has just begun or ended, and more filters may poll"]);

        // Another one starts anew while somebody waits.
        let (begun, waiting) = (Instant::now(), apply("--wait=3m"));
        let restart = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            two.child.kill().unwrap();
            two.child.wait().unwrap();
            let again = start(&replicas, 1, &repo).await;
            (again, begun.elapsed())
        };
        let (waited, (_two, restarted)) = tokio::join!(waiting, restart);
        prints(&waited, 0, "policy/b unchanged\n");
        let took = begun.elapsed() - restarted;
        assert!(took + Duration::from_secs(2) > SETTLED, "after {took:?}: {waited:?}");
    };
    tokio::select! {
        () = people => {}
        () = polls => unreachable!(),
    }
}
