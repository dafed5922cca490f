//! The pushes that all clients that they concern have heard of, and the time that it took.

use std::time::{Duration, Instant};

use super::follower::Followers;

/// A change of one service's policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Push {
    pub(super) number: u64,
    pub(super) service: usize,
    pub(super) at: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// With whether the Git server has been there ever since.
    unheard: Vec<(Push, bool)>,
    /// From the end of a push until the last one had heard of it.
    took: Vec<Duration>,
    /// Of those that were pushed while the Git server was gone, or that a later one overtook.
    untimed: usize,
}

impl Ledger {
    pub(super) fn add(&mut self, push: Push, git_is_up: bool) {
        self.unheard.push((push, git_is_up));
    }

    /// Marks the pushes that no client has heard of: they are heard of only once the server is back.
    pub(super) fn git_killed(&mut self) {
        self.unheard.iter_mut().for_each(|(_, git_is_up)| *git_is_up = false);
    }

    /// Strikes out what everybody has heard; whether that is all.
    pub(super) fn settle(&mut self, followers: &Followers) -> bool {
        let Self { unheard, took, untimed } = self;
        unheard.retain(|(push, git_is_up)| {
            let mut last = push.at;
            for heard in followers.of(push.service) {
                if heard.number < push.number {
                    return true;
                }
                last = last.max(heard.at);
            }
            let overtaken = followers.of(push.service).any(|heard| heard.number > push.number);
            if *git_is_up && !overtaken {
                took.push(last - push.at);
            } else {
                *untimed += 1;
            }
            false
        });
        unheard.is_empty()
    }

    /// The pushes that some client has not heard of.
    pub(super) fn missing(&self) -> String {
        let missing = self.unheard.iter().map(|(push, _)| format!("{} of s{}", push.number, push.service));
        format!("lost: {}", missing.collect::<Vec<_>>().join(", "))
    }

    pub(super) fn print(mut self) {
        self.took.sort_unstable();
        let at = |part: f64| {
            let place = (part * self.took.len() as f64).ceil() as usize;
            self.took.get(place.saturating_sub(1)).copied().unwrap_or_default().as_millis()
        };
        println!(
            "pushed while Git was there: {} pushes, the last poll heard after p50 {} ms, p99 {} ms, at most {} ms",
            self.took.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
        println!("pushed while it was gone, or overtaken: {} pushes", self.untimed);
    }
}
