//! Checks that a reconciler stays well: thousands of held polls, a push every second, and a Git server
//! that is killed again and again. There is no peer: nothing may be lost, and nothing may grow.

mod follower;
mod git_server;
mod ledger;

use std::{
    ops::Range,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use harness::{Client, Deadline, Reconciler, Repository, Request, Source, loopback};
use tokio::time::{MissedTickBehavior, interval};

use self::{
    follower::Followers,
    git_server::GitServer,
    ledger::{Ledger, Push},
};
use crate::median;

const SERVICES: usize = 1_000;
/// Of each service, as its replicas would.
const POLLS_EACH: usize = 5;
const PUSHES_APART: Duration = Duration::from_secs(1);
/// The seconds that the Git server runs before it is killed.
const UP: Range<u64> = 10..40;
const DOWN: Range<u64> = 1..15;
/// At most so long after the last push and the return of the Git server, everybody has it.
const PATIENCE: Duration = Duration::from_secs(20);
const SAMPLES_APART: u64 = 10;

/// The resources that the process used at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    kibibytes: u64,
    open_files: usize,
}

pub(crate) async fn run(minutes: u32) -> Result<()> {
    let repository = Repository::new().await?;
    for service in 0..SERVICES {
        repository.write(&file(service), &policy(service, 0))?;
    }
    repository.push("Begin").await?;
    let mut git = GitServer::start(repository.folder()).await?;
    let source = Source::Git { repository: git.url("policies.git").into(), interval: "1s" };
    let mut reconciler = Reconciler::start(source, loopback()).await?;
    let client = Client::new()?;
    reconciler.ready(&client).await?;
    let followers = Followers::start(reconciler.address(), &client, SERVICES, POLLS_EACH);
    parked(&reconciler, &client, SERVICES * POLLS_EACH).await?;

    println!(
        "{minutes} minutes, {} polls, a push every second, Git killed at random\n",
        SERVICES * POLLS_EACH
    );
    println!("{:>8}{:>10}{:>12}{:>12}{:>14}", "minute", "pushes", "Git killed", "memory MiB", "open files");
    let (mut ledger, mut samples, mut kills) = (Ledger::default(), Vec::new(), 0);
    let mut ticks = interval(PUSHES_APART);
    // A push that takes longer than a second is followed by the next at once, not by several.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (began, mut turn_at) = (Instant::now(), Instant::now() + seconds(UP));
    for number in 1.. {
        ticks.tick().await;
        if began.elapsed() >= Duration::from_secs(60) * minutes {
            break;
        }
        if Instant::now() >= turn_at {
            let next = if git.is_up() {
                git.kill();
                ledger.git_killed();
                kills += 1;
                DOWN
            } else {
                git.up().await?;
                UP
            };
            turn_at = Instant::now() + seconds(next);
        }
        let service = fastrand::usize(..SERVICES);
        repository.write(&file(service), &policy(service, number))?;
        let push = repository.push("Go on").await?;
        ledger.add(Push { number, service, at: push.returned }, git.is_up());
        ledger.settle(&followers);
        if number % SAMPLES_APART == 0 {
            samples.push(Sample {
                kibibytes: reconciler.memory()? / 1024,
                open_files: reconciler.open_files()?,
            });
        }
        if number % 60 == 0
            && let Some(Sample { kibibytes, open_files }) = samples.last()
        {
            let minute = began.elapsed().as_secs() / 60;
            println!("{minute:>8}{number:>10}{kills:>12}{:>12.1}{open_files:>14}", mebibytes(*kibibytes));
        }
    }
    git.up().await?;
    let deadline = Deadline::of("every poll to have heard of every push", PATIENCE);
    while !ledger.settle(&followers) {
        deadline.pause().await.with_context(|| ledger.missing())?;
    }
    let wrong = followers.went_back.load(Ordering::Relaxed);
    ensure!(wrong == 0, "{wrong} answers were older than what their poll had had");
    parked(&reconciler, &client, SERVICES * POLLS_EACH).await?;
    println!("\nevery poll heard of every push; none was ever answered with something older");
    ledger.print();
    growth(&samples);
    Ok(())
}

/// The middle of the first third and of the last: what is there from the start is in both.
fn growth(samples: &[Sample]) {
    let third = samples.len() / 3;
    let middle = |samples: &[Sample], of: fn(&Sample) -> u64| median(samples.iter().map(of).collect());
    let (early, late) =
        (samples.get(..third).unwrap_or_default(), samples.get(2 * third..).unwrap_or_default());
    println!("{:<30}{:>14}{:>14}", "", "first third", "last third");
    let memory = |sample: &Sample| sample.kibibytes;
    let [before, after] = [early, late].map(|samples| mebibytes(middle(samples, memory)));
    println!("{:<30}{before:>14.1}{after:>14.1}", "memory, MiB (median)");
    let files = |sample: &Sample| sample.open_files as u64;
    let [before, after] = [early, late].map(|samples| middle(samples, files));
    println!("{:<30}{before:>14}{after:>14}", "open files (median)");
}

/// Waits until so many polls are held.
async fn parked(reconciler: &Reconciler, client: &Client, polls: usize) -> Result<()> {
    let deadline = Deadline::of("all polls to be held", PATIENCE);
    let gauge = format!("hfi_polls_parked {polls}");
    while !client
        .send(reconciler.address(), &Request::get("/metrics"))
        .await?
        .body
        .lines()
        .any(|line| line == gauge)
    {
        deadline.pause().await?;
    }
    Ok(())
}

fn file(service: usize) -> String {
    format!("s{service}.yaml")
}

fn policy(service: usize, number: u64) -> String {
    let body = follower::text(number);
    format!(
        "metadata: {{name: s{service}}}\nspec:\n  selector: {{service: s{service}, namespace: demo}}\n  \
         rules: [{{fault: {{percentage: 1, abort: {{httpStatus: 503, body: \"{body}\"}}}}}}]\n"
    )
}

fn seconds(range: Range<u64>) -> Duration {
    Duration::from_secs(fastrand::u64(range))
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
