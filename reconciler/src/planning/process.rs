//! A process that plans, as its parent sees it.

use std::{io, path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    child::COMMAND,
    order::{Answer, Order},
};
use crate::{
    io_reason::io_reason,
    istio::plan::{Namespaces, Plan},
    source::{SourceError, git::memory},
};

/// The longest answer that is read, in bytes. Of a namespace it has less than 2 MiB.
const LONGEST_ANSWER: u64 = 256 << 20;

/// How processes that plan are started and ended.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The `hfi` program.
    pub program: PathBuf,
    /// The memory that a process may use, in bytes.
    pub memory: u64,
    /// The time for a plan. The process of one that takes longer is killed.
    pub deadline: Duration,
    /// The time after which a process that has nothing to do ends.
    pub idle: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            // This very program, even if its file has been replaced by a newer one.
            program: "/proc/self/exe".into(),
            memory: memory::of_plan(),
            // A plan of 1,000 applications takes some seconds; this is for ten times as many, on a busy machine.
            deadline: Duration::from_secs(120),
            // Commits come in bursts, and the next one is planned in less time by what is known already.
            idle: Duration::from_secs(60),
        }
    }
}

/// A process that waits for an order. It is killed when this value is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    terms: Terms,
}

impl Process {
    pub(super) async fn start(terms: Terms) -> Result<Self, SourceError> {
        let start = async || {
            let mut command = Command::new(&terms.program);
            // A library may print the last words of a process that is out of memory: they are not for our log.
            command
                .arg0("hfi")
                .arg(COMMAND)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            let mut child = command.kill_on_drop(true).spawn()?;
            let pipes = child.stdin.take().zip(child.stdout.take());
            let (mut input, output) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
            // A process that is dead already says nothing of itself: whoever asks it for a plan tells how it died.
            let _ = input.write_all(format!("{}\n", terms.memory).as_bytes()).await;
            Ok((child, input, output))
        };
        let (child, input, output) = start().await.map_err(|error: io::Error| failed(&io_reason(&error)))?;
        Ok(Self { child, input, output: BufReader::new(output), terms })
    }

    /// True if it has not ended.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The plan of a commit, and the process for the next one. After an error there is none.
    pub(super) async fn plan(mut self, order: Order) -> Result<(Self, Namespaces<Plan>), SourceError> {
        // Archives are many bytes, and this thread also serves polls.
        let order = spawn_blocking(move || serde_json::to_string(&order)).await;
        let order = order.map_err(io::Error::from).and_then(|order| Ok(order?));
        let order = order.map_err(|error| failed(&error.to_string()))?;
        let Ok(answered) = timeout(self.terms.deadline, self.converse(order)).await else {
            let (deadline, died) = (self.terms.deadline, self.end().await);
            return Err(failed(&format!("it did not end within {deadline:?}, and was killed ({died})")));
        };
        let read = spawn_blocking(move || serde_json::from_slice::<Answer>(&answered.ok()?).ok());
        let answer = read.await.ok().flatten();
        let Some(answer) = answer else {
            let (mebibytes, died) = (self.terms.memory >> 20, self.end().await);
            return Err(failed(&format!(
                "it died ({died}); it may use {mebibytes} MiB of memory, and more if the memory limit of the container is \
                 larger"
            )));
        };
        Ok((self, answer.map_err(SourceError)?))
    }

    /// Ends the process, and says how it died. If it is dead already, that remains the cause of its death.
    async fn end(&mut self) -> String {
        let _ = self.child.start_kill();
        self.child.wait().await.map_or_else(|error| io_reason(&error), |status| status.to_string())
    }

    /// Writes an order, and reads the answer. It is not whole if the process dies before.
    async fn converse(&mut self, order: String) -> io::Result<Vec<u8>> {
        self.input.write_all(order.as_bytes()).await?;
        self.input.write_all(b"\n").await?;
        drop(order);
        let mut answer = Vec::new();
        (&mut self.output).take(LONGEST_ANSWER).read_until(b'\n', &mut answer).await?;
        Ok(answer)
    }
}

fn failed(why: &str) -> SourceError {
    SourceError(format!("the process that plans: {why}"))
}
