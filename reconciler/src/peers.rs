//! The other replicas: each is asked, at its own address, what it alone knows.
//!
//! ```text
//! ask ──▶ addresses (DNS) ──▶ members: a client for each ──▶ replies: all but this replica, and those that are missing
//! ```
//!
//! - [`name`]: a name of all replicas. [`addresses`]: the addresses that it has now.
//! - `member`: one address, and what is known of the replica there.
//! - [`replies`]: what came back. [`roster`]: since when none of them has gone.
//!
//! A replica finds itself among the addresses, too. It knows itself by the id of its process, as it cannot know which
//! addresses lead to it.

pub mod addresses;
mod member;
pub mod name;
pub mod replies;
pub mod roster;

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
    replies::{Arrived, Known, Replies, gathered},
    roster::{Roster, mark},
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
    roster: Mutex<Roster>,
}

impl Peers {
    /// Asks nobody yet.
    pub fn new(settings: Settings, tokens: TokenFile, name: String) -> Self {
        let Settings { names, tls, ca_file } = settings;
        let (addresses, members) = (Addresses::new(names), Mutex::default());
        let roster = Mutex::new(Roster::new(Instant::now()));
        Self { id: random_id(), name, tokens, tls, ca_file, addresses, members, roster }
    }

    /// What all others answer to `GET /v1/peer/{resource}`.
    pub async fn ask<T: DeserializeOwned + Send + 'static>(
        self: &Arc<Self>,
        resource: &'static str,
    ) -> Replies<T> {
        let mark: Arc<str> = mark(&self.id).into();
        self.each(Instant::now() + TIME, move |client| {
            let mark = Arc::clone(&mark);
            async move { client.ask_replica(&mark, resource, TIME).await }
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
        let (mark, told): (Arc<str>, _) = (mark(&self.id).into(), Arc::new(told));
        self.each(end, move |client| {
            let (mark, told) = (Arc::clone(&mark), Arc::clone(&told));
            async move { client.tell_replica(&mark, resource, &*told, TIME).await }
        })
        .await
    }

    /// What this replica answers to one that sent this mark: nothing to itself.
    pub fn answer<T>(&self, asking: Option<&str>, told: impl FnOnce() -> T) -> PeerAnswer<T> {
        let is_own = asking.is_some_and(|asking| asking == mark(&self.id));
        if let Some(other) = asking.filter(|_| !is_own) {
            self.roster().asked_by(other, Instant::now());
        }
        let told = (!is_own).then(told);
        PeerAnswer { id: self.id.clone(), name: self.name.clone(), told }
    }

    /// True for the mark of this replica, and for that of one at an address that is known.
    pub fn is_asked(&self, other: &str) -> bool {
        other == mark(&self.id) || self.roster().has(other)
    }

    /// The others that answered the last question, and those that did not; `None` before the first one.
    pub fn counts(&self) -> Option<(usize, usize)> {
        self.roster().counts
    }

    /// The time for which no replica has gone, as far as this one knows.
    pub fn steady(&self) -> Duration {
        self.roster().steady(Instant::now())
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
                    replies::checked(ask(client).await.map_err(|failure| replies::reason(&failure))?)
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
            let known = match members.get_mut(&address) {
                Some(member) => member.note(address, &answer, &self.id),
                // Another question has found other addresses meanwhile.
                None => {
                    let id = answer.as_ref().ok().map(|answer| answer.id.clone());
                    Known { id, name: address.to_string() }
                }
            };
            arrived.push(Arrived { known, answer });
        }
        drop(members);
        let others = arrived.iter().filter(|arrived| arrived.known.id.as_ref() != Some(&self.id));
        let present = others.map(|arrived| arrived.known.who()).collect();
        let replies = gathered(arrived, troubles, &self.id);
        let mut roster = self.roster();
        roster.learn(present, Instant::now());
        roster.counts = Some(replies.counts());
        replies
    }

    fn members(&self) -> MutexGuard<'_, HashMap<SocketAddr, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Peers, Settings, TokenFile, mark};

    #[test]
    fn a_replica_tells_nothing_to_itself_and_who_repeats_what_was_sent_is_not_itself() {
        let settings = Settings { names: Vec::new(), tls: false, ca_file: None };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "replicas replicas-0123456789abcdef\n").unwrap();
        let tokens = TokenFile::open_without_rights(file.path().into(), "--peer-token-file").unwrap();
        let peers = Peers::new(settings, tokens, "hfi-1".to_owned());
        let sent = mark(&peers.id);
        assert_eq!(peers.answer(Some(&sent), || 7).told, None);
        for other in [Some(peers.id.as_str()), Some("sha256:00"), None] {
            assert_eq!(peers.answer(other, || 7).told, Some(7), "{other:?}");
        }
        assert_ne!(sent, peers.id);
    }
}
