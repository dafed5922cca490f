//! `hfi completions`: commands, options, and the names of the policies of the server.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Instant,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::support::{PATIENCE, Server, command::hfi, policy};

/// The words that bash offers for the last one of a line.
async fn completed(line: &str, server: &str) -> String {
    completed_with(line, &[("HFI_SERVER", server)]).await
}

async fn completed_with(line: &str, variables: &[(&str, &str)]) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(hfi completions bash); COMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9; _clap_complete_hfi hfi \"${{COMP_WORDS[COMP_CWORD]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1
    );
    let directory = Path::new(env!("CARGO_BIN_EXE_hfi")).parent().unwrap().to_owned();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &script]).env("PATH", path).envs(variables.iter().copied());
    let Output { stdout, stderr, .. } =
        tokio::task::spawn_blocking(move || bash.output()).await.unwrap().unwrap();
    assert_eq!(String::from_utf8(stderr).unwrap(), "");
    String::from_utf8(stdout).unwrap()
}

#[tokio::test]
async fn of_a_command_an_option_and_a_policy() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["checkout-errors", "cart-errors"] {
        fs::write(folder.path().join(format!("{name}.yaml")), policy(name, "checkout", 503)).unwrap();
    }
    let server = Server::of_folder(folder.path()).await;
    assert_eq!(completed("hfi policy des", &server.url).await.trim(), "describe");
    assert!(completed("hfi policy list --ou", &server.url).await.contains("--output"));
    assert_eq!(completed("hfi policy get ch", &server.url).await.trim(), "checkout-errors");
    let both = completed("hfi policy describe ", &server.url).await;
    assert!(both.contains("cart-errors\n") && both.contains("checkout-errors\n"), "{both}");
    let typed = format!("hfi policy get --server {} ch", server.url);
    assert_eq!(completed(&typed, "http://127.0.0.1:9").await.trim(), "checkout-errors");
    for away in ["http://127.0.0.1:9", "nonsense"] {
        assert!(!completed("hfi policy get ch", away).await.contains("checkout"), "nothing is offered");
    }
}

/// An API server that never answers, its kubeconfig, and the requests that it got.
async fn silent_cluster(folder: &Path) -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let named = |kind: &str, what: Value| json!({"name": "test", kind: what});
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [named("cluster", json!({"server": url}))],
        "users": [named("user", json!({}))],
        "contexts": [named("context", json!({"cluster": "test", "user": "test"}))],
    });
    let file = folder.join("kubeconfig");
    fs::write(&file, kubeconfig.to_string()).unwrap();
    let (requests, got) = unbounded_channel();
    tokio::spawn(async move {
        let mut connections = Vec::new();
        loop {
            let mut connection = BufReader::new(listener.accept().await.unwrap().0);
            let mut line = String::new();
            connection.read_line(&mut line).await.unwrap();
            let _ = requests.send(line);
            connections.push(connection);
        }
    });
    (file.to_str().unwrap().to_owned(), got)
}

#[tokio::test]
async fn of_a_policy_behind_a_service_of_the_cluster_without_a_long_wait() {
    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, mut got) = silent_cluster(folder.path()).await;
    let line = "hfi policy get --kubernetes-service boifi/hfi ch";
    let begun = Instant::now();
    let offered = completed_with(line, &[("KUBECONFIG", &kubeconfig)]).await;
    assert!(!offered.contains("ch") && begun.elapsed() < PATIENCE, "{offered} in {:?}", begun.elapsed());
    let asked = got.try_recv().unwrap();
    assert!(asked.starts_with("GET /api/v1/namespaces/boifi/services/hfi "), "{asked}");
    // Without a kubeconfig nothing is said either.
    assert!(!completed_with(line, &[("KUBECONFIG", "/nowhere")]).await.contains("ch"));
}

#[tokio::test]
async fn in_every_shell_that_is_known() {
    for (shell, part) in [("bash", "complete "), ("zsh", "#compdef hfi"), ("fish", "complete --")] {
        let script = hfi(&["completions", shell], &[]).await;
        assert_eq!(script.code, 0, "{script:?}");
        assert!(script.stdout.contains(part), "{shell}: {}", script.stdout);
    }
    assert_eq!(hfi(&["completions", "tcsh"], &[]).await.code, 2);
}
