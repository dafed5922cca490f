//! A long history, beside `git clone`; and histories that would take the memory of a server that holds them: a few
//! objects that unfold to 10^11 files, and a large file among the packs that are joined.

use std::{path::Path, time::Duration};

use anyhow::Result;
use harness::{Client, Deadline, GitHttp, Reconciler, Request, Source, loopback, median};
use tokio::time::Instant;

use super::{
    COMMITS,
    bare::{Bare, history},
};

const ROUNDS: usize = 5;
/// The size of the large file, in bytes.
const LARGE: usize = 256 << 20;
/// More packs than are kept.
const PACKS: usize = 60;
const PATIENCE: Duration = Duration::from_secs(60);
const POLICY: &str = "\
metadata: {name: p}
spec: {selector: {service: a, namespace: b}, rules: [{fault: {percentage: 5, abort: {httpStatus: 503}}}]}
";

pub(crate) async fn run(client: &Client) -> Result<()> {
    long(client).await?;
    println!("\n{:<50}{:>8}{:>34}{:>14}", "", "ms", "slowest other request meanwhile", "highest MiB");
    bomb(client).await?;
    large(client).await
}

/// Starts over HTTP, at a path, and `git clone`, in turns.
async fn long(client: &Client) -> Result<()> {
    let repository = Bare::new().await?;
    let file = repository.git(&["hash-object", "-w", "--stdin"], POLICY).await?;
    let tree = repository.git(&["mktree"], &format!("100644 blob {file}\tp.yaml\n")).await?;
    repository.commit(&tree).await?;
    repository.git(&["fast-import", "--quiet"], &history(COMMITS)?).await?;
    repository.git(&["gc", "--quiet"], "").await?;
    let server = GitHttp::start(repository.folder.path()).await?;
    let (mut http, mut path, mut clones, mut memory) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        for (url, times) in [(server.url("r.git"), &mut http), (repository.path(), &mut path)] {
            let (began, state) = (Instant::now(), tempfile::tempdir()?);
            let reconciler = start(client, url, state.path()).await?;
            times.push(began.elapsed());
            memory = memory.max(reconciler.peak_memory()?);
        }
        let (began, to) = (Instant::now(), tempfile::tempdir()?);
        let to = to.path().join("c").display().to_string();
        repository.git(&["clone", "--quiet", "--bare", "--no-local", ".", &to], "").await?;
        clones.push(began.elapsed());
    }
    let [http, path, clone] = [http, path, clones].map(|times| millis(median(times)));
    println!("\n{COMMITS} commits, medians of {ROUNDS} in turns: from the start to ready, ms\n");
    println!(
        "{:>10}{:>10}{:>14}{:>20}{:>14}",
        "over HTTP", "a path", "git clone", "path to HTTP", "highest MiB"
    );
    println!("{http:>10.0}{path:>10.0}{clone:>14.0}{:>20.2}{:>14}", path / http, memory >> 20);
    Ok(())
}

/// From the push of a tree bomb to the error.
async fn bomb(client: &Client) -> Result<()> {
    let repository = Bare::new().await?;
    let file = repository.git(&["hash-object", "-w", "--stdin"], POLICY).await?;
    let good = repository.git(&["mktree"], &format!("100644 blob {file}\tp.yaml\n")).await?;
    repository.commit(&good).await?;
    let state = tempfile::tempdir()?;
    let reconciler = start(client, repository.path(), state.path()).await?;
    let files: String = (0..10).map(|number| format!("100644 blob {file}\t{number}.yaml\n")).collect();
    let mut tree = repository.git(&["mktree"], &files).await?;
    for _ in 0..10 {
        let directories: String = (0..10).map(|number| format!("040000 tree {tree}\t{number}\n")).collect();
        tree = repository.git(&["mktree"], &directories).await?;
    }
    let began = Instant::now();
    repository.commit(&tree).await?;
    let refused = || Ok(reconciler.log()?.contains("is refused"));
    let slowest = until(client, &reconciler, refused).await?;
    report("a tree bomb is refused after", began.elapsed(), slowest, &reconciler)
}

/// From the start to the end of the first join of packs.
async fn large(client: &Client) -> Result<()> {
    let repository = Bare::new().await?;
    let large = "0".repeat(LARGE);
    let file = repository.git(&["hash-object", "-w", "--stdin"], &large).await?;
    let mut tree = repository.git(&["mktree"], &format!("100644 blob {file}\tlarge\n")).await?;
    for number in 0..PACKS {
        repository.commit(&tree).await?;
        repository.git(&["repack", "-q", "-d"], "").await?;
        let text = POLICY.replace("503", &(400 + number).to_string());
        let file = repository.git(&["hash-object", "-w", "--stdin"], &text).await?;
        tree = repository.git(&["mktree"], &format!("100644 blob {file}\tp.yaml\n")).await?;
    }
    let (began, state) = (Instant::now(), tempfile::tempdir()?);
    let reconciler = start(client, repository.path(), state.path()).await?;
    let joined = || Ok(packs(&state.path().join("clone.git/objects/pack"))? < PACKS / 2);
    let slowest = until(client, &reconciler, joined).await?;
    let what = format!("{PACKS} packs with a file of {} MiB are joined after", LARGE >> 20);
    report(&what, began.elapsed(), slowest, &reconciler)
}

fn report(what: &str, took: Duration, slowest: Duration, reconciler: &Reconciler) -> Result<()> {
    let highest = reconciler.peak_memory()? >> 20;
    println!("{what:<50}{:>8.0}{:>34.1}{highest:>14}", millis(took), millis(slowest));
    Ok(())
}

async fn start(client: &Client, repository: String, state: &Path) -> Result<Reconciler> {
    let source = Source::Git { repository: repository.into(), interval: "1h" };
    let options = vec!["--state-dir".into(), state.into()];
    let mut reconciler = Reconciler::start_with(source, loopback(), options).await?;
    reconciler.ready(client).await?;
    Ok(reconciler)
}

/// Asks for a snapshot again and again until something is so, and tells the longest time that one took.
async fn until(
    client: &Client,
    reconciler: &Reconciler,
    is_so: impl Fn() -> Result<bool>,
) -> Result<Duration> {
    let (snapshot, mut slowest) = (Request::get("/v1/snapshot?namespace=b&service=a"), Duration::ZERO);
    let deadline = Deadline::of("the end of the work", PATIENCE);
    while !is_so()? {
        slowest = slowest.max(client.send(reconciler.address(), &snapshot).await?.took);
        deadline.pause().await?;
    }
    Ok(slowest)
}

fn packs(directory: &Path) -> Result<usize> {
    let files = std::fs::read_dir(directory)?.collect::<std::io::Result<Vec<_>>>()?;
    Ok(files.iter().filter(|file| file.path().extension().is_some_and(|ending| ending == "pack")).count())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
