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
use harness::Client;

use self::{changes::measure, figures::Figures, world::Transport};

/// A long history.
const COMMITS: usize = 30_000;
/// Policy files, and commits before the first change.
const SIZES: [(usize, usize); 4] = [(10, 0), (1_000, 0), (10_000, 0), (10, COMMITS)];

pub(crate) async fn run() -> Result<()> {
    let client = Client::new()?;
    Figures::HEADS.iter().for_each(|line| println!("{line}"));
    for transport in [Transport::Http, Transport::Local] {
        for (files, commits) in SIZES {
            println!("{}", measure(transport, files, commits, &client).await?);
        }
    }
    println!("{}", Figures::LEGEND);
    scopes::run(&client).await?;
    history::run(&client).await
}
