//! Random interleavings: writers at two replicas, people who push by hand, people who force, and deaths of replicas.
//! `HFI_MODEL_SEED` repeats a run as far as threads can be repeated; `HFI_MODEL_SECONDS` lets it run longer.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use harness::Repository;
use tokio::{task::JoinSet, time::sleep};

use crate::support::{
    chance::{Chance, model_time},
    client,
    history::{End, FORCED, Told, nobody_lost_anything, watch},
    policy,
    process::{Process, text},
    remote::SOON,
    writer::over_http,
    writing::{Change, Replica, apply, delete, git, path, process, repository, send},
};

const WRITERS: u64 = 20;
/// Writers where replicas die, whose restarts take the time.
const WRITERS_AND_DEATHS: u64 = 6;
/// The policies that all writers change.
const SHARED: u64 = 4;
const TIME: Duration = Duration::from_secs(7);
/// A request is answered within this time, however often replicas die.
const ANSWERED_WITHIN: Duration = Duration::from_secs(180);

type All = Arc<Mutex<Vec<Told>>>;

/// A policy that says which write it is of.
fn body(name: &str, label: &str) -> String {
    format!(
        "metadata: {{name: {name}, labels: {{write: {label}}}}}\nspec:\n  selector: {{service: web, namespace: demo}}\n  \
         rules:\n    - fault: {{percentage: 1, delay_ms: 1}}\n"
    )
}

fn with(mut change: Change<'static>, header: &'static str, value: String) -> Change<'static> {
    change.headers.push((header, value));
    change
}

/// Changes the shared policies at random, until a time, and until one of its changes was acknowledged.
async fn write(replicas: Arc<[Replica; 2]>, writer: u64, mut chance: Chance, until: Instant, all: All) {
    let (mut number, mut is_acknowledged) = (0, false);
    while Instant::now() < until || !is_acknowledged {
        assert!(Instant::now() < until + ANSWERED_WITHIN, "writer {writer} starves");
        number += 1;
        let (label, policy) = (format!("w-{writer}-{number}"), format!("p-{}", chance.below(SHARED)));
        let replica = &replicas[chance.below(2) as usize];
        let query = format!("?message={label}");
        let change = match chance.below(8) {
            0 => {
                let change = delete(&policy);
                Change { path: format!("{}{query}", change.path), ..change }
            }
            1 => with(apply(&query, &body(&policy, &label)), "if-none-match", "*".to_owned()),
            2 => {
                let url = format!("/v1/policies/{policy}?all=true");
                let tag = replica.server.get(&url, &[]).await.headers().get("etag").cloned();
                let tag = tag.map_or("*".to_owned(), |tag| tag.to_str().unwrap().to_owned());
                with(apply(&query, &body(&policy, &label)), "if-match", tag)
            }
            _ => apply(&query, &body(&policy, &label)),
        };
        let wait = [1, 2, 20][chance.below(3) as usize];
        let answer = replica.send(with(change, "prefer", format!("wait={wait}"))).await;
        let end = End::from(&answer);
        is_acknowledged |= matches!(end, End::Written(_));
        all.lock().unwrap().push(Told { label, policy, end });
    }
}

/// Pushes by hand, on top of what is there, to files of their own and to the policies of others.
async fn push_by_hand(repository: &Repository, mut chance: Chance, until: Instant) {
    let mut number = 0;
    while Instant::now() < until {
        sleep(chance.millis(400)).await;
        number += 1;
        let _ = repository.git(&["fetch", "--quiet", "origin", "main"]).await;
        repository.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]).await.unwrap();
        let name = match chance.below(2) {
            0 => format!("p-{}", chance.below(SHARED)),
            _ => format!("hand-{number}"),
        };
        repository.write(&format!("{name}.yaml"), &body(&name, &format!("hand-{number}"))).unwrap();
        repository.git(&["add", "--all"]).await.unwrap();
        repository.git(&["commit", "--quiet", "--allow-empty", "--message", "By hand"]).await.unwrap();
        // Somebody may have been faster.
        let _ = repository.git(&["push", "--quiet", "origin", "HEAD:main"]).await;
    }
}

/// Takes the newest commits off the branch. Returns how often that went well.
async fn force(repository: &Repository, mut chance: Chance, until: Instant) -> usize {
    let mut times = 0;
    while Instant::now() < until {
        sleep(Duration::from_millis(500) + chance.millis(2_000)).await;
        let (bare, old) = (repository.bare(), git(repository, &["rev-parse", "main"]));
        let new = format!("{}~{}", old.trim(), 1 + chance.below(2));
        // It is the first commit, or somebody was faster.
        let forced = ["-C", text(&bare), "update-ref", "-m", FORCED, "refs/heads/main", &new, old.trim()];
        times += usize::from(repository.git(&forced).await.is_ok());
    }
    times
}

#[tokio::test(flavor = "multi_thread")]
async fn of_writers_at_two_replicas_people_who_push_and_people_who_force() {
    let mut chance = Chance::new("writers");
    let (repository, server) = over_http().await;
    watch(&repository);
    let url = server.url("policies.git");
    let replicas = [Replica::with(&url, SOON, |_| {}).await, Replica::with(&url, SOON, |_| {}).await];
    let replicas = Arc::new(replicas);
    let (all, until) = (All::default(), Instant::now() + model_time(TIME));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(Arc::clone(&replicas), writer, chance.fork(), until, Arc::clone(&all)));
    }
    let (hand, forced) = (chance.fork(), chance.fork());
    let (_, (), forces) = tokio::join!(
        writers.join_all(),
        push_by_hand(&repository, hand, until),
        force(&repository, forced, until)
    );
    let all = all.lock().unwrap();
    let present = nobody_lost_anything(&repository, &all);
    let written = all.iter().filter(|told| matches!(told.end, End::Written(_))).count();
    println!("{} writes, {written} acknowledged, {present} in the history, {forces} force-pushes", all.len());
    assert!(forces > 0, "the moments of the force-pushes were all taken by others");
}

/// Two processes, each of which may be killed and started again.
struct Fleet {
    url: String,
    directories: [tempfile::TempDir; 2],
    processes: [tokio::sync::Mutex<Option<Process>>; 2],
    urls: Mutex<[String; 2]>,
}

impl Fleet {
    async fn new(url: &str) -> Self {
        let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let fleet =
            Self { url: url.to_owned(), directories, processes: Default::default(), urls: Mutex::default() };
        fleet.restart(0).await;
        fleet.restart(1).await;
        fleet
    }

    /// Kills a process without warning, and starts another.
    async fn restart(&self, which: usize) {
        let mut process = self.processes[which].lock().await;
        drop(process.take());
        let directory = self.directories[which].path();
        let new = self::process(&self.url, directory, &[("TMPDIR", text(directory))]).await;
        self.urls.lock().unwrap()[which] = new.url.clone();
        *process = Some(new);
    }

    async fn kill(&self, mut chance: Chance, until: Instant) {
        while Instant::now() < until {
            sleep(Duration::from_millis(300) + chance.millis(2_000)).await;
            self.restart(chance.below(2) as usize).await;
        }
    }

    /// Changes a policy that nobody else changes. What has no answer is sent again until it has one.
    async fn write(&self, writer: u64, mut chance: Chance, until: Instant, all: All) {
        let (client, mut number) = (client(), 0);
        while Instant::now() < until {
            number += 1;
            let answered_by = Instant::now() + ANSWERED_WITHIN;
            let (label, policy) = (format!("w-{writer}-{number}"), format!("own-{writer}"));
            let end = loop {
                let change = apply(&format!("?message={label}"), &body(&policy, &label));
                let url = self.urls.lock().unwrap()[chance.below(2) as usize].clone();
                match send(&client, &url, with(change, "prefer", "wait=20".to_owned())).await {
                    Ok(answer) if matches!(answer.status, 503 | 504) => {
                        assert!(Instant::now() < answered_by, "{label} has no answer yet: {answer:?}");
                    }
                    Ok(answer) => break End::from(&answer),
                    Err(_) => sleep(chance.millis(100)).await,
                }
            };
            let written = match end {
                // It was done when it was sent before.
                End::Unchanged => End::Unknown,
                end => end,
            };
            all.lock().unwrap().push(Told { label, policy, end: written });
        }
    }
}

/// Checks the clones of the processes that are alive; those of the dead are removed later.
fn clones_are_whole(directory: &Path) {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    for clone in entries.filter(|path| path.join("objects").is_dir()) {
        let fsck =
            std::process::Command::new("git").arg("-C").arg(&clone).args(["fsck", "--no-dangling"]).output();
        let fsck = fsck.unwrap();
        assert!(fsck.status.success(), "{clone:?}: {}", String::from_utf8_lossy(&fsck.stderr));
    }
}

async fn replicas_die_at_any_moment(repository: &Repository, url: &str, mut chance: Chance) {
    watch(repository);
    let fleet: &'static Fleet = Box::leak(Box::new(Fleet::new(url).await));
    let (all, until) = (All::default(), Instant::now() + model_time(TIME));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS_AND_DEATHS {
        writers.spawn(fleet.write(writer, chance.fork(), until, Arc::clone(&all)));
    }
    let (kills, hand) = (chance.fork(), chance.fork());
    tokio::join!(writers.join_all(), fleet.kill(kills, until), push_by_hand(repository, hand, until));
    let all = all.lock().unwrap().clone();
    let present = nobody_lost_anything(repository, &all);
    assert_eq!(present, all.len(), "each got a good answer in the end, and is in the history once");
    println!("{present} writes");
    for directory in &fleet.directories {
        clones_are_whole(directory.path());
    }
    for process in &fleet.processes {
        drop(process.lock().await.take());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_replicas_that_are_killed_at_any_moment_behind_a_server() {
    let (repository, server) = over_http().await;
    replicas_die_at_any_moment(&repository, &server.url("policies.git"), Chance::new("kills")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_replicas_that_are_killed_at_any_moment_on_this_machine() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    replicas_die_at_any_moment(&repository, &path(&repository), Chance::new("kills here")).await;
}
