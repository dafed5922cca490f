//! Puts everything together; the only place that knows everything.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tracing::{error, info, warn};

use crate::{
    cli::{
        Cli, Command, ServeConfig,
        console::{self, WRONG_USE},
    },
    http::{self, Listener, Services, notification::SecretFile, tls::Tls},
    kubernetes::{KubernetesAgent, NotConfigured},
    serving::{gate::Gate, modules::Modules},
    shutdown::{self, Trigger},
    source::{
        self, Settings, Source,
        state_dir::StateDir,
        watch::{Hints, Watcher},
    },
    sync::{
        halt_file::HaltFile, loader::Loader, reconciler::Reconciler, requests::Refresh,
        signature_watch::SignatureWatch,
    },
    telemetry::logs,
    version,
};

/// How long open requests get to finish after SIGTERM.
const DRAIN: Duration = Duration::from_secs(8);
/// How long a reconcile under way gets after that.
const LAST_RECONCILE: Duration = Duration::from_secs(1);

/// Does what the command line says.
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Serve(serve) => {
            run_server(serve.resolve(|name| std::env::var(name).ok()).unwrap_or_else(|error| error.exit()))
        }
        Command::FetchForServe => source::fetch_for_parent(),
        Command::Validate(validate) => validate.run(),
        Command::Explain(explain) => explain.run(),
        Command::Doctor(doctor) => match Runtime::new() {
            Ok(runtime) => runtime.block_on(doctor.run()),
            Err(error) => {
                eprintln!("error: cannot start the runtime: {error}");
                ExitCode::FAILURE
            }
        },
        Command::Schema => show(policies::SCHEMA),
        Command::Reference { subject } => show(subject.text()),
    }
}

fn show(text: &str) -> ExitCode {
    console::print(text);
    ExitCode::SUCCESS
}

fn run_server(config: ServeConfig) -> ExitCode {
    if let Err(error) = logs::init(&config.log) {
        eprintln!("error: --log {}: {error}", config.log);
        return ExitCode::from(WRONG_USE);
    }
    match block_on(self::serve(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error:#}");
            if error.is::<NotConfigured>() { ExitCode::from(WRONG_USE) } else { ExitCode::FAILURE }
        }
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = Runtime::new().context("cannot start the runtime")?;
    let ended = runtime.block_on(work);
    // A fetch that hangs must not keep the process: its thread is left behind.
    runtime.shutdown_background();
    ended
}

async fn serve(config: ServeConfig) -> anyhow::Result<()> {
    let ServeConfig { source: settings, guardrail, interval, listen, .. } = config;
    let modules = Modules::read(config.filters)?;
    let state = config.state_dir.map(StateDir::open).transpose()?;
    let tls = config.tls.map(Tls::open).transpose().context("cannot serve HTTPS")?;
    let peer = if config.kubernetes { Some(KubernetesAgent::new().await?) } else { None };
    let listener = bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let (trigger, mut shutdown) = shutdown::channel();
    request_on_signal(trigger)?;

    let hints = Arc::<Hints>::default();
    let watcher = Watcher::new(&settings, Arc::clone(&hints));
    let gate = Arc::<Gate>::default();
    if let Some(path) = config.halt_file {
        tokio::spawn(HaltFile::new(path, Arc::clone(&gate)).follow(shutdown.clone()));
    }
    let refresh = Arc::<Refresh>::default();
    if matches!(settings, Settings::Dir(_)) && state.is_some() {
        warn!("a plain folder is not kept in the state folder: nothing outlives this process");
    }
    let signature_watch =
        settings.signers().map(|signers| SignatureWatch::new(signers.clone(), Arc::clone(&hints)));
    let source = Source::open(settings, state)?;
    info!(?source, version = version::text(), "starting");
    let loader = Loader::new(guardrail);
    let reconciler =
        Reconciler::new(source, loader, watcher, Arc::clone(&gate), Arc::clone(&refresh), interval)
            .with_signature_watch(signature_watch);
    let mut reconciling = tokio::spawn(reconciler.run(hints, shutdown.clone()));

    let mut services = Services::new(config.hook_secret_file.map(SecretFile::new), modules);
    services.cluster = peer.as_ref().map(KubernetesAgent::health);
    let peering = peer.map(|peer| {
        tokio::spawn(peer.run(Arc::clone(gate.publisher()), Arc::clone(&refresh), shutdown.clone()))
    });
    let routes = http::router(Arc::clone(gate.publisher()), refresh, shutdown.clone(), services);
    let acceptor = tls.as_ref().map(Tls::acceptor);
    if let Some(tls) = tls {
        tokio::spawn(tls.follow(shutdown.clone()));
    }
    info!(%address, tls = acceptor.is_some(), "listening");
    let mut serving = tokio::spawn(http::serve(Listener::new(listener, acceptor), routes));

    let ended = tokio::select! {
        () = shutdown.requested() => Ok(()),
        ended = &mut reconciling => ended.context("the reconciler ended").and_then(|run| Ok(run?)),
        ended = &mut serving => ended.context("the server ended").and_then(|run| Ok(run?)),
    };
    // Whatever ended well did so because of a request to end, of which it may have heard first.
    ended?;
    info!("shutting down");
    if !serving.is_finished() && timeout(DRAIN, &mut serving).await.is_err() {
        warn!("some requests did not finish in time and are cut off");
    }
    // Between two reconciles it ends at once, and its clone is removed with it.
    if !reconciling.is_finished() {
        let _ = timeout(LAST_RECONCILE, reconciling).await;
    }
    if let Some(peering) = peering {
        // It gives the Lease up as soon as the end is wished for, and not for long.
        let _ = peering.await;
    }
    Ok(())
}

/// Listens. On a machine without IPv6, any address of it is any of IPv4.
async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let bound = TcpListener::bind(listen).await;
    if listen.ip() == Ipv6Addr::UNSPECIFIED && bound.is_err() {
        return TcpListener::bind((Ipv4Addr::UNSPECIFIED, listen.port())).await;
    }
    bound
}

/// SIGTERM is how Kubernetes asks, SIGINT how a person does.
fn request_on_signal(trigger: Trigger) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        trigger.request();
        // Kept, because dropping it is a request too; a second signal ends the process at once.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
    Ok(())
}
