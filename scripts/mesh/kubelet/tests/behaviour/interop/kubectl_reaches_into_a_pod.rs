//! `kubectl logs`, `exec` and `port-forward`, and the port-forwarding of libraries, by way of the API server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, ensure};
use harness::{Client, Deadline, Process, Request, paths};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::node::{Node, PATIENCE};

/// A server at a port of the loopback, as Envoy's administration is.
const SERVER: &str = "\
import http.server
print('begins', flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'from the inside ' * 20_000)
    def log_request(self, code): print(self.path, flush=True)
http.server.HTTPServer(('127.0.0.1', 9000), Handler).serve_forever()
";

#[tokio::test]
async fn to_read_logs_run_commands_and_forward_ports() -> Result<()> {
    let node = Node::start().await?;
    let app = json!({"name": "app", "image": "python", "args": ["-c", SERVER], "env": [{"name": "MODE", "value": "x"}]});
    let spec = json!({"terminationGracePeriodSeconds": 0, "containers": [app]});
    node.api.run("web", spec).await?;
    node.api.until_ready("web").await?;
    node.until_log("web", "app", "begins").await?;
    let kubectl = Kubectl::of(&node)?;

    forwards(&node, &kubectl).await?;
    libraries_forward(&node).await?;
    let log = kubectl.run(&["logs", "web", "--tail=2"], "").await?;
    assert_eq!(text(&log.stdout), "/kubectl\n/library\n");

    let words = ["exec", "-i", "web", "--", "sh", "-c", "cat; echo $MODE; echo wrong >&2; exit 3"];
    let output = kubectl.run(&words, "typed ").await?;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "typed x\n");
    assert!(text(&output.stderr).starts_with("wrong\n"), "{}", text(&output.stderr));
    let refused = kubectl.run(&["logs", "web", "--since=5s"], "").await?;
    assert!(text(&refused.stderr).contains("logs have no times here"), "{}", text(&refused.stderr));

    kubectl.follows_to_the_end(&node).await?;
    node.stop().await
}

async fn forwards(node: &Node, kubectl: &Kubectl) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let words = kubectl.words(&["port-forward", "web", ":9000", ":9001"]);
    let words: Vec<_> = words.into_iter().map(Into::into).collect();
    let mut process = Process::spawn(&kubectl.program, &words, &folder.path().join("log"))?;
    let (there, nobody) = (local(&mut process, 9000).await?, local(&mut process, 9001).await?);
    let client = Client::new()?;
    for _ in 0..2 {
        let answer = client.send(there, &Request::get("/kubectl")).await?;
        ensure!(answer.status == 200 && answer.body.len() == 320_000, "{} bytes", answer.body.len());
    }
    ensure!(client.send(nobody, &Request::get("/")).await.is_err(), "nobody listens at port 9001");
    node.until_log("web", "app", "/kubectl\n/kubectl\n").await?;
    let said = process.log()?;
    ensure!(said.contains("connecting to port 9001"), "{said}");
    Ok(())
}

/// The address at which kubectl listens for a port.
async fn local(process: &mut Process, port: u16) -> Result<SocketAddr> {
    let deadline = Deadline::of("kubectl to listen", PATIENCE);
    loop {
        process.still_runs()?;
        let log = process.log()?;
        let mut lines =
            log.lines().filter_map(|line| line.strip_prefix("Forwarding from ")?.split_once(" -> "));
        if let Some((address, _)) = lines.find(|(_, to)| *to == port.to_string()) {
            return Ok(address.parse()?);
        }
        deadline.pause().await.context(log)?;
    }
}

async fn libraries_forward(node: &Node) -> Result<()> {
    let pods = kube::Api::<Pod>::namespaced(node.api.client().await?, "demo");
    let mut forwarded = pods.portforward("web", &[9000]).await?;
    let mut stream = forwarded.take_stream(9000).context("no stream")?;
    stream.write_all(b"GET /library HTTP/1.0\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    ensure!(text(&answer).contains(" 200 ") && answer.len() > 320_000, "{} bytes", answer.len());
    Ok(())
}

struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    fn of(node: &Node) -> Result<Self> {
        let program = paths::world_program("kubernetes", "kubectl")?;
        Ok(Self { program, kubeconfig: node.api.kubeconfig()? })
    }

    fn words(&self, words: &[&str]) -> Vec<String> {
        let cache = self.kubeconfig.parent().unwrap_or(Path::new("/")).join("kubectl");
        let options = [
            format!("--kubeconfig={}", self.kubeconfig.display()),
            format!("--cache-dir={}", cache.display()),
            "--namespace=demo".to_owned(),
        ];
        options.into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect()
    }

    /// Reads a log until its Pod is deleted.
    async fn follows_to_the_end(&self, node: &Node) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(self.words(&["logs", "web", "--follow", "--tail=1"])).kill_on_drop(true);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        assert_eq!(lines.next_line().await?.as_deref(), Some("/library"));
        node.api.delete("web").await?;
        // Whatever is said at the end, it comes to an end.
        while lines.next_line().await?.is_some() {}
        ensure!(child.wait().await?.success(), "kubectl logs --follow");
        Ok(())
    }

    async fn run(&self, words: &[&str], input: &str) -> Result<Output> {
        let mut command = Command::new(&self.program);
        command.args(self.words(words)).kill_on_drop(true).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("no input")?.write_all(input.as_bytes()).await?;
        Ok(tokio::time::timeout(PATIENCE, child.wait_with_output())
            .await
            .context("kubectl does not end")??)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
