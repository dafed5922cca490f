//! The decision alone, outside of any proxy.

use std::{
    borrow::Cow,
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use policies::{Facts, Program, Scope, Timestamp, evaluation::AlwaysHit, language::Direction};

use super::plain_loop::PlainLoop;
use crate::{
    median,
    rules::{HEADER, PATH, Rules},
};

const ROUNDS: usize = 101;
/// Decisions repeat for this long before the clock is read: long beside its resolution.
const BATCH: Duration = Duration::from_millis(1);

/// A way to decide, and the time that it took in each round.
struct Contestant {
    decide: Box<dyn Fn() -> bool>,
    decisions: u32,
    times: Vec<Duration>,
}

pub(crate) fn run(counts: &[usize]) -> Result<()> {
    let workload = Scope::new(["demo"], ["checkout"])?;
    let mut contestants = Vec::new();
    for count in counts {
        let snapshot = Rules::of(*count).snapshot(&workload)?;
        let program = Program::compile(&snapshot, &workload);
        let plain = PlainLoop::new(&snapshot)?;
        contestants.push(Contestant::new(move || program.decide(&Request, &mut AlwaysHit).is_some())?);
        contestants.push(Contestant::new(move || plain.decide(&Request).is_some())?);
    }
    for _ in 0..ROUNDS {
        contestants.iter_mut().for_each(Contestant::measure);
    }
    println!("medians of {ROUNDS} interleaved rounds: a request that no rule applies to, natively\n");
    println!(
        "{:>7}{:>15}{:>15}{:>18}{:>19}",
        "rules", "ns a decision", "times 10 rules", "plain loop, ns", "times the program"
    );
    let nanos: Vec<_> = contestants.into_iter().map(Contestant::nanos).collect();
    let of_ten = counts.iter().zip(nanos.chunks(2)).find(|(count, _)| **count == 10);
    let of_ten = of_ten.and_then(|(_, pair)| pair.first()).copied().unwrap_or(f64::NAN);
    for (count, pair) in counts.iter().zip(nanos.chunks(2)) {
        if let [program, plain] = pair {
            let (growth, ratio) = (program / of_ten, plain / program);
            println!("{count:>7}{program:>15.1}{growth:>15.2}{plain:>18.1}{ratio:>19.1}");
        }
    }
    Ok(())
}

impl Contestant {
    fn new(decide: impl Fn() -> bool + 'static) -> Result<Self> {
        ensure!(!decide(), "a rule applies to the request");
        let began = Instant::now();
        let mut decisions = 0;
        while began.elapsed() < BATCH {
            black_box(decide());
            decisions += 1;
        }
        Ok(Self { decide: Box::new(decide), decisions, times: Vec::new() })
    }

    fn measure(&mut self) {
        let began = Instant::now();
        for _ in 0..self.decisions {
            black_box((self.decide)());
        }
        self.times.push(began.elapsed());
    }

    fn nanos(self) -> f64 {
        median(self.times).as_secs_f64() * 1e9 / f64::from(self.decisions)
    }
}

/// The request, as a proxy would have it at hand.
struct Request;

impl Facts for Request {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Inbound)
    }

    fn method(&self) -> Option<Cow<'_, [u8]>> {
        Some(b"GET".into())
    }

    fn path(&self) -> Option<Cow<'_, [u8]>> {
        Some(PATH.as_bytes().into())
    }

    fn query(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn authority(&self) -> Option<Cow<'_, [u8]>> {
        Some(b"checkout.demo".into())
    }

    fn cluster(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn header(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        (name == HEADER.0).then(|| HEADER.1.as_bytes().into())
    }

    fn spiffe_id(&self) -> Option<Cow<'_, [u8]>> {
        None
    }
}
