//! Processor time and memory of this process, from `/proc`; 0 without it.

use std::{fs, hint::black_box, time::Duration};

const ROUNDS: usize = 5;

/// Measures and prints the median of some rounds, with its ratio to the aim. Returns what `run` returns.
pub(crate) fn measured<T>(what: &str, aim: Option<Duration>, mut run: impl FnMut() -> T) -> T {
    let mut timed = || {
        let began = processor_time();
        let result = black_box(run());
        (processor_time().saturating_sub(began), result)
    };
    let mut times: Vec<_> = (1..ROUNDS).map(|_| timed().0).collect();
    let (last, result) = timed();
    times.push(last);
    times.sort();
    let time = times.get(ROUNDS / 2).copied().unwrap_or_default();
    let ratio = aim.map(|aim| {
        format!("{:>7.2} times the aim of {} s", time.as_secs_f64() / aim.as_secs_f64(), aim.as_secs())
    });
    println!("{what:<52}{:>9.1} ms{}", time.as_secs_f64() * 1_000.0, ratio.unwrap_or_default());
    result
}

/// That of the one thread.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

/// The resident memory, in MiB.
pub(crate) fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    kibibytes.and_then(|number| number.parse::<f64>().ok()).unwrap_or_default() / 1_024.0
}
