//! The addresses of all replicas, as DNS has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    time::Duration,
};

use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tracing::{info, warn};

use super::name::PeerName;
use crate::io_reason::io_reason;

/// The most addresses that are asked.
pub const MAX_ADDRESSES: usize = 20;
/// The time for which addresses hold.
const FRESH: Duration = Duration::from_secs(1);
/// The longest that DNS is waited for. Then replicas are asked at the addresses that they had before.
const PATIENCE: Duration = Duration::from_millis(500);

/// The addresses of these names.
#[derive(Debug)]
pub(super) struct Addresses {
    names: Vec<PeerName>,
    known: Mutex<Known>,
}

/// What is known, and the look that is under way.
#[derive(Debug, Default)]
struct Known {
    of: BTreeMap<PeerName, BTreeSet<SocketAddr>>,
    troubles: Vec<Trouble>,
    at: Option<Instant>,
    /// It is left alone until it ends: DNS that hangs must not gather threads.
    look: Option<JoinHandle<(Instant, Vec<Looked>)>>,
}

type Looked = (PeerName, io::Result<Vec<SocketAddr>>);

/// The addresses to ask, each with its name, and the reasons why there may be more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) addresses: BTreeMap<SocketAddr, PeerName>,
    pub(super) troubles: Vec<Trouble>,
}

/// A name of which not all replicas can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub name: String,
    pub reason: String,
}

impl Addresses {
    pub(super) fn new(names: Vec<PeerName>) -> Self {
        Self { names, known: Mutex::default() }
    }

    /// The addresses now, or those known before if DNS does not answer soon.
    pub(super) async fn find(&self, end: Instant) -> Found {
        let end = end.min(Instant::now() + PATIENCE);
        // Others look already.
        let mut known = self.known.lock().await;
        if known.at.is_none_or(|at| at.elapsed() >= FRESH) {
            let troubles = match timeout_at(end, known.look(&self.names)).await {
                Ok(Some(looked)) => known.learn(looked),
                _ => self.names.iter().map(|name| Trouble::new(name, "DNS does not answer")).collect(),
            };
            known.tell(troubles);
            known.at = Some(Instant::now());
        }
        known.found()
    }
}

async fn look(names: Vec<PeerName>) -> (Instant, Vec<Looked>) {
    let mut looked = Vec::new();
    for name in names {
        let addresses = name.addresses().await;
        looked.push((name, addresses));
    }
    (Instant::now(), looked)
}

impl Known {
    /// Waits for the look that is under way, or for another one.
    async fn look(&mut self, names: &[PeerName]) -> Option<Vec<Looked>> {
        loop {
            let looking = self.look.get_or_insert_with(|| tokio::spawn(look(names.to_vec())));
            let looked = looking.await;
            self.look = None;
            match looked {
                // It came too late for whoever waited, and nobody has come since.
                Ok((at, _)) if at.elapsed() >= FRESH => {}
                looked => return looked.ok().map(|(_, looked)| looked),
            }
        }
    }

    /// Takes over what a look has found. A name that is not found keeps its addresses.
    fn learn(&mut self, looked: Vec<Looked>) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        for (name, addresses) in looked {
            match addresses {
                Ok(addresses) if !addresses.is_empty() => {
                    self.of.insert(name, addresses.into_iter().collect());
                }
                Ok(_) => troubles.push(Trouble::new(&name, "it has no address")),
                Err(error) => {
                    let reason = format!("its addresses are not known: {}", io_reason(&error));
                    troubles.push(Trouble::new(&name, &reason));
                }
            }
        }
        troubles
    }

    /// Logs each trouble once when it begins, and once when it ends.
    fn tell(&mut self, troubles: Vec<Trouble>) {
        let is_in =
            |trouble: &Trouble, others: &[Trouble]| others.iter().any(|other| other.name == trouble.name);
        for Trouble { name, reason } in troubles.iter().filter(|trouble| !is_in(trouble, &self.troubles)) {
            warn!(peers = name, reason, "a name of the peers has no addresses");
        }
        for Trouble { name, .. } in self.troubles.iter().filter(|trouble| !is_in(trouble, &troubles)) {
            info!(peers = name, "the name of the peers has addresses again");
        }
        self.troubles = troubles;
    }

    fn found(&self) -> Found {
        let mut found = Found { troubles: self.troubles.clone(), ..Found::default() };
        for (name, addresses) in &self.of {
            for address in addresses {
                found.addresses.entry(*address).or_insert_with(|| name.clone());
            }
        }
        let all = found.addresses.len();
        if let Some(first) = found.addresses.keys().nth(MAX_ADDRESSES).copied() {
            let rest = found.addresses.split_off(&first);
            let name = rest.values().next().map(ToString::to_string).unwrap_or_default();
            let reason = format!("there are {all} addresses, and {MAX_ADDRESSES} are asked");
            found.troubles.push(Trouble { name, reason });
        }
        found
    }
}

impl Trouble {
    fn new(name: &PeerName, reason: &str) -> Self {
        Self { name: name.to_string(), reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::{io, net::SocketAddr};

    use tokio::time::{Duration, Instant};

    use super::{Addresses, Known, MAX_ADDRESSES, PeerName};

    fn name(text: &str) -> PeerName {
        text.parse().unwrap()
    }

    fn addresses(count: u16) -> Vec<SocketAddr> {
        let address = |at: u16| SocketAddr::from(([10, 0, (at >> 8) as u8, at as u8], 8080));
        (0..count).map(address).collect()
    }

    #[tokio::test]
    async fn addresses_are_those_of_all_names() {
        let names = ["127.0.0.2:80", "127.0.0.1:80", "127.0.0.1:80", "[::1]:80"].map(name);
        let found = Addresses::new(names.to_vec()).find(Instant::now() + Duration::from_secs(9)).await;
        let shown: Vec<_> = found.addresses.keys().map(ToString::to_string).collect();
        assert_eq!(shown, ["127.0.0.1:80", "127.0.0.2:80", "[::1]:80"]);
        assert_eq!(found.troubles, []);
    }

    #[tokio::test]
    async fn a_look_that_came_too_late_is_not_used() {
        let addresses_found = Addresses::new(vec![name("127.0.0.1:80")]);
        let old = tokio::spawn(async {
            let at = Instant::now().checked_sub(Duration::from_hours(1)).unwrap();
            (at, vec![(name("127.0.0.1:80"), Ok(addresses(5)))])
        });
        addresses_found.known.lock().await.look = Some(old);
        let found = addresses_found.find(Instant::now() + Duration::from_secs(9)).await;
        let shown: Vec<_> = found.addresses.keys().map(ToString::to_string).collect();
        assert_eq!((shown, found.troubles), (vec!["127.0.0.1:80".to_owned()], Vec::new()));
    }

    #[test]
    fn a_name_that_is_not_found_keeps_its_addresses_and_is_told() {
        let (mut known, peers) = (Known::default(), name("hfi-peers:80"));
        assert_eq!(known.learn(vec![(peers.clone(), Ok(addresses(2)))]), []);
        for missing in [Ok(Vec::new()), Err(io::Error::other("no such name"))] {
            let troubles = known.learn(vec![(peers.clone(), missing)]);
            known.tell(troubles);
            let found = known.found();
            assert_eq!((found.addresses.len(), found.troubles.len()), (2, 1));
            assert_eq!(found.troubles[0].name, "hfi-peers:80");
        }
        assert_eq!(known.learn(vec![(peers, Ok(addresses(1)))]), []);
        assert_eq!(known.found().addresses.len(), 1);
    }

    #[test]
    fn of_a_thousand_addresses_some_are_asked_and_that_is_told() {
        let mut known = Known::default();
        known.learn(vec![(name("hfi-peers:80"), Ok(addresses(1_000)))]);
        let found = known.found();
        assert_eq!(found.addresses.len(), MAX_ADDRESSES);
        assert_eq!(found.troubles[0].reason, "there are 1000 addresses, and 20 are asked");
    }
}
