//! A control plane that answers as a case wants it, also wrongly, and remembers who asked what.

mod poll;
mod reply;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::system::Deadline;
use crate::system::loopback;

pub use self::poll::Poll;
pub use self::reply::{Reply, Snapshot};

/// Longer than a filter takes to give up a poll that nobody answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answers that it gives.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// As `hfi serve` does: who has this snapshot is held for as long as it asks, then told 304.
    Serve(Snapshot),
    /// The same through a proxy that changes each reply.
    Relay(Snapshot, fn(Reply) -> Reply),
    /// Everybody gets this at once.
    Say(Reply),
    /// Everybody gets, at once, the one of the two that it does not have.
    Alternate(Snapshot, Snapshot),
    /// Takes a poll and never answers it, whatever comes later.
    Hang,
}

/// A running control plane. Dropping it stops it.
#[derive(Debug)]
pub struct ControlPlane {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    behaviour: watch::Sender<Behaviour>,
    polls: Mutex<Vec<Poll>>,
}

impl ControlPlane {
    /// Starts it on a free port of the loopback interface.
    pub async fn start(behaviour: Behaviour) -> Result<Self> {
        let listener = TcpListener::bind(loopback()).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State { behaviour: watch::Sender::new(behaviour), polls: Mutex::default() });
        let task = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { address, state, task })
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it answers so, also to those that it holds.
    pub fn becomes(&self, behaviour: Behaviour) {
        self.state.behaviour.send_replace(behaviour);
    }

    /// Every poll so far, in the order in which they came.
    pub fn polls(&self) -> Vec<Poll> {
        self.state.polls().clone()
    }

    /// Waits until the polls are as wanted.
    pub async fn polled(&self, what: &'static str, wanted: impl Fn(&[Poll]) -> bool) -> Result<Vec<Poll>> {
        let deadline = Deadline::of(what, PATIENCE);
        loop {
            let polls = self.polls();
            if wanted(&polls) {
                return Ok(polls);
            }
            deadline.pause().await.with_context(|| format!("polls: {polls:#?}"))?;
        }
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        // A connection that breaks is what some cases are about.
        connections.spawn(async move { converse(stream, &state).await });
    }
}

/// Bytes as they come: no HTTP library would send what is wrong.
async fn converse(stream: TcpStream, state: &State) -> Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(poll) = Poll::read(&mut stream).await? {
        let number = state.begin(poll.clone());
        let reply = tokio::select! {
            reply = state.reply(&poll) => Some(reply),
            // Nothing more is sent before the answer: whatever comes is the end.
            _ = stream.fill_buf() => None,
        };
        state.end(number);
        let Some(reply) = reply else { break };
        stream.write_all(&reply.bytes()).await?;
        if reply.ends_connection() {
            break;
        }
    }
    Ok(())
}

impl State {
    fn polls(&self) -> MutexGuard<'_, Vec<Poll>> {
        self.polls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, mut poll: Poll) -> usize {
        let mut polls = self.polls();
        poll.open += polls.iter().filter(|other| other.node == poll.node && other.ended.is_none()).count();
        polls.push(poll);
        polls.len() - 1
    }

    fn end(&self, number: usize) {
        if let Some(poll) = self.polls().get_mut(number) {
            poll.ended = Some(Instant::now());
        }
    }

    async fn reply(&self, poll: &Poll) -> Reply {
        let mut behaviour = self.behaviour.subscribe();
        let has = |snapshot: &Snapshot| poll.header("if-none-match") == Some(&snapshot.etag());
        let until = tokio::time::Instant::from_std(poll.began + poll.wait());
        loop {
            let present = behaviour.borrow_and_update().clone();
            let change = match present {
                Behaviour::Relay(_, change) => change,
                _ => std::convert::identity,
            };
            match present {
                Behaviour::Serve(snapshot) | Behaviour::Relay(snapshot, _) if has(&snapshot) => {
                    if tokio::time::timeout_at(until, behaviour.changed()).await.is_err() {
                        return change(Reply::not_modified(&snapshot));
                    }
                }
                Behaviour::Serve(snapshot) | Behaviour::Relay(snapshot, _) => {
                    return change(Reply::with(&snapshot));
                }
                Behaviour::Say(reply) => return reply,
                Behaviour::Alternate(one, other) => {
                    return Reply::with(if has(&one) { &other } else { &one });
                }
                Behaviour::Hang => return std::future::pending().await,
            }
        }
    }
}
