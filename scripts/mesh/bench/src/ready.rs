//! Waiting for many connections in one thread, by epoll alone: as little of the processor as Linux asks for.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use rustix::{
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    time::Timespec,
};

/// The most that one call tells.
const AT_ONCE: usize = 1_024;

/// What is waited for, each with its number.
#[derive(Debug)]
pub(crate) struct Ready(OwnedFd);

impl Ready {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Waits for bytes of this one too, or for its end.
    pub(crate) fn add(&self, source: impl AsFd, number: usize) -> io::Result<()> {
        Ok(epoll::add(&self.0, source, EventData::new_u64(number as u64), EventFlags::IN)?)
    }

    /// The numbers of those that have something; none when the time is over.
    pub(crate) fn wait(&self, time: Option<Duration>) -> io::Result<Vec<usize>> {
        let time = time.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
        let mut events = [const { MaybeUninit::uninit() }; AT_ONCE];
        let (events, _) = epoll::wait(&self.0, &mut events, time.as_ref())?;
        Ok(events.iter().map(|event| event.data.u64() as usize).collect())
    }
}
