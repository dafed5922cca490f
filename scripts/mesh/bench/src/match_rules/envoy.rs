//! Requests that pass an Envoy of one worker.

use anyhow::Result;
use harness::{Client, Envoy};

use crate::{
    cores::Cores,
    rules::Rules,
    served::Served,
    throughput::{Contestant, ROUNDS, contest},
};

pub(crate) async fn run(counts: &[usize]) -> Result<()> {
    let (client, cores) = (Client::new()?, Cores::divide()?);
    let bare = Envoy::start(cores.sidecar().without_filter(), &client).await?;
    let mut contestants = vec![Contestant::new(bare, None, &client).await?];
    for count in counts {
        let served = Served::start(Rules::of(*count), &client).await?;
        let envoy = served.followed_by(cores.sidecar(), &client).await?;
        contestants.push(Contestant::new(envoy, Some(served), &client).await?);
    }
    contest(&mut contestants).await?;

    println!(
        "medians of {ROUNDS} interleaved rounds: the same request through Envoy, one worker, on a core \
         of its own\n"
    );
    println!(
        "{:>16}{:>12}{:>15}{:>17}{:>19}",
        "rules", "requests/s", "of 10 rules'", "of no filter's", "filter's share, µs"
    );
    let [bare, filtered @ ..] = &contestants[..] else { return Ok(()) };
    let ten = counts.iter().zip(filtered).find(|(count, _)| **count == 10).map(|(_, ten)| ten);
    let names = counts.iter().map(ToString::to_string);
    let names = ["without filter".to_owned()].into_iter().chain(names);
    for (name, contestant) in names.zip(&contestants) {
        let of_ten = ten.map_or(f64::NAN, |ten| contestant.share_of(ten));
        let of_bare = contestant.share_of(bare);
        let share = (contestant.time_per_request() - bare.time_per_request()) * 1e6;
        let throughput = contestant.throughput();
        println!("{name:>16}{throughput:>12.0}{of_ten:>15.3}{of_bare:>17.3}{share:>19.2}");
    }
    Ok(())
}
