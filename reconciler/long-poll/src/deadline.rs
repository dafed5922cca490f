//! A timer that is moved on with every request.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Goes off when it is due. To put it off costs nothing: when the timer below runs out too early, it is
/// started again for the rest.
#[derive(Debug)]
pub(crate) struct Alarm {
    due: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    pub(crate) fn at(due: Instant) -> Self {
        Self { due, sleep: Box::pin(sleep_until(due)) }
    }

    pub(crate) fn set(&mut self, due: Instant) {
        self.due = due;
        if due < self.sleep.deadline() {
            self.sleep.as_mut().reset(due);
        }
    }

    /// Brings it forward, if that is sooner.
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

    use super::Alarm;

    #[tokio::test(start_paused = true)]
    async fn it_goes_off_when_it_was_set_last_for() {
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        let mut alarm = Alarm::at(begun + 10 * second);
        assert!(timeout(second, poll_fn(|cx| alarm.poll(cx))).await.is_err());
        alarm.set(begun + 20 * second);
        poll_fn(|cx| alarm.poll(cx)).await;
        assert_eq!(begun.elapsed(), 20 * second, "it was put off");
        alarm.set(begun + 90 * second);
        alarm.set(begun + 30 * second);
        poll_fn(|cx| alarm.poll(cx)).await;
        assert_eq!(begun.elapsed(), 30 * second, "it was brought forward");
    }
}
