//! A kubelet for tests: `kubelet --kubeconfig FILE --images FILE`, until it is interrupted.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kubelet::{Config, Images, Kubelet, Network, Program, RunName};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the containers of Pods as plain processes in network namespaces of this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// A kubeconfig of one who may do what a kubelet and a scheduler may
    #[arg(long)]
    kubeconfig: PathBuf,
    /// A YAML list of programs for image patterns: `{image: "*/server:*", at: /server, file: target/server}`,
    /// `{image: …, root: DIRECTORY, entrypoint: [/server]}`, or `{image: …, entrypoint: [python3]}` for what is
    /// installed; further keys: files, environment, user
    #[arg(long)]
    images: PathBuf,
    /// The name of the Node
    #[arg(long, default_value = "node-1")]
    node: String,
    /// A directory for volumes and logs
    #[arg(long, default_value = "/tmp/kubelet")]
    run_directory: PathBuf,
    /// The address of this machine on the bridge of Pods
    #[arg(long, default_value = "10.244.0.1")]
    gateway: Ipv4Addr,
    /// The length of the prefix of its network
    #[arg(long, default_value_t = 24)]
    prefix_length: u8,
    /// 1 to 3 letters that the names of bridges and namespaces begin with
    #[arg(long, default_value = "kl")]
    stem: String,
}

/// An entry of the file of images.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    image: String,
    at: Option<PathBuf>,
    file: Option<PathBuf>,
    root: Option<PathBuf>,
    #[serde(default)]
    entrypoint: Vec<String>,
    #[serde(default)]
    files: BTreeMap<PathBuf, PathBuf>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    user: Option<u32>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kubelet: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let images = images(&arguments.images).with_context(|| arguments.images.display().to_string())?;
    kubelet::check()?;
    for run in RunName::dead(&arguments.stem)? {
        Kubelet::clean(&run)?;
    }
    let kubeconfig = Kubeconfig::read_from(&arguments.kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = kube::Client::try_from(config)?;
    let name = RunName::unique(&arguments.stem)?;
    let network = Network::create(name, arguments.gateway, arguments.prefix_length).await?;
    let config = Config::new(client, arguments.node, arguments.run_directory, network, images);
    let kubelet = Kubelet::start(config).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    kubelet.stop().await
}

/// The programs of a file, in its order.
fn images(file: &Path) -> Result<Images> {
    let entries: Vec<Entry> = serde_yaml::from_str(&std::fs::read_to_string(file)?)?;
    entries.into_iter().try_fold(Images::new(), |images, entry| {
        let pattern = entry.image.clone();
        Ok(images.with(&pattern, program(entry).with_context(|| pattern.clone())?))
    })
}

fn program(entry: Entry) -> Result<Program> {
    let words: Vec<_> = entry.entrypoint.iter().map(String::as_str).collect();
    let mut program = match (entry.at, entry.file, entry.root) {
        (Some(at), Some(file), None) => {
            words.iter().fold(Program::at(at, file), |program, word| program.leading(word))
        }
        (None, None, Some(root)) => Program::in_root(root, &words),
        (None, None, None) => Program::installed(&words),
        _ => bail!("an image has `at` and `file`, or `root`, or neither"),
    };
    for (path, file) in entry.files {
        program = program.file(path, file);
    }
    for (name, value) in &entry.environment {
        program = program.variable(name, value);
    }
    Ok(entry.user.into_iter().fold(program, |program, user| program.user(user, user)))
}
