//! Answers that are made for one request and need time or memory: few at once, and of each client fewer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
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
    turns: Semaphore,
    /// Those of clients that wait or have one.
    clients: Mutex<HashMap<Client, Weak<Semaphore>>>,
}

impl Default for Making {
    fn default() -> Self {
        Self { turns: Semaphore::new(MAX_MADE), clients: Mutex::default() }
    }
}

impl Making {
    /// Makes an answer on a thread of its own, in turn.
    pub(crate) async fn make<T: Send + 'static>(
        &self,
        client: Client,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let own = Own { making: self, client, turns: self.turns_of(client) };
        // Neither is ever closed.
        let _own = own.turns.acquire().await;
        let _turn = self.turns.acquire().await;
        let made = tokio::task::spawn_blocking(make).await;
        made.map_err(|_| Problem::not_ready("the answer could not be made".to_owned()))
    }

    fn turns_of(&self, client: Client) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients.entry(client).or_default();
        known.upgrade().unwrap_or_else(|| {
            let turns = Arc::new(Semaphore::new(MAX_MADE_PER_CLIENT));
            *known = Arc::downgrade(&turns);
            turns
        })
    }
}

/// The turns of a client, while one of its requests is here.
struct Own<'a> {
    making: &'a Making,
    client: Client,
    turns: Arc<Semaphore>,
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        let mut clients = self.making.clients.lock().unwrap_or_else(PoisonError::into_inner);
        // Others get it only under the lock.
        if Arc::strong_count(&self.turns) == 1 {
            clients.remove(&self.client);
        }
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
        assert!(making.clients.lock().unwrap().is_empty(), "clients that are gone are remembered");
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
