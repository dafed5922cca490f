//! The resources that a process uses, as Linux counts them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

/// The memory of a process, in bytes.
pub(crate) fn memory(process: u32) -> Result<u64> {
    let kibibytes = of_status(&folder(process), "VmRSS")?;
    Ok(kibibytes * 1024)
}

/// The number of files that a process has open, sockets included.
pub(crate) fn open_files(process: u32) -> Result<usize> {
    Ok(std::fs::read_dir(folder(process).join("fd"))?.count())
}

/// The most memory that a process has had, in bytes.
pub(crate) fn peak_memory(process: u32) -> Result<u64> {
    let kibibytes = of_status(&folder(process), "VmHWM")?;
    Ok(kibibytes * 1024)
}

/// The number of times that the threads of a process have given up the processor of their own
/// accord, to wait for something. Unlike processor time this does not depend on how busy the machine is.
pub(crate) fn wakeups(process: u32) -> Result<u64> {
    of_threads(process, |thread| of_status(thread, "voluntary_ctxt_switches"))
}

/// The processor time of the threads of a process.
pub(crate) fn processor_time(process: u32) -> Result<Duration> {
    let nanos = of_threads(process, |thread| scheduled(thread, 0))?;
    Ok(Duration::from_nanos(nanos))
}

/// The time for which the main thread of a process could have run, but for a processor.
pub(crate) fn time_in_queue(process: u32) -> Result<Duration> {
    Ok(Duration::from_nanos(scheduled(&folder(process), 1)?))
}

/// The same of all its threads together.
pub(crate) fn time_in_queues(process: u32) -> Result<Duration> {
    Ok(Duration::from_nanos(of_threads(process, |thread| scheduled(thread, 1))?))
}

/// Of a thread's times on a processor and of waiting for one, and how often it got one.
fn scheduled(thread: &Path, which: usize) -> Result<u64> {
    let times = std::fs::read_to_string(thread.join("schedstat"))?;
    Ok(times.split_whitespace().nth(which).context("Linux counts it")?.parse()?)
}

/// The processor time of the children that a process has waited for, and of theirs; to a hundredth of a
/// second.
pub(crate) fn processor_time_of_ended_children(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(folder(process).join("stat"))?;
    // The name of the program stands in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("Linux tells no stat")?;
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(13).take(2).map(str::parse).collect::<Result<_, _>>()?;
    // In hundredths of a second, whatever the machine's own clock.
    Ok(Duration::from_millis(10 * ticks.iter().sum::<u64>()))
}

fn folder(process: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{process}"))
}

/// The sum over all threads that have not ended.
fn of_threads(process: u32, number: impl Fn(&Path) -> Result<u64>) -> Result<u64> {
    let threads = std::fs::read_dir(folder(process).join("task"))?;
    threads.map(|thread| number(&thread?.path())).sum()
}

/// A number that Linux tells of a process or a thread, without its unit.
fn of_status(folder: &Path, name: &str) -> Result<u64> {
    let status = std::fs::read_to_string(folder.join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.with_context(|| format!("Linux tells no {name}"))?.parse()?)
}
