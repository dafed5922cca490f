//! The assembly of the control plane: the only place that knows all its parts.

use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use policies::language::Guardrail;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};
use tracing::{error, info, warn};

use crate::{
    access::token_file::TokenFile,
    clients::Prefixes,
    halts::{
        book::{Book, Committing},
        exchange::Exchange,
        following,
        keeping::Ends,
        running,
        store::Store,
    },
    http::{
        self, Listener, Routes, Services, halting::Halting, notification::SecretFile, peering::Peering,
        public_url::PublicUrl, tls::Tls, tokens::Tokens, viewing::Viewing, writing::Writing,
    },
    kubernetes::KubernetesAgent,
    peers::{self, Peers},
    serving::{gate::Gate, modules::Modules, published::Publication},
    shutdown::{self, Shutdown},
    source::{
        Settings, Source, SourceError,
        state_dir::StateDir,
        watch::{Hints, Watcher},
    },
    sync::{
        halt_file::HaltFile,
        loader::Loader,
        reconciler::{ReconcileError, Reconciler},
        requests::Syncs,
        signature_watch::SignatureWatch,
    },
    version,
    writes::{self, queue::Writes},
};

/// The parts that differ from one control plane to another.
pub struct Options {
    pub source: Settings,
    /// The server's own limits for every policy.
    pub guardrail: Guardrail,
    pub interval: Duration,
    pub state: Option<StateDir>,
    pub halt_file: Option<PathBuf>,
    /// The tokens of those who may stop everything by HTTP.
    pub halt_tokens: Option<TokenFile>,
    /// The tokens of those who may only read, if not everybody may.
    pub view_tokens: Option<Arc<TokenFile>>,
    /// The page is served.
    pub page: bool,
    /// The URL under which browsers reach this server, beside the host that they send.
    pub public_url: Option<PublicUrl>,
    /// The other replicas, if this one asks them.
    pub peers: Option<PeerOptions>,
    pub secrets: Option<SecretFile>,
    pub modules: Modules,
    pub tls: Option<Tls>,
    pub kubernetes: Option<KubernetesAgent>,
    /// The way to change policies, if it is on.
    pub writes: Option<WriteOptions>,
    /// The prefixes by which clients are told apart.
    pub clients: Prefixes,
}

/// The other replicas.
#[derive(Debug)]
pub struct PeerOptions {
    pub settings: peers::Settings,
    pub tokens: TokenFile,
}

/// Changes of policies by HTTP.
#[derive(Debug)]
pub struct WriteOptions {
    pub settings: writes::settings::Settings,
    pub tokens: TokenFile,
    /// The changes of a user in a second.
    pub rate: u32,
}

impl Options {
    /// A control plane that only follows a source.
    pub fn new(source: Settings, interval: Duration) -> Self {
        Self {
            source,
            guardrail: Guardrail::default(),
            interval,
            state: None,
            halt_file: None,
            halt_tokens: None,
            view_tokens: None,
            page: true,
            public_url: None,
            peers: None,
            secrets: None,
            modules: Modules::default(),
            tls: None,
            kubernetes: None,
            writes: None,
            clients: Prefixes::default(),
        }
    }
}

/// A control plane whose source is open, and that does nothing yet.
pub struct ControlPlane {
    options: Parts,
    source: Source,
    watcher: Option<Watcher>,
    hints: Arc<Hints>,
    signature_watch: Option<SignatureWatch>,
}

/// The options that starting needs.
struct Parts {
    guardrail: Guardrail,
    interval: Duration,
    halt_file: Option<PathBuf>,
    halt_tokens: Option<TokenFile>,
    /// The policy directory.
    directory: String,
    /// Where halts outlive the process.
    store: Option<Store>,
    services: Services,
    tls: Option<Tls>,
    kubernetes: Option<KubernetesAgent>,
    writes: Option<WriteOptions>,
}

/// The tasks of a control plane. They end at shutdown.
#[derive(Debug)]
pub struct Running {
    pub reconciling: JoinHandle<Result<(), ReconcileError>>,
    pub serving: JoinHandle<io::Result<()>>,
    /// The task that keeps halts on disk and in Git. It ends once all requests are answered and all halts are kept.
    pub halting: JoinHandle<()>,
    pub agent: Option<JoinHandle<()>>,
    /// The routes that are served, for requests without a connection.
    pub routes: Routes,
}

impl ControlPlane {
    /// Opens the source; nothing is fetched yet.
    pub fn new(options: Options) -> Result<Self, SourceError> {
        let Options {
            source,
            guardrail,
            interval,
            state,
            halt_file,
            halt_tokens,
            view_tokens,
            page,
            public_url,
            peers,
            secrets,
            modules,
            tls,
            kubernetes,
            writes,
            clients,
        } = options;
        let directory = state.as_ref().map(|state| state.folder().to_owned());
        // A repository keeps the directory for itself; a plain directory has no use for it.
        let (state, lock) = match &source {
            Settings::Git { .. } => (state, None),
            Settings::Dir(_) => (None, state),
        };
        if lock.is_some() {
            warn!("a plain directory is not kept in the state directory: only halts outlive this process");
        }
        let store = directory.map(|directory| Store::new(directory, source.identity(), lock));
        let directory = source.directory();
        let hints = Arc::<Hints>::default();
        let watcher = Watcher::new(&source, Arc::clone(&hints));
        let signature_watch =
            source.signers().map(|signers| SignatureWatch::new(signers.clone(), Arc::clone(&hints)));
        let source = Source::open(source, state)?;
        info!(%source, version = version::text(), "starting");
        let mut services = Services::new(secrets, modules);
        services.clients = clients;
        services.peering = peers.map(|PeerOptions { settings, tokens }| {
            Peering::new(Arc::new(Peers::new(settings, tokens, host_name())))
        });
        services.history = source.document_history();
        services.interval = interval;
        services.page = page;
        services.public_url = public_url;
        services.cluster = kubernetes.as_ref().map(KubernetesAgent::health);
        services.archives = kubernetes.as_ref().and_then(KubernetesAgent::archives);
        services.viewing = view_tokens.clone().map(|tokens| {
            Viewing::new(Tokens::new(tokens, kubernetes.as_ref().map(KubernetesAgent::token_reviewer)))
        });
        let kubernetes = kubernetes
            .map(|kubernetes| kubernetes.with_view_tokens(view_tokens).with_commits(source.commit_log()));
        let options = Parts {
            guardrail,
            interval,
            halt_file,
            halt_tokens,
            directory,
            store,
            services,
            tls,
            kubernetes,
            writes,
        };
        Ok(Self { options, source, watcher, hints, signature_watch })
    }

    /// Starts all tasks. Halts are looked for before anything is served.
    pub fn start(self, listener: TcpListener, shutdown: &Shutdown) -> io::Result<Running> {
        let Self { options, source, watcher, hints, signature_watch } = self;
        let Parts {
            guardrail,
            interval,
            halt_file,
            halt_tokens,
            directory,
            store,
            mut services,
            tls,
            kubernetes,
            writes,
        } = options;
        let address = listener.local_addr()?;
        let (gate, syncs) = (Arc::<Gate>::default(), Arc::<Syncs>::default());
        let mut followers = JoinSet::new();
        if let Some(path) = halt_file {
            followers.spawn(HaltFile::new(path, Arc::clone(&gate)).follow(shutdown.clone()));
        }
        let publisher = Arc::clone(gate.publisher());
        let follows_branch = matches!(source, Source::Git(_));
        let book =
            Book::open(&directory, Arc::clone(&gate), store, committing(writes.as_ref()), follows_branch);
        let book = Arc::new(book);
        followers.spawn(following::follow(Arc::clone(&book), Arc::clone(&publisher), shutdown.clone()));
        let loader = Loader::new(guardrail);
        let halted = Arc::clone(&gate);
        let reconciler = Reconciler::new(source, loader, watcher, gate, Arc::clone(&syncs), interval)
            .with_signature_watch(signature_watch);
        let peers = services.peering.as_ref().map(|peering| Arc::clone(&peering.shared.peers));
        let exchange =
            peers.map(|peers| Arc::new(Exchange::new(Arc::clone(&book), peers, Arc::clone(&publisher))));
        let heard =
            exchange.clone().map(|exchange| follow_others(exchange, &mut followers, shutdown.clone()));
        let reconciling = first_heard(heard, reconciler, hints, shutdown.clone());
        let reconciling = tokio::spawn(while_followed(followers, halted, reconciling));
        if let Some(WriteOptions { settings, tokens, rate }) = writes {
            let label = settings.writer.branch.as_str().to_owned();
            let writes = Writes::start(settings, label, Arc::clone(&publisher), Arc::clone(&syncs));
            let writes = Arc::new(writes.map_err(io::Error::other)?);
            let reviewer = kubernetes.as_ref().map(KubernetesAgent::token_reviewer);
            services.writing = Some(Writing::new(writes, Tokens::new(tokens, reviewer), rate));
        }
        let (answered, drained) = shutdown::channel();
        let writes = services.writing.as_ref().map(|writing| Arc::clone(&writing.writes));
        let ends = Ends { shutdown: shutdown.clone(), drained };
        let halting = tokio::spawn(running::run(Arc::clone(&book), writes, ends));
        let halt_tokens = halt_tokens
            .map(|tokens| Tokens::new(tokens, kubernetes.as_ref().map(KubernetesAgent::token_reviewer)));
        services.halting = Halting::new(book, halt_tokens, host_name()).with_exchange(exchange);
        let agent = kubernetes.map(|kubernetes| {
            tokio::spawn(kubernetes.run(Arc::clone(&publisher), Arc::clone(&syncs), shutdown.clone()))
        });
        let clients = services.clients;
        let routes = http::router(publisher, syncs, shutdown.clone(), services);
        let acceptor = tls.as_ref().map(Tls::acceptor);
        if let Some(tls) = tls {
            tokio::spawn(tls.follow(shutdown.clone()));
        }
        info!(%address, tls = acceptor.is_some(), "listening");
        let serving = http::serve(Listener::new(listener, acceptor, clients), routes.clone());
        let serving = tokio::spawn(async move {
            let served = serving.await;
            answered.request();
            served
        });
        Ok(Running { reconciling, serving, halting, agent, routes })
    }
}

/// Asks the other replicas for their halts, and goes on until shutdown. What is returned ends with the first answers.
fn follow_others(
    exchange: Arc<Exchange>,
    followers: &mut JoinSet<()>,
    shutdown: Shutdown,
) -> oneshot::Receiver<()> {
    let (heard, has_heard) = oneshot::channel();
    followers.spawn(async move {
        exchange.once().await;
        // Whoever waited may be gone because of a shutdown.
        let _ = heard.send(());
        exchange.follow(shutdown).await;
    });
    has_heard
}

/// Reads the source once the other replicas have told of their halts, or are silent: nothing is served before that.
async fn first_heard(
    heard: Option<oneshot::Receiver<()>>,
    reconciler: Reconciler,
    hints: Arc<Hints>,
    shutdown: Shutdown,
) -> Result<(), ReconcileError> {
    if let Some(heard) = heard
        && heard.await.is_err()
    {
        // It panicked, which ends this.
        std::future::pending::<()>().await;
    }
    reconciler.run(hints, shutdown).await
}

/// Reconciles as long as halts are followed. If one of these tasks panics, the process ends, and a new one takes its place:
/// this one would not notice the next halt. While a halt holds, it stays: the new process may know nothing of that. It does
/// not stay for the halt file, which the new process looks for before it serves anything, and this one perhaps no longer.
async fn while_followed(
    mut followers: JoinSet<()>,
    gate: Arc<Gate>,
    reconciling: impl Future<Output = Result<(), ReconcileError>>,
) -> Result<(), ReconcileError> {
    let lost = async {
        while let Some(ended) = followers.join_next().await {
            if ended.is_err() {
                error!(
                    "a task that follows halts panicked: this replica ends as soon as no halt holds by HTTP or in Git"
                );
                let is_free = |publication: &Publication| match publication {
                    Publication::Serving(published) => !published.is_halted_without_file(),
                    Publication::Starting { .. } => true,
                };
                gate.publisher().until(is_free).await;
                return ReconcileError::HaltsUnfollowed;
            }
        }
        // All have ended because of a shutdown.
        std::future::pending().await
    };
    tokio::select! {
        ended = reconciling => ended,
        lost = lost => Err(lost),
    }
}

/// The way in which halts can be committed.
fn committing(writes: Option<&WriteOptions>) -> Committing {
    match writes {
        None => Committing::Off,
        Some(writes) if writes.settings.write_branch.is_some() => Committing::ToOthers,
        Some(_) => Committing::ToServed,
    }
}

/// The name of this machine; in a cluster, that of the pod.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("source", &self.source).finish_non_exhaustive()
    }
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, pin::pin, sync::Arc, time::Duration};

    use tokio::time::timeout;

    use super::{Gate, JoinSet, ReconcileError, while_followed};
    use crate::serving::gate::Halter;

    #[tokio::test]
    async fn a_replica_that_no_longer_follows_halts_ends_once_none_holds() {
        let (mut followers, gate) = (JoinSet::new(), Arc::<Gate>::default());
        gate.halt(Halter::Request, true);
        followers.spawn(async {});
        followers.spawn(async { panic!("on purpose") });
        let mut ended = pin!(while_followed(followers, Arc::clone(&gate), pending()));
        assert!(
            timeout(Duration::from_millis(200), &mut ended).await.is_err(),
            "the next process may not know of it"
        );
        gate.halt(Halter::Request, false);
        assert!(matches!(ended.await, Err(ReconcileError::HaltsUnfollowed)));
        let mut followers = JoinSet::new();
        followers.spawn(pending());
        assert!(while_followed(followers, gate, async { Ok(()) }).await.is_ok());
    }

    #[tokio::test]
    async fn a_replica_that_may_no_longer_look_at_the_halt_file_does_not_wait_for_its_end() {
        let (mut followers, gate) = (JoinSet::new(), Arc::<Gate>::default());
        gate.halt(Halter::File, true);
        gate.halt(Halter::Request, true);
        followers.spawn(async { panic!("on purpose") });
        let mut ended = pin!(while_followed(followers, Arc::clone(&gate), pending()));
        let waited = timeout(Duration::from_millis(200), &mut ended).await;
        assert!(waited.is_err(), "the next process may not know of the request");
        gate.halt(Halter::Request, false);
        let ended = timeout(Duration::from_secs(5), ended).await.expect("it stays halted for good");
        assert!(matches!(ended, Err(ReconcileError::HaltsUnfollowed)));
    }
}
