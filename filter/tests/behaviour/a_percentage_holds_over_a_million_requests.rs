//! The share of requests that get a fault is the policy's percentage, however small.

use std::time::Duration;

use filter::clock::Instant;

use crate::world::{Data, World, good, snapshot_of};

const REQUESTS: u32 = 1_000_000;

/// Number of requests, of a million, that get a fault at this percentage from three replicas together.
fn faulted(percentage: &str) -> f64 {
    let yaml = format!(
        "metadata: {{name: a}}\nspec: {{rules: [{{fault: {{percentage: {percentage}, delay_ms: 1}}}}]}}"
    );
    let mut replicas = [3, 5, 7].map(|seed| {
        let data = Data::default();
        let mut replica = World::joining(&data, "", seed, Instant::from_origin(Duration::from_secs(1)));
        replica.until_poll();
        replica.answer(good(snapshot_of(&yaml)));
        replica
    });
    let hits = (0..REQUESTS).filter(|number| replicas[*number as usize % 3].injects()).count();
    hits as f64
}

#[test]
fn a_percentage_is_within_the_statistical_bound() {
    for (percentage, share) in [("30", 0.3), ("0.01", 0.0001)] {
        let expected = f64::from(REQUESTS) * share;
        // 3.29 standard deviations: 99.9 % of all binomial samples.
        let bound = 3.29 * (expected * (1.0 - share)).sqrt();
        let faulted = faulted(percentage);
        assert!((faulted - expected).abs() <= bound, "{faulted} of {expected} ± {bound:.0}");
    }
}

#[test]
fn none_and_all_are_certain() {
    assert_eq!([faulted("0"), faulted("100")], [0.0, f64::from(REQUESTS)]);
}
