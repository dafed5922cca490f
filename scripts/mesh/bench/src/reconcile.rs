//! The cost of a change among few and many policy files. The peer is `git fetch` of the same change
//! into a bare clone: nothing that is kept in Git elsewhere can be had for less.

mod bare;
mod changes;
mod figures;
mod history;
mod peer;
mod policies;
mod scopes;
mod world;

use anyhow::Result;
use clap::ValueEnum;
use harness::Client;

use self::{changes::measure, figures::Figures, world::Transport};

/// A long history.
const COMMITS: usize = 30_000;
/// Policy files, and commits before the first change.
const SIZES: [(usize, usize); 4] = [(10, 0), (1_000, 0), (10_000, 0), (10, COMMITS)];

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Changes,
    Scopes,
    History,
}

pub(crate) async fn run(part: Option<Part>) -> Result<()> {
    let client = Client::new()?;
    for part in part.map_or_else(|| Part::value_variants().to_vec(), |part| vec![part]) {
        match part {
            Part::Changes => changes(&client).await?,
            Part::Scopes => scopes::run(&client).await?,
            Part::History => history::run(&client).await?,
        }
    }
    Ok(())
}

async fn changes(client: &Client) -> Result<()> {
    Figures::HEADS.iter().for_each(|line| println!("{line}"));
    for transport in [Transport::Http, Transport::Local] {
        for (files, commits) in SIZES {
            println!("{}", measure(transport, files, commits, client).await?);
        }
    }
    println!("{}", Figures::LEGEND);
    Ok(())
}
