//! A change among very many scopes that somebody waits for: who it is for sees it soon, and nobody else is
//! held up.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use harness::{Answer, Client, Deadline, Request};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    policies::Policy,
    world::{Transport, World},
};
use crate::median;

const POLICIES: usize = 1_000;
/// Fewer than a server keeps: it needs one itself.
const SCOPES: usize = 19_900;
/// Polls of one connection: fewer than a server of HTTP/2 takes at once.
const STREAMS: usize = 160;
const ROUNDS: usize = 11;
const PATIENCE: Duration = Duration::from_secs(60);
/// Between changes.
const REST: Duration = Duration::from_millis(500);
/// Of every workload.
const FOR_ALL: &str = "for-all.yaml";

/// An answer to one of the polls: whose, and when.
type Seen = (usize, Instant);

/// The cost of one change.
#[derive(Debug, Default)]
struct Took {
    first: Vec<Duration>,
    last: Vec<Duration>,
    /// The longest that another request took meanwhile.
    others: Vec<Duration>,
}

pub(crate) async fn run(client: &Client) -> Result<()> {
    let world = World::new(Transport::Local, POLICIES, 0, client).await?;
    let address = world.reconciler.address();
    let (sender, mut seen) = unbounded_channel();
    let mut polls = JoinSet::new();
    let scopes: Vec<_> = (0..SCOPES).collect();
    for (number, connection) in scopes.chunks(STREAMS).enumerate() {
        // As from many machines: each address has its share.
        let client = Client::http2_from(Ipv4Addr::new(127, 0, 1, u8::try_from(number)?).into())?;
        for scope in connection {
            polls.spawn(wait(client.clone(), address, *scope, sender.clone()));
        }
    }
    let deadline = Deadline::of("all polls to be held", PATIENCE);
    while parked(client, address).await? < SCOPES {
        if let Some(ended) = polls.try_join_next() {
            ended?.context("a poll is not held")?;
        }
        deadline.pause().await?;
    }
    let memory = world.reconciler.memory()?;

    let (mut one, mut all) = (Took::default(), Took::default());
    for round in 0..ROUNDS {
        let policy = Policy((round * 89) % POLICIES);
        policy.write(&world.repository, 400 + round)?;
        change(&world, client, &mut seen, &mut one, 1).await?;
        let text = format!(
            "metadata: {{name: for-all}}\nspec: {{rules: [{{fault: {{percentage: 1, abort: {{httpStatus: {}}}}}}}]}}\n",
            400 + round
        );
        world.repository.write(FOR_ALL, &text)?;
        change(&world, client, &mut seen, &mut all, SCOPES).await?;
    }
    println!(
        "\n{SCOPES} scopes waited for over HTTP/2, {POLICIES} policies, {} MiB resident; medians of {ROUNDS}, ms from the notification\n",
        memory >> 20
    );
    println!(
        "{:<32}{:>8}{:>8}{:>44}",
        "a change of what is for", "first", "last", "slowest other request meanwhile (at worst)"
    );
    for (what, Took { first, last, others }) in [("one scope", one), ("all scopes", all)] {
        let worst = others.iter().max().copied().unwrap_or_default();
        println!(
            "{what:<32}{:>8.1}{:>8.1}{:>34.1} {:>9}",
            millis(median(first)),
            millis(median(last)),
            millis(median(others)),
            format!("({:.1})", millis(worst))
        );
    }
    Ok(())
}

/// Publishes what was written, and waits until so many have seen it.
async fn change(
    world: &World,
    client: &Client,
    seen: &mut UnboundedReceiver<Seen>,
    took: &mut Took,
    scopes: usize,
) -> Result<()> {
    let commit = world.stage().await?;
    sleep(REST).await;
    let address = world.reconciler.address();
    let deadline = Deadline::of("all polls to be held again", PATIENCE);
    while parked(client, address).await? < SCOPES {
        deadline.pause().await?;
    }
    let (client, other) = (client.clone(), Request::get("/v1/snapshot?namespace=somewhere&service=else"));
    let probe = tokio::spawn(async move {
        let mut slowest = Duration::ZERO;
        let until = Instant::now() + REST;
        while Instant::now() < until {
            slowest = slowest.max(client.send(address, &other).await?.took);
            sleep(Duration::from_millis(1)).await;
        }
        Ok::<_, anyhow::Error>(slowest)
    });
    let began = Instant::now();
    world.publish(&commit).await?;
    let mut at = Vec::with_capacity(scopes);
    while at.len() < scopes {
        let next = timeout(PATIENCE, seen.recv()).await.context("nobody has seen the change")?;
        at.push(next.context("nobody waits any more")?.1 - began);
    }
    took.others.push(probe.await??);
    took.first.extend(at.iter().min());
    took.last.extend(at.iter().max());
    ensure!(seen.is_empty(), "more have seen a change than it is for");
    Ok(())
}

/// Polls for ever, and tells of every change.
async fn wait(client: Client, address: SocketAddr, scope: usize, seen: UnboundedSender<Seen>) -> Result<()> {
    let snapshot = Request::get(&Policy(scope).snapshot());
    let mut etag = etag(&client.send(address, &snapshot).await?)?;
    loop {
        let held = snapshot.clone().header("if-none-match", &etag).header("prefer", "wait=30");
        let answer = client.send(address, &held).await?;
        if answer.status.is_success() {
            etag = self::etag(&answer)?;
            seen.send((scope, Instant::now()))?;
        }
    }
}

fn etag(answer: &Answer) -> Result<String> {
    let etag = answer
        .header("etag")
        .with_context(|| format!("{} without an ETag: {}", answer.status, answer.body))?;
    Ok(etag.to_owned())
}

/// The number of held polls.
async fn parked(client: &Client, address: SocketAddr) -> Result<usize> {
    let metrics = client.send(address, &Request::get("/metrics")).await?.body;
    let value = metrics.lines().find_map(|line| line.strip_prefix("hfi_polls_parked "));
    Ok(value.context("no such metric")?.parse()?)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
