//! `kubectl exec`: a command in a running container, without a terminal.

use std::process::{ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::sync::mpsc;

use super::channels::{self, Received};
use super::query::values;
use super::websocket::Socket;
use crate::process::{Entry, exit_code};

/// The newer one lets the client close the standard input.
pub(super) const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const INPUT: u8 = 0;
const OUTPUT: u8 = 1;
const ERRORS: u8 = 2;
const STATUS: u8 = 3;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    words: Vec<String>,
    has_input: bool,
}

impl Wanted {
    pub(super) fn parse(query: &str) -> Result<Self> {
        let is_set = |name| values(query, name).iter().any(|value| value == "1" || value == "true");
        ensure!(!is_set("tty"), "there are no terminals here: leave out --tty");
        let words = values(query, "command");
        ensure!(!words.is_empty(), "no command");
        Ok(Self { words, has_input: is_set("input") })
    }
}

/// Runs it to its end, or until the client has gone.
pub(super) async fn run(entry: Entry, wanted: Wanted, mut socket: Socket, _: &'static str) -> Result<()> {
    let mut command = entry.command(&wanted.words)?;
    command.stdin(if wanted.has_input { Stdio::piped() } else { Stdio::null() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take();
    let (sender, mut printed) = mpsc::channel(16);
    tokio::spawn(read(OUTPUT, child.stdout.take().context("no output")?, sender.clone()));
    tokio::spawn(read(ERRORS, child.stderr.take().context("no output of errors")?, sender));
    loop {
        tokio::select! {
            part = printed.recv() => match part {
                Some((channel, bytes)) => channels::send(&mut socket, channel, &bytes).await?,
                None => break,
            },
            received = channels::receive(&mut socket) => match received {
                Some(Received::Data { channel: INPUT, bytes }) => write(&mut input, &bytes).await,
                Some(Received::Closed { channel: INPUT }) => input = None,
                Some(_) => {}
                None => return Ok(()),
            },
        }
    }
    let status = status(child.wait().await?).to_string();
    channels::send(&mut socket, STATUS, status.as_bytes()).await?;
    channels::close(&mut socket).await
}

async fn read(channel: u8, mut from: impl AsyncRead + Unpin, to: mpsc::Sender<(u8, Vec<u8>)>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let read = bytes.iter().take(count).copied().collect();
        if to.send((channel, read)).await.is_err() {
            return;
        }
    }
}

async fn write(input: &mut Option<ChildStdin>, bytes: &[u8]) {
    // A command that has ended, or closed its input, takes no more.
    if let Some(open) = input
        && open.write_all(bytes).await.is_err()
    {
        *input = None;
    }
}

/// The end of a command, as a client expects it.
fn status(status: ExitStatus) -> Value {
    let code = exit_code(status);
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("command terminated with non-zero exit code: {code}"),
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    #[test]
    fn a_command_is_read_word_by_word() {
        let wanted = Wanted::parse("command=sh&command=-c&command=echo+%26&input=1&output=1").unwrap();
        assert_eq!(
            wanted,
            Wanted { words: ["sh", "-c", "echo &"].map(str::to_owned).into(), has_input: true }
        );
        for refused in ["", "output=1", "command=sh&tty=1"] {
            assert!(Wanted::parse(refused).is_err(), "{refused}");
        }
    }
}
