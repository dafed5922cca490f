//! One policy after another is changed.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::Client;
use tokio::time::{Instant, sleep};

use super::{
    figures::Figures,
    peer::Peer,
    policies::Policy,
    world::{Transport, World},
};

/// After a change: so long until what follows it is over, too.
const AFTERMATH: Duration = Duration::from_millis(100);
/// From one changed policy to the next: prime, so that the changes are spread.
const STRIDE: usize = 7_919;

pub(crate) async fn measure(
    transport: Transport,
    files: usize,
    commits: usize,
    client: &Client,
) -> Result<Figures> {
    let world = World::new(transport, files, commits, client).await?;
    let peer = Peer::new(&world.url).await?;
    let at_start = world.reconciler.memory()?;
    let (mut seen, mut processor, mut fetches) = (Vec::new(), Duration::ZERO, Vec::new());
    let changes = match transport {
        Transport::Http => 30,
        Transport::Local => 100,
    };
    for number in 0..changes {
        let policy = Policy((number * STRIDE) % files);
        policy.write(&world.repository, 400 + number)?;
        let commit = world.stage().await?;
        let poll = world.poll(policy).await?;
        sleep(world.spacing()).await;
        // The one that comes first in one round comes last in the next.
        if number % 2 == 0 {
            fetches.push(peer.fetch().await?);
        }
        let before = world.reconciler.processor_time()?;
        let began = Instant::now();
        world.publish(&commit).await?;
        let (answered, answer) = poll.await??;
        let revision = answer.header("x-hfi-revision").unwrap_or_default();
        ensure!(revision.ends_with(&commit), "{} with {revision} instead of {commit}", answer.status);
        seen.push(answered - began);
        sleep(AFTERMATH).await;
        processor += world.reconciler.processor_time()?.saturating_sub(before);
        if number % 2 == 1 {
            fetches.push(peer.fetch().await?);
        }
    }
    let (in_the_end, highest) = (world.reconciler.memory()?, world.reconciler.peak_memory()?);
    Ok(Figures {
        transport,
        files,
        commits,
        seen,
        processor,
        peer: fetches,
        cold_start: world.cold_start,
        clone: peer.cloned.wall,
        memory: [at_start, in_the_end, highest],
    })
}
