//! Changes by HTTP: how many a second of many clients at once, and the memory of many. The peer is Git itself: the
//! same changes, each committed and pushed by the command `git`.

mod memory;
mod rate;

use anyhow::Result;
use clap::ValueEnum;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Part {
    /// Changes a second
    Rate,
    /// The memory after 10,000 changes
    Memory,
}

pub(crate) async fn run(part: Option<Part>) -> Result<()> {
    if !matches!(part, Some(Part::Memory)) {
        rate::run().await?;
    }
    if !matches!(part, Some(Part::Rate)) {
        memory::run().await?;
    }
    Ok(())
}
