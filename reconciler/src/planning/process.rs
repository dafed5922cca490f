//! A process that plans, as its parent sees it.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    child::COMMAND,
    failure::Failure,
    order::{AnswerLine, Order, OrderLine, line},
};
use crate::{
    istio::plan::{Namespaces, Plan},
    source::git::{command, memory},
};

/// The time in which a process is gone that was killed.
const END: Duration = Duration::from_secs(5);

/// How processes that plan are started and ended.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The `hfi` program.
    pub program: PathBuf,
    /// The memory that a process may use, in bytes.
    pub memory: u64,
    /// The longest answer that is read, in bytes.
    pub answer: u64,
    /// The time for a plan. The process of one that takes longer is killed.
    pub deadline: Duration,
    /// The time after which a process that has nothing to do ends.
    pub idle: Duration,
    /// The number of plans after which a process ends.
    pub plans: usize,
    /// So many times the time of a plan pass before it is made again because it failed, or something could not be read.
    pub again: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            // This very program, even if its file has been replaced by a newer one.
            program: "/proc/self/exe".into(),
            memory: memory::of_plan(),
            // Of a namespace it has less than 2 MiB.
            answer: 256 << 20,
            // A plan of 1,000 applications takes some seconds; this is for ten times as many, on a busy machine.
            deadline: Duration::from_secs(120),
            // Commits come in bursts, and the next one is planned in less time by what is known already.
            idle: Duration::from_secs(60),
            // Its heap is a little more fragmented after each.
            plans: 50,
            // What fails again and again costs a twentieth of a processor.
            again: 20,
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
    /// The number of plans that it has made.
    plans: usize,
}

impl Process {
    pub(super) async fn start(terms: Terms) -> Result<Self, Failure> {
        let mut child = Command::from(command(&terms.program, COMMAND)).kill_on_drop(true).spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (mut input, output) = pipes.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        // A process that is dead already says nothing of itself: whoever asks it for a plan tells how it died.
        let _ = input.write_all(format!("{}\n", terms.memory).as_bytes()).await;
        Ok(Self { child, input, output: BufReader::new(output), terms, plans: 0 })
    }

    /// True if it has not ended.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// True if it has not made all its plans yet.
    pub(super) fn may_plan(&self) -> bool {
        self.plans < self.terms.plans
    }

    /// The plan of a commit, and the process for the next one. After an error there is none.
    pub(super) async fn plan(mut self, order: &Order) -> Result<(Self, Namespaces<Plan>), Failure> {
        let Terms { deadline, memory, .. } = self.terms;
        match timeout(deadline, self.converse(order)).await {
            Ok(Ok(planned)) => {
                let plans = planned?;
                self.plans += 1;
                Ok((self, plans))
            }
            Ok(Err(_)) => Err(Failure::Died { end: self.end().await, memory }),
            Err(_) => Err(Failure::Late { deadline, end: self.end().await }),
        }
    }

    /// Ends the process, and says how it died. If it is dead already, that remains the cause of its death.
    async fn end(&mut self) -> io::Result<ExitStatus> {
        let _ = self.child.start_kill();
        let still = || io::Error::other(format!("it still runs {END:?} after SIGKILL"));
        timeout(END, self.child.wait()).await.unwrap_or_else(|_| Err(still()))
    }

    /// Writes an order, and reads the answer. An error of a pipe says that the process is dead.
    async fn converse(&mut self, order: &Order) -> io::Result<Result<Namespaces<Plan>, Failure>> {
        self.input.write_all(&line(order)?).await?;
        for (namespace, known) in &order.known {
            let known: OrderLine = Some((namespace.clone(), known.clone()));
            self.input.write_all(&aside(move || line(&known)).await??).await?;
        }
        self.input.write_all(&line(&OrderLine::None)?).await?;
        let mut output = (&mut self.output).take(self.terms.answer);
        let mut plans = Namespaces::new();
        loop {
            let mut line = Vec::new();
            output.read_until(b'\n', &mut line).await?;
            if output.limit() == 0 {
                return Ok(Err(Failure::TooLong(self.terms.answer)));
            }
            if line.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match aside(move || serde_json::from_slice::<AnswerLine>(&line)).await? {
                Ok(Ok(Some((namespace, plan)))) => plans.insert(namespace, plan),
                Ok(Ok(None)) => return Ok(Ok(plans)),
                Ok(Err(reason)) => return Ok(Err(Failure::Told(reason))),
                Err(error) => return Ok(Err(Failure::Unread(error))),
            };
        }
    }
}

/// Does work of some milliseconds beside the threads that serve polls.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    Ok(spawn_blocking(work).await?)
}
