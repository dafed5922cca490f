//! The cores of the processes: the proxies on one, the load generators on another, so that neither takes
//! the time of the other, and no scheduler moves them in the middle of a measurement.

use anyhow::{Context, Result};
use harness::{Sidecar, loopback};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The core of the proxies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    proxies: usize,
    rest: usize,
}

impl Cores {
    /// The first core that this process may use is for proxies. From here on this thread, and every
    /// thread and process that it starts, is on the second.
    pub(crate) fn divide() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (proxies, rest) = cores.next().zip(cores.next()).context("this needs two cores")?;
        bind(rest)?;
        Ok(Self { proxies, rest })
    }

    /// Starts a server on the core of the proxies, as if there were no other.
    pub(crate) async fn start<T>(self, server: impl Future<Output = Result<T>>) -> Result<T> {
        bind(self.proxies)?;
        let started = server.await;
        bind(self.rest)?;
        started
    }

    /// A proxy of one worker that answers every request itself.
    pub(crate) fn sidecar(self) -> Sidecar {
        Sidecar::of("checkout", loopback()).concurrency(1).answering_itself().core(self.proxies)
    }
}

/// Binds this thread, and whatever it starts, to one core.
fn bind(core: usize) -> Result<()> {
    let mut own = CpuSet::new();
    own.set(core);
    Ok(sched_setaffinity(None, &own)?)
}
