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
    last: Mutex<Option<(Instant, Arc<Made>)>>,
    /// Changes when the overview says something else; `None` before the first one.
    told: watch::Sender<Option<Arc<Made>>>,
    /// True while somebody is told.
    is_telling: AtomicBool,
}

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
        make: impl Future<Output = Result<Overview, Problem>>,
    ) -> Result<Arc<Made>, Problem> {
        // Locked meanwhile: all who look wait for the same one.
        let mut last = self.last.lock().await;
        let before = match &*last {
            Some((at, made)) if at.elapsed() < FRESH && holds(&made.overview) => return Ok(Arc::clone(made)),
            before => before.as_ref().map(|(_, made)| Arc::clone(made)),
        };
        let made = Arc::new(Made::after(before.as_deref(), make.await?));
        *last = Some((Instant::now(), Arc::clone(&made)));
        Ok(made)
    }

    /// Tells of each change from now on. The first one who is told has it made each second, until nobody is told.
    pub(crate) fn follow<F>(
        self: &Arc<Self>,
        make: impl Fn() -> F + Send + 'static,
        shutdown: Shutdown,
    ) -> watch::Receiver<Option<Arc<Made>>>
    where
        F: Future<Output = Result<Overview, Problem>> + Send,
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

    async fn tell<F: Future<Output = Result<Overview, Problem>>>(&self, make: impl Fn() -> F) {
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
