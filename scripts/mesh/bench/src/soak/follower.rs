//! A client that polls as a filter does, and remembers the answers.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use harness::{Answer, Client, Request};
use tokio::{task::JoinSet, time::sleep};

/// After an answer that none can be held for.
const REST: Duration = Duration::from_millis(200);

/// The push that a body speaks of.
pub(super) fn text(number: u64) -> String {
    format!("push {number:08}")
}

/// All of them. They end with this value.
#[derive(Debug)]
pub(super) struct Followers {
    /// By service, then by replica.
    heard: Vec<Vec<Arc<Mutex<Heard>>>>,
    /// The number of times that a client was told of an older push than before.
    pub(super) went_back: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

/// The newest push that somebody was told of, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) number: u64,
    pub(super) at: Instant,
}

impl Followers {
    pub(super) fn start(address: SocketAddr, client: &Client, services: usize, each: usize) -> Self {
        let went_back = Arc::<AtomicU64>::default();
        let (mut tasks, mut heard) = (JoinSet::new(), Vec::new());
        for service in 0..services {
            let replicas = (0..each).map(|replica| {
                let heard = Arc::new(Mutex::new(Heard { number: 0, at: Instant::now() }));
                let follower = Follower {
                    path: format!("/v1/snapshot?namespace=demo&service=s{service}"),
                    node: format!("sidecar~s{service}-{replica}.demo"),
                    heard: Arc::clone(&heard),
                    went_back: Arc::clone(&went_back),
                };
                tasks.spawn(follower.follow(address, client.clone()));
                heard
            });
            heard.push(replicas.collect());
        }
        Self { heard, went_back, _tasks: tasks }
    }

    /// The pushes that the replicas of a service have heard of.
    pub(super) fn of(&self, service: usize) -> impl Iterator<Item = Heard> {
        self.heard.get(service).into_iter().flatten().map(|heard| *lock(heard))
    }
}

struct Follower {
    path: String,
    node: String,
    heard: Arc<Mutex<Heard>>,
    went_back: Arc<AtomicU64>,
}

impl Follower {
    async fn follow(self, address: SocketAddr, client: Client) {
        let mut known: Option<(String, String)> = None;
        loop {
            let mut request = Request::get(&self.path).header("x-hfi-node", &self.node);
            if let Some((etag, revision)) = &known {
                request = request.header("if-none-match", etag).header("x-hfi-revision", revision);
                request = request.header("prefer", "wait=30");
            }
            match client.send(address, &request).await {
                Ok(answer) if answer.status == 200 => {
                    self.hear(&answer);
                    known = validators(&answer);
                }
                Ok(answer) if answer.status == 304 => {}
                _ => sleep(REST).await,
            }
        }
    }

    fn hear(&self, answer: &Answer) {
        let Some(number) = number(&answer.body) else { return };
        let mut heard = lock(&self.heard);
        if number < heard.number {
            self.went_back.fetch_add(1, Ordering::Relaxed);
        }
        *heard = Heard { number, at: Instant::now() };
    }
}

fn validators(answer: &Answer) -> Option<(String, String)> {
    Some((answer.header("etag")?.to_owned(), answer.header("x-hfi-revision")?.to_owned()))
}

fn number(body: &str) -> Option<u64> {
    body.split_once("push ")?.1.get(..8)?.parse().ok()
}

fn lock(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
