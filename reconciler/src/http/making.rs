//! Answers that are made for one request and need time or memory: few at once, and of each client fewer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Semaphore;

use super::{
    limits::{MAX_MADE, MAX_MADE_PER_CLIENT},
    problem::Problem,
};
use crate::clients::Client;

/// The turns to make an answer. Requests wait for theirs: first for those of the same client, then for others.
#[derive(Debug)]
pub(crate) struct Making {
    turns: Arc<Semaphore>,
    clients: Arc<Clients>,
}

/// The turns of each client that waits or has one.
#[derive(Debug, Default)]
struct Clients(Mutex<HashMap<Client, Turns>>);

#[derive(Debug)]
struct Turns {
    semaphore: Arc<Semaphore>,
    /// The requests that wait for a turn or have one.
    requests: usize,
}

impl Default for Making {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(MAX_MADE)), clients: Arc::default() }
    }
}

impl Making {
    /// Makes an answer on a thread of its own, in turn.
    pub(crate) async fn make<T: Send + 'static>(
        &self,
        client: Client,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (own, turns) = Own::begin(&self.clients, client);
        // Neither is ever closed.
        let its_turn = turns.acquire_owned().await;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let made = tokio::task::spawn_blocking(move || {
            // They end with the work, which goes on when the client has left.
            let _held = (own, its_turn, turn);
            make()
        });
        made.await.map_err(|_| Problem::not_ready("the answer could not be made".to_owned()))
    }
}

/// A request of a client, while it waits or its answer is made.
struct Own {
    clients: Arc<Clients>,
    client: Client,
}

impl Own {
    fn begin(clients: &Arc<Clients>, client: Client) -> (Self, Arc<Semaphore>) {
        let turns = || Turns { semaphore: Arc::new(Semaphore::new(MAX_MADE_PER_CLIENT)), requests: 0 };
        let mut known = clients.lock();
        let its = known.entry(client).or_insert_with(turns);
        its.requests += 1;
        (Self { clients: Arc::clone(clients), client }, Arc::clone(&its.semaphore))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut known = self.clients.lock();
        if let Some(its) = known.get_mut(&self.client) {
            its.requests -= 1;
            if its.requests == 0 {
                known.remove(&self.client);
            }
        }
    }
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, HashMap<Client, Turns>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };

    use tokio::{task::JoinSet, time::timeout};

    use super::{MAX_MADE, MAX_MADE_PER_CLIENT, Making};
    use crate::clients::{Client, Prefixes};

    fn client(end: u8) -> Client {
        Prefixes::default().client(Ipv4Addr::new(10, 0, 0, end).into())
    }

    #[tokio::test]
    async fn who_asks_for_much_keeps_nobody_waiting() {
        let making = Arc::new(Making::default());
        let (begun, running) = mpsc::channel();
        let mut stops = Vec::new();
        let mut tasks = JoinSet::new();
        for _ in 0..100 {
            let ((stop, stopped), making, begun) =
                (mpsc::channel::<()>(), Arc::clone(&making), begun.clone());
            stops.push(stop);
            tasks.spawn(async move {
                let make = move || {
                    let _ = begun.send(());
                    let _ = stopped.recv();
                };
                making.make(client(1), make).await.unwrap();
            });
        }
        let running = tokio::task::spawn_blocking(move || {
            (0..MAX_MADE_PER_CLIENT).for_each(|_| running.recv().unwrap());
            running
        });
        let running = running.await.unwrap();
        assert!(running.try_recv().is_err());
        let other = making.make(client(2), || 7);
        assert_eq!(timeout(Duration::from_secs(10), other).await.unwrap().unwrap(), 7);
        drop(stops);
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        assert!(making.clients.lock().is_empty(), "clients that are gone are remembered");
    }

    #[tokio::test]
    async fn who_leaves_gets_no_more_turns_before_its_work_is_done() {
        let making = Arc::new(Making::default());
        let (begun, running) = mpsc::channel();
        let mut stops = Vec::new();
        for _ in 0..20 {
            let ((stop, stopped), making, begun) =
                (mpsc::channel::<()>(), Arc::clone(&making), begun.clone());
            stops.push(stop);
            let make = move || {
                let _ = begun.send(());
                let _ = stopped.recv();
            };
            // The client leaves soon after it has asked.
            let _ = timeout(Duration::from_millis(20), making.make(client(1), make)).await;
        }
        for _ in 0..MAX_MADE_PER_CLIENT {
            running.recv_timeout(Duration::from_secs(10)).unwrap();
        }
        assert!(running.try_recv().is_err(), "more are made for it at once");
        drop(stops);
        let other = making.make(client(1), || 7);
        assert_eq!(timeout(Duration::from_secs(10), other).await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn so_many_are_made_at_once() {
        let (making, at_once) = (Arc::new(Making::default()), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for end in 0..100 {
            let (making, at_once) = (Arc::clone(&making), Arc::clone(&at_once));
            tasks.spawn(async move {
                let make = move || {
                    let before = at_once.fetch_add(1, Ordering::SeqCst);
                    std::thread::yield_now();
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    before
                };
                making.make(client(end), make).await.unwrap()
            });
        }
        while let Some(before) = tasks.join_next().await {
            assert!(before.unwrap() < MAX_MADE);
        }
    }
}
