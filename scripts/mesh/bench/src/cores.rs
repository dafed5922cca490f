//! The cores of the processes: the proxies on one, the load generators on another, so that neither takes
//! the time of the other, and no scheduler moves them in the middle of a measurement.

use anyhow::{Context, Result};
use harness::{Sidecar, loopback};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The core of the proxies, or no division.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    proxies: usize,
    for_proxies: CpuSet,
    rest: CpuSet,
}

impl Cores {
    /// The first core that this process may use is for proxies. From here on this thread, and every
    /// thread and process that it starts, is on the second.
    pub(crate) fn divide() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (proxies, rest) = cores.next().zip(cores.next()).context("this needs two cores")?;
        let cores = Self { proxies, for_proxies: only(proxies), rest: only(rest) };
        sched_setaffinity(None, &cores.rest)?;
        Ok(cores)
    }

    /// This thread on its core again.
    pub(crate) fn pinned(self) -> Result<Self> {
        sched_setaffinity(None, &self.rest)?;
        Ok(self)
    }

    /// All on all cores that these two are of, where the scheduler puts them. From here on this thread, too.
    pub(crate) fn free(self) -> Result<Self> {
        let mut both = self.for_proxies;
        (0..CpuSet::MAX_CPU).filter(|core| self.rest.is_set(*core)).for_each(|core| both.set(core));
        sched_setaffinity(None, &both)?;
        Ok(Self { for_proxies: both, rest: both, ..self })
    }

    /// Starts a server on the core of the proxies, as if there were no other.
    pub(crate) async fn start<T>(self, server: impl Future<Output = Result<T>>) -> Result<T> {
        sched_setaffinity(None, &self.for_proxies)?;
        let started = server.await;
        sched_setaffinity(None, &self.rest)?;
        started
    }

    /// A proxy of one worker that answers every request itself.
    pub(crate) fn sidecar(self) -> Sidecar {
        Sidecar::of("checkout", loopback()).concurrency(1).answering_itself().core(self.proxies)
    }
}

fn only(core: usize) -> CpuSet {
    let mut own = CpuSet::new();
    own.set(core);
    own
}
