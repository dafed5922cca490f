//! The memory of the child process.

use std::{fs, path::Path};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::io_reason::io_reason;

/// The memory that reading a commit for the first time may use, in bytes. The process that serves reads it after
/// that, and needs no more.
pub(super) const OF_CHECK: u64 = 128 << 20;
/// The least and the most memory that a fetch may use, in bytes.
pub(super) const OF_FETCH: [u64; 2] = [256 << 20, 2 << 30];

/// The least and the most memory that planning the Istio configuration of applications may use, in bytes.
pub(super) const OF_PLAN: [u64; 2] = [192 << 20, 2 << 30];

/// The files with the memory limit of the container, by the version of cgroups.
const CONTAINER: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// The memory that a fetch may use, in bytes: half of what the container or the machine has, within bounds.
pub(super) fn of_fetch() -> u64 {
    share(4, OF_FETCH, available())
}

/// The memory that planning may use, in bytes: three eighths of what the container or the machine has, within bounds. A
/// fetch may run beside it, so an eighth is left for the process that serves.
pub(crate) fn of_plan() -> u64 {
    share(3, OF_PLAN, available())
}

/// The memory of the container or the machine.
fn available() -> Option<u64> {
    let number = |path: &Path| fs::read_to_string(path).ok()?.trim().parse().ok();
    let container = CONTAINER.iter().filter_map(|path| number(Path::new(path)));
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kibibytes(&text, "MemTotal:"));
    container.chain(machine).min()
}

/// So many eighths of what there is, within bounds.
fn share(eighths: u64, [least, most]: [u64; 2], available: Option<u64>) -> u64 {
    available.map_or(least, |bytes| (bytes / 8 * eighths).clamp(least, most))
}

/// Keeps no object that libgit2 reads: what it keeps grows with the history, and each is read once.
pub(crate) fn keep_no_objects() {
    git2::opts::enable_caching(false);
}

/// The number of bytes in a line of `/proc`, such as `MemTotal:  24689764 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let number = text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?;
    number.parse::<u64>().ok()?.checked_mul(1_024)
}

/// Limits the memory of this process to what it has now and so much more. Files that are mapped, such as packs, are
/// not counted.
pub(crate) fn limit_growth(bytes: u64) -> Result<(), String> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let now = kibibytes(&status, "VmData:").ok_or("the memory of this process is not known")?;
    limit(now.saturating_add(bytes))
}

/// Limits the memory of this process, and writes no core file when it is over the limit.
fn limit(bytes: u64) -> Result<(), String> {
    for (resource, wanted) in [(Resource::Data, bytes), (Resource::Core, 0)] {
        let limit = Some(getrlimit(resource).maximum.map_or(wanted, |most| most.min(wanted)));
        let set = setrlimit(resource, Rlimit { current: limit, maximum: limit });
        set.map_err(|error| format!("cannot limit the memory: {}", io_reason(&error.into())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{OF_FETCH, OF_PLAN, kibibytes, share};

    #[test]
    fn a_fetch_gets_half_of_the_memory_within_bounds() {
        let [least, most] = OF_FETCH;
        assert_eq!(share(4, OF_FETCH, None), least);
        assert_eq!(share(4, OF_FETCH, Some(64 << 20)), least);
        assert_eq!(share(4, OF_FETCH, Some(1 << 30)), 512 << 20);
        assert_eq!(share(4, OF_FETCH, Some(u64::MAX)), most);
    }

    #[test]
    fn a_fetch_and_a_plan_leave_an_eighth_to_the_server() {
        let [least, most] = OF_PLAN;
        assert_eq!(share(3, OF_PLAN, None), least);
        for available in [1 << 30, 2 << 30, 4 << 30] {
            let (fetch, plan) = (share(4, OF_FETCH, Some(available)), share(3, OF_PLAN, Some(available)));
            assert_eq!(available - fetch - plan, available / 8);
        }
        assert_eq!(share(3, OF_PLAN, Some(u64::MAX)), most);
    }

    #[test]
    fn the_memory_of_the_machine_is_read() {
        let text = "MemFree: 1 kB\nMemTotal:       24689764 kB\n";
        assert_eq!(kibibytes(text, "MemTotal:"), Some(24_689_764 << 10));
        assert_eq!(kibibytes(text, "VmData:"), None);
    }
}
