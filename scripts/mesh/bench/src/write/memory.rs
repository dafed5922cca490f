//! The memory of a replica while it makes 10,000 changes.

use anyhow::Result;
use harness::{Client, Repository};
use tokio::task::JoinSet;

use crate::writer::{self, Origin, Transport};

const CHANGES: usize = 10_000;
const CLIENTS: usize = 20;
/// The changes between two lines.
const STEP: usize = 1_000;

pub(crate) async fn run() -> Result<()> {
    let repository = Repository::new().await?;
    let origin = Origin::of(&repository, Transport::Path).await?;
    let mut reconciler = origin.reconciler().await?;
    let client = Client::new()?;
    reconciler.ready(&client).await?;
    println!("\n{:>10}{:>16}{:>16}{:>14}", "changes", "resident MiB", "highest MiB", "open files");
    for made in (0..=CHANGES).step_by(STEP) {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!(
            "{made:>10}{:>16.1}{:>16.1}{:>14}",
            mib(reconciler.memory()?),
            mib(reconciler.peak_memory()?),
            reconciler.open_files()?
        );
        if made == CHANGES {
            break;
        }
        let mut clients = JoinSet::new();
        let address = reconciler.address();
        for number in 0..CLIENTS {
            let client = client.clone();
            clients.spawn(async move {
                let name = format!("policy-{number}");
                for turn in 0..STEP / CLIENTS {
                    let status = 400 + u16::try_from(turn + made / STEP)? % 199;
                    let change = writer::put(&name, &writer::policy(&name, "checkout", status));
                    let answer = client.send(address, &change).await?;
                    anyhow::ensure!(answer.status.is_success(), "{}: {}", answer.status, answer.body);
                }
                anyhow::Ok(())
            });
        }
        while let Some(changed) = clients.join_next().await {
            changed??;
        }
    }
    Ok(())
}
