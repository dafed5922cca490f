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
    cli::{Cli, Command, ServeConfig},
    command::{self, WRONG_USE},
    load::Loader,
    published::Publisher,
    reconcile::Reconciler,
    server,
    shutdown::{self, Trigger},
    source::Source,
    telemetry,
    watch::{Hints, Watcher},
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
        Command::Validate(validate) => validate.run(),
        Command::Explain(explain) => explain.run(),
        Command::Schema => show(policies::SCHEMA),
        Command::Reference => show(policies::REFERENCE),
    }
}

fn show(text: &str) -> ExitCode {
    command::print(text);
    ExitCode::SUCCESS
}

fn run_server(config: ServeConfig) -> ExitCode {
    if let Err(error) = telemetry::init(&config.log) {
        eprintln!("error: --log {}: {error}", config.log);
        return ExitCode::from(WRONG_USE);
    }
    match block_on(self::serve(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error:#}");
            ExitCode::FAILURE
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
    let ServeConfig { source: settings, guardrail, interval, listen, log: _ } = config;
    let listener = bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let (trigger, mut shutdown) = shutdown::channel();
    request_on_signal(trigger)?;

    let hints = Arc::<Hints>::default();
    let watcher = Watcher::new(&settings, Arc::clone(&hints));
    let publisher = Arc::new(Publisher::default());
    let source = Source::open(settings)?;
    info!(?source, version = env!("CARGO_PKG_VERSION"), "starting");
    let reconciler =
        Reconciler::new(source, Loader::new(guardrail), watcher, Arc::clone(&publisher), interval);
    let mut reconciling = tokio::spawn(reconciler.run(hints, shutdown.clone()));

    let router = server::router(publisher, shutdown.clone());
    info!(%address, "listening");
    let mut serving = tokio::spawn(server::serve(listener, router, shutdown.clone()));

    let ended = tokio::select! {
        // First, because a request to end makes the others end too.
        biased;
        () = shutdown.requested() => None,
        ended = &mut reconciling => Some(ended.context("the reconciler ended").and_then(|run| Ok(run?))),
        ended = &mut serving => Some(ended.context("the server ended").and_then(|run| Ok(run?))),
    };
    if let Some(ended) = ended {
        return ended;
    }
    info!("shutting down");
    if timeout(DRAIN, &mut serving).await.is_err() {
        warn!("some requests did not finish in time and are cut off");
    }
    // Between two reconciles it ends at once, and its clone is removed with it.
    let _ = timeout(LAST_RECONCILE, reconciling).await;
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
