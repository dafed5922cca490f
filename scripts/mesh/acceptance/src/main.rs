//! The user stories and success criteria of a deployment, scenario by scenario, on real Envoys with the
//! configuration that Istio gives them: what was asked, what was measured, and whether that is it. What
//! only a cluster can show is named with the script that shows it there.

mod deploy_control_plane;
mod deploy_plugin;
mod distribute_faults;
mod identify_proxies;
mod observe;
mod policy;
mod report;
mod target_services;
mod world;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::report::Report;
use crate::world::World;

/// Plays every user story on real Envoys, without a cluster, and prints the figures.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these, such as 3 for US3
    #[arg(value_name = "STORY", value_parser = clap::value_parser!(u8).range(1..=6))]
    stories: Vec<u8>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { stories } = Arguments::parse();
    let all = (1..=6).collect();
    harness::program("acceptance", play(if stories.is_empty() { all } else { stories })).await
}

/// Returns whether every figure is as asked.
async fn play(stories: Vec<u8>) -> Result<bool> {
    println!("Starting a Git repository, two replicas of hfi, and twelve Envoys of ten services ...");
    let mut world = World::start().await?;
    let mut report = Report::default();
    for number in stories {
        let outcome = story(number, &mut world, &mut report).await;
        report.ends(outcome);
    }
    Ok(report.conclude())
}

/// One story, which finds no policies, and every process running.
async fn story(number: u8, world: &mut World, report: &mut Report) -> Result<()> {
    world.publish(Vec::new()).await?;
    match number {
        1 => deploy_control_plane::play(world, report).await,
        2 => deploy_plugin::play(world, report).await,
        3 => target_services::play(world, report).await,
        4 => identify_proxies::play(world, report).await,
        5 => distribute_faults::play(world, report).await,
        _ => observe::play(world, report).await,
    }
}
