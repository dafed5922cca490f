//! The state that handlers share.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    body::Bodies,
    halting::Halting,
    limits::{MAX_BODIES, MAX_EVENT_STREAMS, MAX_HALT_BODIES},
    listing::Listings,
    making::Making,
    notification::SecretFile,
    overviews::Overviews,
    peering::Peering,
    public_url::PublicUrl,
    report::Report,
    viewing::Viewing,
    writing::Writing,
};
use crate::{
    access::failures::Failures,
    clients::{Places, Prefixes},
    fleet::{faults::Faults, filters::Filters, shared::Others, unreported::Unreported},
    halts::book::Book,
    istio::archives::Archives,
    kubernetes::SharedHealth,
    serving::{modules::Modules, namespaces::Namespaces, publisher::Publisher},
    shutdown::Shutdown,
    source::git::DocumentHistory,
    sync::requests::Syncs,
    telemetry::counters::Counters,
};

/// The state that a handler may read.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) syncs: Arc<Syncs>,
    pub(crate) shutdown: Shutdown,
    pub(crate) counters: Counters,
    pub(crate) services: Arc<Services>,
}

/// The services beside the policies.
#[derive(Debug)]
pub struct Services {
    /// The secrets that verify notifications; without them there are none.
    pub secrets: Option<SecretFile>,
    pub modules: Modules,
    /// The rendered Istio configuration, if this replica serves it.
    pub archives: Option<Arc<Archives>>,
    /// The health of the cluster, if it is a peer.
    pub cluster: Option<Arc<SharedHealth>>,
    /// The prefixes by which clients are told apart.
    pub clients: Prefixes,
    /// The way to change policies, if it is on.
    pub writing: Option<Writing>,
    /// The halts by HTTP, and those who may begin them.
    pub halting: Halting,
    /// The tokens that failed, wherever they were sent.
    pub(crate) failures: Failures,
    /// The tokens of those who may only read, if not everybody may.
    pub viewing: Option<Viewing>,
    /// The page is served.
    pub page: bool,
    /// The URL under which browsers reach this server, beside the host that they send.
    pub public_url: Option<PublicUrl>,
    /// The other replicas, if this one asks them.
    pub peering: Option<Peering>,
    /// The time from one read of the source to the next.
    pub interval: Duration,
    /// The histories of policies, if they are in a repository.
    pub history: Option<DocumentHistory>,
    pub(crate) filters: Arc<Filters>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) unreported: Unreported,
    pub(crate) report: Report,
    pub(crate) listings: Listings,
    pub(crate) making: Making,
    pub(crate) overviews: Arc<Overviews>,
    /// A place for each stream of events that can be open at once.
    pub(crate) streams: Arc<Places<Arc<Notify>>>,
    /// Those of senders who may have proven nothing.
    pub(crate) bodies: Bodies,
    /// Those of halts, by senders who have shown a token.
    pub(crate) halt_bodies: Bodies,
}

impl Services {
    pub fn new(secrets: Option<SecretFile>, modules: Modules) -> Self {
        Self {
            secrets,
            modules,
            archives: None,
            cluster: None,
            clients: Prefixes::default(),
            writing: None,
            halting: Halting::new(Arc::new(Book::closed()), None, String::new()),
            failures: Failures::default(),
            viewing: None,
            page: true,
            public_url: None,
            peering: None,
            interval: Duration::from_secs(30),
            history: None,
            filters: Arc::default(),
            faults: Arc::default(),
            unreported: Unreported::default(),
            report: Report::default(),
            listings: Listings::default(),
            making: Making::default(),
            overviews: Arc::default(),
            streams: Places::new(MAX_EVENT_STREAMS),
            bodies: Places::new(MAX_BODIES),
            halt_bodies: Places::new(MAX_HALT_BODIES),
        }
    }

    /// What the other replicas know, if this one asks them: at most 2 s later.
    pub(crate) async fn others(&self, publisher: &Publisher) -> Option<Arc<Others>> {
        match &self.peering {
            Some(peering) => Some(peering.shared.others(&self.filters, &self.faults, publisher).await),
            None => None,
        }
    }

    /// The namespaces of the cluster, once they are known.
    pub(crate) fn namespaces(&self) -> Option<Arc<Namespaces>> {
        self.cluster.as_ref()?.namespaces()
    }
}

impl Default for Services {
    /// Neither notifications nor modules.
    fn default() -> Self {
        Self::new(None, Modules::default())
    }
}
