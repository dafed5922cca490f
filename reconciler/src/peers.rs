//! The other replicas: each is asked, at its own address, what it alone knows.
//!
//! ```text
//! ask ──▶ addresses (DNS) ──▶ members: a client for each ──▶ replies: all but this replica, and those that are missing
//! ```
//!
//! - [`name`]: a name of all replicas. [`addresses`]: the addresses that it has now.
//! - `member`: one address, and what is known of the replica there.
//! - [`replies`]: what came back.
//!
//! A replica finds itself among the addresses, too. It knows itself by the id of its process, as it cannot know which
//! addresses lead to it.

pub mod addresses;
mod member;
pub mod name;
pub mod replies;

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use self::{
    addresses::{Addresses, Found},
    member::Member,
    name::PeerName,
    replies::{Arrived, Replies, gathered},
};
use crate::{
    access::token_file::TokenFile,
    api::peers::PeerAnswer,
    client::{Client, Failure, Token, exchange},
    random_id::random_id,
};

/// The time for all replicas to answer, from the look at the addresses on.
pub const TIME: Duration = Duration::from_secs(2);

/// How replicas reach each other.
#[derive(Clone, Debug)]
pub struct Settings {
    pub names: Vec<PeerName>,
    /// They serve HTTPS.
    pub tls: bool,
    /// The only certificates that are trusted for it.
    pub ca_file: Option<PathBuf>,
}

/// All replicas but this one.
pub struct Peers {
    /// The id of this process.
    pub id: String,
    /// The name of this replica, for people.
    pub name: String,
    /// The tokens by which replicas know each other.
    pub tokens: TokenFile,
    tls: bool,
    ca_file: Option<PathBuf>,
    addresses: Addresses,
    members: Mutex<HashMap<SocketAddr, Member>>,
}

impl Peers {
    /// Asks nobody yet.
    pub fn new(settings: Settings, tokens: TokenFile, name: String) -> Self {
        let Settings { names, tls, ca_file } = settings;
        let (addresses, members) = (Addresses::new(names), Mutex::default());
        Self { id: random_id(), name, tokens, tls, ca_file, addresses, members }
    }

    /// What all others answer to `GET /v1/peer/{resource}`.
    pub async fn ask<T: DeserializeOwned + Send + 'static>(
        self: &Arc<Self>,
        resource: &'static str,
    ) -> Replies<T> {
        let id: Arc<str> = self.id.as_str().into();
        self.each(Instant::now() + TIME, move |client| {
            let id = Arc::clone(&id);
            async move { client.ask_replica(&id, resource, TIME).await }
        })
        .await
    }

    /// What all others answer to `POST /v1/peer/{resource}` with this body, until then.
    pub async fn tell<T: DeserializeOwned + Send + 'static>(
        self: &Arc<Self>,
        resource: &'static str,
        told: impl Serialize + Send + Sync + 'static,
        end: Instant,
    ) -> Replies<T> {
        let (id, told): (Arc<str>, _) = (self.id.as_str().into(), Arc::new(told));
        self.each(end, move |client| {
            let (id, told) = (Arc::clone(&id), Arc::clone(&told));
            async move { client.tell_replica(&id, resource, &*told, TIME).await }
        })
        .await
    }

    /// What this replica answers to one that sent this id: nothing to itself.
    pub fn answer<T>(&self, asking: Option<&str>, told: impl FnOnce() -> T) -> PeerAnswer<T> {
        let told = (asking != Some(self.id.as_str())).then(told);
        PeerAnswer { id: self.id.clone(), name: self.name.clone(), told }
    }

    /// Asks at all addresses at once.
    async fn each<T, F>(
        self: &Arc<Self>,
        end: Instant,
        ask: impl FnOnce(Arc<Client>) -> F + Clone + Send + 'static,
    ) -> Replies<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<PeerAnswer<T>, Failure>> + Send + 'static,
    {
        // In tenths of a second.
        let time = end.duration_since(Instant::now()).as_secs_f64();
        let late = format!("it does not answer within {} s", (time * 10.0).round() / 10.0);
        let Found { addresses, troubles } = self.addresses.find(end).await;
        self.meet(addresses.keys());
        let (mut asked, mut answers) = (JoinSet::new(), HashMap::new());
        for (address, name) in addresses {
            let (this, ask, late) = (Arc::clone(self), ask.clone(), late.clone());
            answers.insert(address, Err("asking it has failed; see the log of this replica".to_owned()));
            asked.spawn(async move {
                let answer = async {
                    let client = this.client(address, &name).await?;
                    ask(client).await.map_err(|failure| replies::reason(&failure))
                };
                (address, timeout_at(end, answer).await.unwrap_or(Err(late)))
            });
        }
        while let Some(answered) = asked.join_next().await {
            answers.extend(answered);
        }
        self.sorted(answers, troubles)
    }

    /// Forgets the members at other addresses.
    fn meet<'a>(&self, addresses: impl Iterator<Item = &'a SocketAddr>) {
        let mut members = self.members();
        let mut former = std::mem::take(&mut *members);
        for address in addresses {
            members.insert(*address, former.remove(address).unwrap_or_default());
        }
        former.into_iter().for_each(|(address, member)| member.leave(address));
    }

    /// A client of the replica at an address.
    async fn client(self: &Arc<Self>, address: SocketAddr, name: &PeerName) -> Result<Arc<Client>, String> {
        let text = self.tokens.first()?;
        let token = Token::of_text(text.as_bytes()).map_err(str::to_owned)?;
        let known = self.members().get(&address).and_then(|member| member.client(&token));
        if let Some(client) = known {
            return Ok(client);
        }
        let settings = exchange::Settings {
            server: name.url(self.tls)?,
            token: Some(token.clone()),
            ca_file: self.ca_file.clone(),
            // It never leaves the network of the cluster, unless its names say otherwise.
            insecure_token: true,
            way: None,
            replica: Some(address),
            longest: exchange::LONGEST_OF_REPLICA,
        };
        // It may read many certificates.
        let made = tokio::task::spawn_blocking(move || Client::new(settings)).await;
        let made = made.map_err(|_| "its client does not start".to_owned())?;
        let client = Arc::new(made.map_err(|failure| replies::reason(&failure))?);
        if let Some(member) = self.members().get_mut(&address) {
            member.keep(token, Arc::clone(&client));
        }
        Ok(client)
    }

    /// Notes what came from each address, and leaves this replica out.
    fn sorted<T>(
        &self,
        answers: HashMap<SocketAddr, Result<PeerAnswer<T>, String>>,
        troubles: Vec<addresses::Trouble>,
    ) -> Replies<T> {
        let mut members = self.members();
        let mut arrived = Vec::new();
        for (address, answer) in answers {
            let Some(member) = members.get_mut(&address) else { continue };
            arrived.push(Arrived { known: member.note(address, &answer, &self.id), answer });
        }
        gathered(arrived, troubles, &self.id)
    }

    fn members(&self) -> MutexGuard<'_, HashMap<SocketAddr, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}
