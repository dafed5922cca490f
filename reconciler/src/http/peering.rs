//! What this replica tells the others, and what it asks them.

use std::{sync::Arc, time::Instant};

use axum::http::HeaderMap;
use tokio::sync::Semaphore;

use super::{
    authorization::{self, unauthorized},
    problem::Problem,
    tokens::too_many,
};
use crate::{
    access::failures::Failures,
    api::peers::{PeerAnswer, REPLICA},
    clients::Client,
    fleet::shared::Shared,
    peers::Peers,
};

/// The answers to other replicas that are made at once. They have turns of their own: requests of others must not make
/// this replica silent to them.
const TURNS: usize = 2;

/// The other replicas, and the token by which they know each other.
#[derive(Debug)]
pub struct Peering {
    pub(crate) shared: Shared,
    failures: Failures,
    turns: Arc<Semaphore>,
}

impl Peering {
    pub fn new(peers: Arc<Peers>) -> Self {
        let turns = Arc::new(Semaphore::new(TURNS));
        Self { shared: Shared::new(peers), failures: Failures::default(), turns }
    }

    /// Refuses who is no replica.
    pub(crate) fn authorize(&self, headers: &HeaderMap, client: Client) -> Result<(), Problem> {
        let token = authorization::token(headers)?;
        let owner = self.shared.peers.tokens.grants().of_token(&token);
        let user = owner.as_ref().map(|rights| &rights.user);
        self.failures.note(client, user, Instant::now()).map_err(|wait| {
            too_many("tokens that are not valid came from this address too often".to_owned(), wait)
        })?;
        let wrong = || unauthorized("the token is not one of --peer-token-file of this replica");
        owner.map(|_| ()).ok_or_else(wrong)
    }

    /// An answer to another replica that costs nothing to make.
    pub(crate) fn answer_at_once<T>(&self, headers: &HeaderMap, told: impl FnOnce() -> T) -> PeerAnswer<T> {
        self.shared.peers.answer(asking(headers), told)
    }

    /// Makes an answer to another replica, on a thread of its own.
    pub(crate) async fn answer<T: Send + 'static>(
        &self,
        headers: &HeaderMap,
        told: impl FnOnce() -> T + Send + 'static,
    ) -> Result<PeerAnswer<T>, Problem> {
        let asking = asking(headers).map(str::to_owned);
        // It is never closed.
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let peers = Arc::clone(&self.shared.peers);
        let made = tokio::task::spawn_blocking(move || {
            let _held = turn;
            peers.answer(asking.as_deref(), told)
        });
        made.await.map_err(|_| Problem::not_ready("the answer could not be made".to_owned()))
    }
}

/// The mark of the replica that asks, if it says so.
pub(crate) fn asking(headers: &HeaderMap) -> Option<&str> {
    headers.get(REPLICA).and_then(|mark| mark.to_str().ok())
}
