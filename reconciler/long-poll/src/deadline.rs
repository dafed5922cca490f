//! A timer that each request moves.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Ends at an instant that may be moved. To postpone it is cheap: the timer runs on, and is set again for
/// the rest when it ends.
#[derive(Debug)]
pub(crate) struct Deadline {
    due: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(crate) fn at(due: Instant) -> Self {
        Self { due, sleep: Box::pin(sleep_until(due)) }
    }

    pub(crate) fn set(&mut self, due: Instant) {
        self.due = due;
        if due < self.sleep.deadline() {
            self.sleep.as_mut().reset(due);
        }
    }

    /// Moves it forward, if that is sooner.
    pub(crate) fn hasten(&mut self, due: Instant) {
        self.set(due.min(self.due));
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= self.due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use tokio::time::{Instant, timeout};

    use super::Deadline;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_was_last_set_for() {
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        let mut deadline = Deadline::at(begun + 10 * second);
        assert!(timeout(second, poll_fn(|cx| deadline.poll(cx))).await.is_err());
        deadline.set(begun + 20 * second);
        poll_fn(|cx| deadline.poll(cx)).await;
        assert_eq!(begun.elapsed(), 20 * second, "it was postponed");
        deadline.set(begun + 90 * second);
        deadline.set(begun + 30 * second);
        poll_fn(|cx| deadline.poll(cx)).await;
        assert_eq!(begun.elapsed(), 30 * second, "it was moved forward");
    }
}
