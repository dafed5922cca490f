//! The newest overview, made once for all who look: at most once a second, and only while somebody looks.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    sync::{Mutex, watch},
    task::JoinHandle,
    time::sleep,
};

use super::problem::Problem;
use crate::{
    api::overview::Overview,
    overview::commits::Commits,
    page::{Stop, page},
    shutdown::Shutdown,
};

/// The time for which an overview holds, and the shortest time between two events.
const FRESH: Duration = Duration::from_secs(1);

/// The newest overview, and those who are told of it.
#[derive(Debug, Default)]
pub(crate) struct Overviews {
    /// The commits that it names.
    pub(crate) commits: Arc<Commits>,
    looked: Mutex<Looked>,
    /// Changes when the overview says something else; `None` before the first one.
    told: watch::Sender<Option<Arc<Made>>>,
    /// True while somebody is told.
    is_telling: AtomicBool,
}

/// What was made for those who looked.
#[derive(Debug, Default)]
struct Looked {
    last: Option<(Instant, Arc<Made>)>,
    /// The overview that is under way. Whoever looks waits for it, and ends nothing by leaving.
    making: Option<JoinHandle<Result<Ready, Problem>>>,
}

/// An overview, and the instant at which it was ready.
type Ready = (Instant, Overview);

/// An overview, its JSON and its page.
#[derive(Debug)]
pub(crate) struct Made {
    overview: Overview,
    pub(crate) json: Bytes,
    page: OnceLock<Bytes>,
    /// The number of changes before it.
    changes: u64,
}

impl Overviews {
    /// The overview of now, or of a moment ago if that one may be told still.
    pub(crate) async fn now(
        &self,
        holds: impl Fn(&Overview) -> bool,
        make: impl Future<Output = Result<Overview, Problem>> + Send + 'static,
    ) -> Result<Arc<Made>, Problem> {
        // Locked meanwhile: all who look wait for the same one.
        let mut looked = self.looked.lock().await;
        // Whoever began one and left has made it for the next one. If it failed, another one is made.
        let _ = looked.made().await;
        match &looked.last {
            Some((at, made)) if at.elapsed() < FRESH && holds(&made.overview) => return Ok(Arc::clone(made)),
            _ => {}
        }
        looked.making = Some(tokio::spawn(async { make.await.map(|overview| (Instant::now(), overview)) }));
        looked.made().await.unwrap_or_else(|| Err(lost()))
    }

    /// Tells of each change from now on. The first one who is told has it made each second, until nobody is told.
    pub(crate) fn follow<F>(
        self: &Arc<Self>,
        make: impl Fn() -> F + Send + 'static,
        shutdown: Shutdown,
    ) -> watch::Receiver<Option<Arc<Made>>>
    where
        F: Future<Output = Result<Overview, Problem>> + Send + 'static,
    {
        let mut receiver = self.told.subscribe();
        if self.is_telling.swap(true, SeqCst) {
            // What the others were told last comes first.
            receiver.mark_changed();
        } else {
            let this = Arc::clone(self);
            tokio::spawn(async move {
                tokio::select! {
                    () = this.tell(make) => {}
                    () = shutdown.requested() => {}
                }
            });
        }
        receiver
    }

    async fn tell<F: Future<Output = Result<Overview, Problem>> + Send + 'static>(
        &self,
        make: impl Fn() -> F,
    ) {
        loop {
            // It fails at the end of the process only.
            if let Ok(made) = self.now(|_| true, make()).await {
                self.told.send_if_modified(|told| {
                    let is_new = told.as_ref().is_none_or(|told| told.changes != made.changes);
                    *told = Some(made);
                    is_new
                });
            }
            sleep(FRESH).await;
            if self.told.receiver_count() == 0 {
                self.told.send_replace(None);
                self.is_telling.store(false, SeqCst);
                // Somebody may have come meanwhile, and relies on this one.
                if self.told.receiver_count() == 0 || self.is_telling.swap(true, SeqCst) {
                    return;
                }
            }
        }
    }
}

impl Looked {
    /// Waits for the overview that is under way, if there is one.
    async fn made(&mut self) -> Option<Result<Arc<Made>, Problem>> {
        let ready = self.making.as_mut()?.await;
        self.making = None;
        Some(ready.unwrap_or_else(|_| Err(lost())).map(|(at, overview)| {
            let before = self.last.as_ref().map(|(_, made)| &**made);
            let made = Arc::new(Made::after(before, overview));
            self.last = Some((at, Arc::clone(&made)));
            made
        }))
    }
}

/// Its making has panicked, or the process ends.
fn lost() -> Problem {
    Problem::not_ready("the overview could not be made".to_owned())
}

impl Made {
    fn after(before: Option<&Self>, overview: Overview) -> Self {
        let changes = match before {
            Some(before) if before.overview.says_the_same_as(&overview) => before.changes,
            Some(before) => before.changes + 1,
            None => 0,
        };
        // Texts, numbers and times can always be written.
        let json = serde_json::to_vec(&overview).unwrap_or_default().into();
        Self { overview, json, page: OnceLock::new(), changes }
    }

    /// The page, made once for all who look.
    pub(crate) fn page(&self) -> Bytes {
        self.page.get_or_init(|| page(&self.overview, Stop::default()).into()).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use futures_util::FutureExt as _;
    use tokio::{sync::Notify, task::yield_now};

    use super::{FRESH, Overview, Overviews, Problem};
    use crate::{
        clock::now,
        overview::{facts::Facts, made::made},
        shutdown,
    };

    /// Overviews that are ready only when the test says so.
    #[derive(Clone, Default)]
    struct Held {
        begun: Arc<AtomicUsize>,
        ready: Arc<Notify>,
    }

    impl Held {
        async fn make(self) -> Result<Overview, Problem> {
            self.begun.fetch_add(1, SeqCst);
            self.ready.notified().await;
            Ok(made(Facts::default(), now()))
        }

        fn begun(&self) -> usize {
            self.begun.load(SeqCst)
        }
    }

    #[tokio::test]
    async fn those_who_look_and_leave_have_only_one_made() {
        let (overviews, held) = (Overviews::default(), Held::default());
        for _ in 0..50 {
            assert!(overviews.now(|_| true, held.clone().make()).now_or_never().is_none());
            yield_now().await;
        }
        held.ready.notify_one();
        overviews.now(|_| true, held.clone().make()).await.unwrap();
        assert_eq!(held.begun(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_are_told_are_told_on_after_a_panic() {
        let (overviews, made_before) = (Arc::<Overviews>::default(), AtomicUsize::new(0));
        let (_trigger, shutdown) = shutdown::channel();
        let make = move || {
            let number = made_before.fetch_add(1, SeqCst);
            async move {
                assert!(number > 0, "the first one fails");
                Ok(made(Facts::default(), now()))
            }
        };
        let mut told = overviews.follow(make, shutdown);
        // Time goes on by itself.
        let is_told = tokio::time::timeout(10 * FRESH, told.changed()).await;
        is_told.expect("nobody is told any more").unwrap();
        assert!(told.borrow().is_some());
    }

    #[tokio::test]
    async fn what_was_begun_for_somebody_else_is_made_again_if_it_does_not_hold() {
        let (overviews, held) = (Overviews::default(), Held::default());
        assert!(overviews.now(|_| true, held.clone().make()).now_or_never().is_none());
        yield_now().await;
        held.ready.notify_one();
        let halted = overviews.now(|_| false, held.clone().make());
        let release = async {
            while held.begun() < 2 {
                yield_now().await;
            }
            held.ready.notify_one();
        };
        let (halted, ()) = tokio::join!(halted, release);
        halted.unwrap();
        assert_eq!(held.begun(), 2, "once more, and not for ever");
    }
}
