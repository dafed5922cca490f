//! Runs the command line. `hfi serve` assembles the [control plane](ControlPlane) and stops it.

mod control_plane;
mod listener;
mod signals;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, timeout, timeout_at},
};
use tracing::{error, info, warn};

pub use self::control_plane::{ControlPlane, Options, PeerOptions, Running, WriteOptions};
use self::{listener::bind, signals::request_on_signal};
use crate::{
    access::token_file::{TokenFile, TokenFileError},
    cli::{
        Cli, Command, PeerConfig, PeopleConfig, ServeConfig, WriteConfig,
        console::{self, WRONG_USE},
    },
    halts::halt::Halt,
    http::{notification::SecretFile, tls::Tls},
    io_reason::io_reason,
    kubernetes::{KubernetesAgent, NotConfigured},
    planning::child::plan_for_parent,
    serving::modules::Modules,
    shutdown,
    source::{
        self,
        signers::SigningKey,
        state_dir::StateDir,
        writing::{self, WriterSettings},
    },
    telemetry::logs,
};

/// The options of the token files.
const WRITE_TOKENS: &str = "--write-token-file";
const HALT_TOKENS: &str = "--halt-token-file";
const PEER_TOKENS: &str = "--peer-token-file";
const VIEW_TOKENS: &str = "--view-token-file";
/// The tasks that a thread runs before it looks for new requests. When a snapshot changes, thousands of polls are answered,
/// and nearly all of them ask again at once: with the 61 of tokio, the first ones are read before the last ones are
/// answered. An answer to a poll takes some 10 µs, so that no request waits for much more than 10 ms longer. While thousands
/// of clients begin with TLS at once, which takes about 1 ms each, it may be a second.
const TASKS_BEFORE_READING: u32 = 1_024;
/// The time that open requests get to finish after SIGTERM, and that halts get to come into Git.
const DRAIN: Duration = Duration::from_secs(8);
/// The time that a reconcile under way gets after that.
const LAST_RECONCILE: Duration = Duration::from_secs(1);

/// Does what the command line says.
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Serve(serve) => {
            run_server(serve.resolve(|name| std::env::var(name).ok()).unwrap_or_else(|error| error.exit()))
        }
        Command::FetchForServe => source::work_for_parent(),
        Command::PlanForServe => plan_for_parent(),
        Command::Validate(validate) => validate.run(),
        Command::Render(render) => render.run(),
        Command::Diff(diff) => wait_for(diff.run()),
        Command::Explain(explain) => wait_for(explain.run()),
        Command::Import(import) => wait_for(import.run()),
        Command::Doctor(doctor) => wait_for(doctor.run()),
        Command::Policy(policy) => wait_for(policy.run()),
        Command::Status(status) => wait_for(status.run()),
        Command::Filters(filters) => wait_for(filters.run()),
        Command::Watch(watch) => wait_for(watch.run()),
        Command::Halt(halt) => wait_for(halt.run()),
        Command::Resume(resume) => wait_for(resume.run()),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Schema => show(&istio_config::schema()),
        Command::Reference { subject } => show(subject.text()),
    }
}

/// Runs a command to its end.
fn wait_for(command: impl Future<Output = ExitCode>) -> ExitCode {
    match Runtime::new() {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => {
            console::error(format_args!("cannot start the runtime: {}", io_reason(&error)));
            ExitCode::FAILURE
        }
    }
}

fn show(text: &str) -> ExitCode {
    console::print(text);
    ExitCode::SUCCESS
}

fn run_server(config: ServeConfig) -> ExitCode {
    if logs::init(&config.log).is_err() {
        return console::wrong_use(format_args!(
            "--log {}: must be a level (error, warn, info, debug, trace, off) or a list such as info,reconciler=debug",
            config.log
        ));
    }
    match block_on(self::serve(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error:#}");
            let is_wrong_use =
                error.is::<NotConfigured>() || error.is::<WrongUse>() || error.is::<TokenFileError>();
            if is_wrong_use { ExitCode::from(WRONG_USE) } else { ExitCode::FAILURE }
        }
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.enable_all().event_interval(TASKS_BEFORE_READING).build();
    let runtime = runtime.context("cannot start the runtime")?;
    let ended = runtime.block_on(work);
    // A fetch that hangs must not keep the process: its thread is left behind.
    runtime.shutdown_background();
    ended
}

async fn serve(config: ServeConfig) -> anyhow::Result<()> {
    // Logging is set up already.
    let ServeConfig {
        source,
        guardrail,
        interval,
        listen,
        tls,
        clients,
        state_dir,
        halt_file,
        hook_secret_file,
        filters,
        writes,
        halt_token_file,
        people: PeopleConfig { page, public_url, view_token_file },
        peers,
        kubernetes,
        log: _,
    } = config;
    let in_cluster = kubernetes.is_some();
    let options = Options {
        source,
        guardrail,
        interval,
        halt_file,
        modules: Modules::read(filters)?,
        state: state_dir.map(StateDir::open).transpose()?,
        secrets: hook_secret_file.map(SecretFile::new),
        tls: tls.map(Tls::open).transpose().context("cannot serve HTTPS")?,
        clients,
        writes: writes.map(|config| write_options(config, in_cluster)).transpose()?,
        halt_tokens: halt_token_file
            .map(|path| tokens_without_rights(path, HALT_TOKENS, in_cluster))
            .transpose()?,
        view_tokens: view_token_file.map(|path| view_tokens(path, in_cluster)).transpose()?,
        page,
        public_url,
        peers: peers.map(peer_options).transpose()?,
        kubernetes: match kubernetes {
            Some(settings) => Some(KubernetesAgent::new(settings).await?),
            None => None,
        },
    };
    let refused = |error| anyhow!("cannot listen on {listen}: {}", io_reason(&error));
    let listener = bind(listen).map_err(refused)?;
    let (trigger, shutdown) = shutdown::channel();
    request_on_signal(trigger)?;
    let Running { mut reconciling, mut serving, halting, agent, routes } =
        ControlPlane::new(options)?.start(listener, &shutdown).context("the listener has no address")?;

    let ended = tokio::select! {
        () = shutdown.requested() => Ok(()),
        ended = &mut reconciling => ended.context("the reconciler ended").and_then(|run| Ok(run?)),
        ended = &mut serving => ended.context("the server ended").and_then(|run| Ok(run?)),
    };
    // Whatever ended well did so because of a request to end, of which it may have heard first.
    ended?;
    info!("shutting down");
    let drained = Instant::now() + DRAIN;
    if !serving.is_finished() && timeout_at(drained, &mut serving).await.is_err() {
        warn!("some requests did not finish in time and are cut off");
    }
    // A halt that was answered a moment ago is on its way into Git.
    let is_open = timeout_at(drained, halting).await.is_err();
    let unkept = routes.served.services.halting.book.work().put;
    for Halt { id, by, reason, .. } in unkept.iter().filter(|_| is_open) {
        warn!(%id, by, reason, "this replica ends before the halt is in Git: only --state-dir keeps it here");
    }
    if let Some(writing) = &routes.served.services.writing {
        // A push that has begun ends. What it leaves otherwise, the next process finds out.
        let _ = timeout(LAST_RECONCILE, writing.writes.end()).await;
    }
    // Between two reconciles it ends at once, and its clone is removed with it.
    if !reconciling.is_finished() {
        let _ = timeout(LAST_RECONCILE, reconciling).await;
    }
    if let Some(agent) = agent {
        // It gives the Lease up as soon as the end is wished for, and not for long.
        let _ = agent.await;
    }
    Ok(())
}

/// Checks what changes need before anything is served.
fn write_options(config: WriteConfig, is_in_cluster: bool) -> anyhow::Result<WriteOptions> {
    let WriteConfig { token_file, mut settings, signing_key_file, rate } = config;
    let WriterSettings { repository, branch, access, signing_key, .. } = &mut settings.writer;
    // What cannot be read now is no reason to end: it is told when somebody writes.
    if writing::is_checked_out(repository, branch, access).unwrap_or_default() {
        let branch = branch.as_str();
        return Err(WrongUse(format!(
            "--write-token-file: the branch `{branch}` is checked out in {repository}; a push would leave the files \
             there behind: name a bare repository"
        ))
        .into());
    }
    if let Some(file) = signing_key_file {
        let key =
            SigningKey::read(file).map_err(|reason| WrongUse(format!("--signing-key-file {reason}")))?;
        let trusted = access.signers.as_ref().map_or(Ok(()), |signers| key.is_trusted_by(signers));
        trusted.map_err(|reason| WrongUse(format!("--signing-key-file {reason}")))?;
        *signing_key = Some(key);
    }
    let tokens = usable(TokenFile::open(token_file, WRITE_TOKENS)?, WRITE_TOKENS, is_in_cluster)?;
    Ok(WriteOptions { settings, tokens, rate })
}

/// Tokens that are good for one thing.
fn tokens_without_rights(
    file: PathBuf,
    option: &'static str,
    is_in_cluster: bool,
) -> anyhow::Result<TokenFile> {
    usable(TokenFile::open_without_rights(file, option)?, option, is_in_cluster)
}

/// The tokens of those who may only read.
fn view_tokens(file: PathBuf, is_in_cluster: bool) -> anyhow::Result<Arc<TokenFile>> {
    let tokens = tokens_without_rights(file, VIEW_TOKENS, is_in_cluster)?;
    if is_in_cluster && tokens.first().is_err() {
        let reason = "needs a line `NAME TOKEN`: with --kubernetes replicas ask each other with it";
        return Err(WrongUse(format!("the file of {VIEW_TOKENS} {reason}")).into());
    }
    Ok(Arc::new(tokens))
}

/// The tokens by which replicas know each other.
fn peer_options(config: PeerConfig) -> anyhow::Result<PeerOptions> {
    let PeerConfig { settings, token_file } = config;
    let tokens = TokenFile::open_without_rights(token_file, PEER_TOKENS)?;
    if tokens.grants().has_accounts() {
        let reason = "names a ServiceAccount; replicas know each other by a token: NAME TOKEN";
        return Err(WrongUse(format!("the file of {PEER_TOKENS} {reason}")).into());
    }
    Ok(PeerOptions { settings, tokens })
}

/// Refuses tokens that nobody here knows.
fn usable(tokens: TokenFile, option: &str, is_in_cluster: bool) -> anyhow::Result<TokenFile> {
    if tokens.grants().has_accounts() && !is_in_cluster {
        let reason = "names a ServiceAccount, whose tokens only a cluster knows: give --kubernetes";
        return Err(WrongUse(format!("{option} {reason}")).into());
    }
    Ok(tokens)
}

/// Wrong use that shows only when the server starts.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WrongUse(String);
