//! A thousand regexes on one header, beside the `regex` crate: to compile them for a snapshot and to take
//! it into use, and a decision about an ordinary value and about the longest.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use policies::{
    Program, Scope, Snapshot,
    evaluation::{AlwaysHit, StaticRequest},
    wire::Format,
};
use regex::bytes::Regex;

use crate::{
    median,
    rules::{HEADER, of_regexes},
};

const REGEXES: usize = 1_000;
const ROUNDS: usize = 31;

pub(crate) fn run() -> Result<()> {
    let workload = Scope::new(["demo"], ["checkout"])?;
    let written: Vec<_> = (0..REGEXES).map(|number| format!("-{number:04}-[a-z]+$")).collect();
    let bytes = of_regexes(&written, &workload)?.encode(Format::V2);
    let program = Program::compile(&Snapshot::decode(&bytes)?, &workload);
    let regexes: Vec<_> = written.iter().map(|written| Regex::new(written)).collect::<Result<_, _>>()?;

    println!("medians of {ROUNDS} interleaved rounds: {REGEXES} regexes on one header, natively\n");
    println!("{:<42}{:>12}{:>16}", "", "hfi, µs", "regex, µs");
    print(
        "a snapshot into use, and Regex::new of all",
        || Snapshot::decode(&bytes).is_ok_and(|snapshot| !Program::compile(&snapshot, &workload).is_empty()),
        || written.iter().all(|written| Regex::new(written).is_ok()),
    );
    for value in ["session-of-user-4711".to_owned(), "a".repeat(8 * 1024)] {
        let header = (HEADER.0.to_owned(), value.clone());
        let request = StaticRequest { headers: vec![header], ..StaticRequest::default() };
        ensure!(program.decide(&request, &mut AlwaysHit).is_none(), "a rule applies to the request");
        print(
            &format!("a decision, {} bytes", value.len()),
            || program.decide(&request, &mut AlwaysHit).is_none(),
            || regexes.iter().all(|regex| !regex.is_match(value.as_bytes())),
        );
    }
    Ok(())
}

/// The medians of both ways, in interleaved rounds.
fn print(name: &str, ours: impl Fn() -> bool, theirs: impl Fn() -> bool) {
    let time = |act: &dyn Fn() -> bool| {
        let began = Instant::now();
        black_box(act());
        began.elapsed()
    };
    let (ours, theirs): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (time(&ours), time(&theirs))).unzip();
    let micros = |times: Vec<Duration>| median(times).as_secs_f64() * 1e6;
    println!("{name:<42}{:>12.1}{:>16.1}", micros(ours), micros(theirs));
}
