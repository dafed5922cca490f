//! The cost of a change among few and many policy files. The peer is `git fetch` of the same change
//! into a bare clone: nothing that is kept in Git elsewhere can be had for less.

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

const FILES: [usize; 3] = [10, 1_000, 10_000];

pub(crate) async fn run() -> Result<()> {
    let client = Client::new()?;
    Figures::HEADS.iter().for_each(|line| println!("{line}"));
    for transport in [Transport::Http, Transport::Local] {
        for files in FILES {
            println!("{}", measure(transport, files, &client).await?);
        }
    }
    println!("{}", Figures::LEGEND);
    scopes::run(&client).await?;
    history::run(&client).await
}
