//! Many polls that wait, each over its own connection, of one thread.
//!
//! It does no more than the kernel asks of a client, so that the server is measured and not its clients. What it
//! needs of the processor while it is answered is told beside each figure.

use std::{
    fs,
    io::{IoSlice, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::time::{ClockId, clock_gettime};
use tokio::{sync::oneshot, time::sleep};

use crate::ready::Ready;

/// By then the last one is held.
const SETTLED: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// The next thing that a client does after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing; its connection stays open.
    StaySilent,
    /// It asks for what comes next, as filters do.
    AskAgain,
    /// It closes the connection.
    Leave,
}

/// A request for all, in the parts that are the same for all.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    pub(super) path: String,
    /// With their line breaks.
    pub(super) headers: String,
    /// A part of the headers, in place of which the value of this header of the answer is asked for then.
    pub(super) known: Option<(&'static str, String)>,
}

/// When all were answered, and what that took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) first: Instant,
    pub(super) last: Instant,
    /// The processor time of the thread of all clients between these two.
    pub(super) busy: Duration,
    /// The time for which this thread could have run, but for a processor.
    pub(super) queued: Duration,
}

/// The polls.
#[derive(Debug)]
pub(super) struct Crowd {
    ready: Ready,
    members: Vec<Member>,
    poll: Poll,
}

#[derive(Debug)]
struct Member {
    /// None once it has left.
    stream: Option<TcpStream>,
    /// The begin of its requests.
    head: String,
    is_answered: bool,
}

impl Crowd {
    /// Sends as many, and waits until they are held.
    pub(super) async fn send(address: SocketAddr, poll: &Poll, count: usize) -> Result<Self> {
        let poll = poll.clone();
        let crowd = on_thread(move || {
            let (ready, mut members) = (Ready::new()?, Vec::with_capacity(count));
            for number in 0..count {
                // As a filter says whose it is.
                let node =
                    format!("sidecar~10.{}.{}.7~checkout-{number:05}.demo~demo", number / 256, number % 256);
                let head = format!("GET {} HTTP/1.1\r\nhost: hfi\r\nx-hfi-node: {node}\r\n", poll.path);
                let stream = TcpStream::connect(address)?;
                let mut member = Member { stream: Some(stream), head, is_answered: false };
                member.ask(&poll.headers)?;
                if let Some(stream) = &member.stream {
                    stream.set_nonblocking(true)?;
                    ready.add(stream, number)?;
                }
                members.push(member);
            }
            Ok(Self { ready, members, poll })
        });
        let crowd = crowd.await?;
        sleep(SETTLED).await;
        Ok(crowd)
    }

    /// When the first and the last were answered, once `change` is done.
    pub(super) async fn answered(
        mut self,
        then: Then,
        change: impl Future<Output = Result<()>>,
    ) -> Result<(Answered, Self)> {
        ensure!(self.ready.wait(Some(Duration::ZERO))?.is_empty(), "a poll was not held");
        let answers = on_thread(move || {
            let answered = self.hear(then)?;
            Ok((answered, self))
        });
        let (changed, answers) = tokio::join!(change, answers);
        changed?;
        answers
    }

    fn hear(&mut self, then: Then) -> Result<Answered> {
        let (mut left, mut first, mut buffer) = (self.members.len(), None, [0; 4_096]);
        let mut next: Option<String> = None;
        while left > 0 {
            let numbers = self.ready.wait(Some(PATIENCE))?;
            ensure!(!numbers.is_empty(), "{left} polls are not answered");
            for number in numbers {
                if first.is_none() {
                    first = Some((Instant::now(), processor_time(), time_in_queue()?));
                }
                let member = self.members.get_mut(number).context("no such poll")?;
                let Some(stream) = &mut member.stream else { bail!("a poll that has left is answered") };
                let length = stream.read(&mut buffer)?;
                let answer = buffer.get(..length).unwrap_or_default();
                ensure!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(answer));
                ensure!(!member.is_answered, "a poll is answered twice");
                member.is_answered = true;
                left -= 1;
                match then {
                    Then::StaySilent => {}
                    Then::AskAgain => {
                        let headers = match &next {
                            Some(headers) => headers,
                            None => next.insert(self.poll.after(answer)?),
                        };
                        member.ask(headers)?;
                    }
                    Then::Leave => member.stream = None,
                }
            }
        }
        let (first, busy, queued) = first.context("no polls")?;
        let last = Instant::now();
        let (busy, queued) = (processor_time().saturating_sub(busy), time_in_queue()?.saturating_sub(queued));
        Ok(Answered { first, last, busy, queued })
    }
}

impl Member {
    fn ask(&mut self, headers: &str) -> Result<()> {
        let stream = self.stream.as_mut().context("it has left")?;
        let parts = [self.head.as_bytes(), headers.as_bytes(), b"\r\n"];
        let sent = stream.write_vectored(&parts.map(IoSlice::new))?;
        let length: usize = parts.iter().map(|part| part.len()).sum();
        ensure!(sent == length, "a request did not fit");
        Ok(())
    }
}

impl Poll {
    /// The headers by which one who got this answer asks for the next one.
    fn after(&self, answer: &[u8]) -> Result<String> {
        let Some((header, known)) = &self.known else { return Ok(self.headers.clone()) };
        let answer = String::from_utf8_lossy(answer);
        let value = answer.lines().find_map(|line| line.strip_prefix(header)?.strip_prefix(": "));
        Ok(self.headers.replace(known, value.with_context(|| format!("no {header}"))?))
    }
}

/// Runs this on a thread of its own, on the cores of this one.
async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (done, result) = oneshot::channel();
    // There is nobody to tell if what waits for it is gone.
    thread::spawn(move || done.send(work()).map_err(drop));
    result.await.context("a thread of clients broke off")?
}

/// The time for which this thread has waited for a processor.
fn time_in_queue() -> Result<Duration> {
    let times = fs::read_to_string("/proc/thread-self/schedstat")?;
    let queued = times.split_whitespace().nth(1).context("Linux counts it")?;
    Ok(Duration::from_nanos(queued.parse()?))
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}
