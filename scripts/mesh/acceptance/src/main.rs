//! The user stories of a deployment, figure by figure, on real Envoys with the configuration that Istio gives
//! them: what is asked, what was measured, and whether it holds. `stories.json` lists what is asked; a figure
//! that only a cluster can show is named with the script that shows it there.
//!
//! - `story`: the list. `report`: the lines that are printed.
//! - `world`: ten services with their proxies and two replicas of the reconciler. `policy`: their policies.
//! - one module for each story.

mod deploy_control_plane;
mod deploy_plugin;
mod distribute_faults;
mod identify_proxies;
mod observe;
mod policy;
mod report;
mod story;
mod target_services;
mod world;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use crate::report::Report;
use crate::story::Story;
use crate::world::World;

/// Plays every user story on real Envoys, without a cluster, and prints the figures.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these
    #[arg(value_name = "STORY")]
    stories: Vec<Story>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { stories } = Arguments::parse();
    let all = Story::value_variants().to_vec();
    harness::program("acceptance", play(if stories.is_empty() { all } else { stories })).await
}

/// Returns whether every figure is as asked.
async fn play(stories: Vec<Story>) -> Result<bool> {
    let mut report = Report::begin(*stories.first().context("no story")?)?;
    println!("Starting a Git repository, two replicas of hfi, and twelve Envoys of ten services ...");
    let mut world = World::start().await?;
    for story in stories {
        report.story(story)?;
        let outcome = play_one(story, &mut world, &mut report).await;
        report.ends(outcome);
    }
    Ok(report.conclude())
}

/// Plays one story, which finds no policies and every process running.
async fn play_one(story: Story, world: &mut World, report: &mut Report) -> Result<()> {
    world.publish(Vec::new()).await?;
    match story {
        Story::DeployControlPlane => deploy_control_plane::play(world, report).await,
        Story::DeployPlugin => deploy_plugin::play(world, report).await,
        Story::TargetServices => target_services::play(world, report).await,
        Story::IdentifyProxies => identify_proxies::play(world, report).await,
        Story::DistributeFaults => distribute_faults::play(world, report).await,
        Story::Observe => observe::play(world, report).await,
    }
}
