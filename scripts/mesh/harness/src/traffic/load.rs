//! Many requests at once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::task::JoinSet;

use super::client::{Client, Request};
use super::results::Results;

/// A number of equal requests, sent in turn to each of some addresses.
#[derive(Debug, Clone)]
pub struct Load {
    request: Request,
    requests: usize,
    concurrency: usize,
}

impl Load {
    /// This request so many times, eight at a time.
    pub fn of(request: Request, requests: usize) -> Self {
        Self { request, requests, concurrency: 8 }
    }

    /// The same with so many at a time.
    pub fn concurrency(self, concurrency: usize) -> Self {
        Self { concurrency, ..self }
    }

    /// Sends them all.
    pub async fn run(&self, client: &Client, addresses: &[SocketAddr]) -> Result<Results> {
        let results = Arc::new(Mutex::new(Results::default()));
        self.run_into(client, addresses, &results).await?;
        let results = results.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(results)
    }

    /// Sends them all and counts as it goes, for somebody who watches.
    pub async fn run_into(
        &self,
        client: &Client,
        addresses: &[SocketAddr],
        results: &Arc<Mutex<Results>>,
    ) -> Result<()> {
        let sent = Arc::new(AtomicUsize::new(0));
        let mut senders = JoinSet::new();
        for _ in 0..self.concurrency {
            let (load, client) = (self.clone(), client.clone());
            let (addresses, results, sent) = (addresses.to_vec(), Arc::clone(results), Arc::clone(&sent));
            senders.spawn(async move {
                loop {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    let address = addresses.get(number % addresses.len().max(1));
                    let Some(address) = address.filter(|_| number < load.requests) else { return };
                    let outcome = client.send(*address, &load.request).await;
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    match outcome {
                        Ok(answer) => results.add(&answer),
                        Err(_) => results.add_failure(),
                    }
                }
            });
        }
        while let Some(ended) = senders.join_next().await {
            ended?;
        }
        Ok(())
    }
}
