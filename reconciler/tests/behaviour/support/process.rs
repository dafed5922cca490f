//! The `hfi` binary, serving.

use std::{
    fs::File,
    io::Read as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::time::timeout;

use crate::support::{PATIENCE, metric};

/// `hfi serve` on a free port, told everything by its environment. Killed when it is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// It takes a connection for each request.
    client: reqwest::Client,
    stderr: NamedTempFile,
}

/// An answer, read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: String,
    pub(crate) revision: String,
    pub(crate) body: Vec<u8>,
}

impl Process {
    /// Starts it and waits until it listens.
    pub(crate) async fn start(environment: &[(&str, &str)]) -> Self {
        Self::spawn(command(environment)).await
    }

    /// The same where only so many files may be open: for now, and at most.
    pub(crate) async fn start_limited(files: &str, environment: &[(&str, &str)]) -> Self {
        let mut limit = Command::new("prlimit");
        limit.arg(format!("--nofile={files}"));
        Self::start_within(limit, environment).await
    }

    /// The same, started by a command that becomes what its last arguments say.
    pub(crate) async fn start_within(mut within: Command, environment: &[(&str, &str)]) -> Self {
        let usual = command(environment);
        within.arg(usual.get_program()).args(usual.get_args());
        within.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::spawn(within).await
    }

    async fn spawn(mut command: Command) -> Self {
        let stderr = NamedTempFile::new().unwrap();
        let child = command.stderr(stderr.reopen().unwrap()).spawn().unwrap();
        let client = harness::http_client().unwrap().pool_max_idle_per_host(0).build().unwrap();
        let mut process = Self { child, url: String::new(), client, stderr };
        loop {
            if let Some(listening) = process.said("listening") {
                process.url = format!("http://{}", listening["address"].as_str().unwrap());
                return process;
            }
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none(), "hfi ended before it listened: {}", process.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Runs it to an end that comes by itself: its exit code and what it said.
    pub(crate) fn refused(environment: &[(&str, &str)]) -> (Option<i32>, String) {
        let output = command(environment).stderr(Stdio::piped()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Stops it until SIGCONT. None of its threads runs when this returns: the signal alone leaves some time to a
    /// thread that runs on another core.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        let id = Pid::from_child(&self.child);
        let state = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(id), state).unwrap().unwrap();
        assert!(status.stopped(), "{status:?}");
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self, patience: Duration) -> ExitStatus {
        let ended = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(patience, ended).await.expect("it does not end")
    }

    /// Everything it has logged so far.
    pub(crate) fn log(&self) -> String {
        let mut log = String::new();
        File::open(self.stderr.path()).unwrap().read_to_string(&mut log).unwrap();
        log
    }

    /// The fields of the first line of the log with this message.
    pub(crate) fn said(&self, message: &str) -> Option<Value> {
        self.all_said(message).into_iter().next()
    }

    /// The fields of all lines of the log with this message.
    pub(crate) fn all_said(&self, message: &str) -> Vec<Value> {
        let log = self.log();
        // The last line may not be whole yet.
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let fields = lines.map(|line| line["fields"].clone());
        fields
            .filter(|fields| fields["message"].as_str().is_some_and(|said| said.contains(message)))
            .collect()
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.client.get(format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = timeout(PATIENCE, request.send()).await.expect("no answer").unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (etag, revision) = (header("etag"), header("x-hfi-revision"));
        Answer {
            status: response.status().as_u16(),
            etag: etag.unwrap_or_default(),
            revision: revision.unwrap_or_default(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path, &[]).await.body).unwrap()
    }

    /// The value of a metric, named with its labels.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        metric(&self.client, &self.url, name).await
    }

    pub(crate) async fn snapshot(&self, query: &str) -> Answer {
        self.get(&format!("/v1/snapshot?{query}"), &[]).await
    }

    /// The next snapshot that is not the one of `etag`.
    pub(crate) async fn next(&self, query: &str, etag: &str) -> Answer {
        let headers = [("if-none-match", etag), ("prefer", "wait=9")];
        let answer = self.get(&format!("/v1/snapshot?{query}"), &headers).await;
        assert_eq!(answer.status, 200, "nothing changed: {}", self.log());
        answer
    }

    /// The answer of `/v1/ready`, once it is as wanted.
    pub(crate) async fn until_ready(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let wanted = async {
            loop {
                let ready = self.json("/v1/ready").await;
                if ready["status"] == "ready" && is_wanted(&ready) {
                    return ready;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("not in time: {}", self.log()))
    }
}

fn command(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfi"));
    let listen = ("HFI_LISTEN", "127.0.0.1:0");
    command.arg("serve").envs([listen]).envs(environment.iter().copied());
    command
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The highest resident memory of a process so far, in KiB.
pub(crate) fn peak_memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A path as a variable of the environment takes it.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
