//! Publications that take long, and publications that panic.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc,
    },
    task::{Context, Wake, Waker},
    time::Duration,
};

use policies::Timestamp;
use tokio::{sync::Notify, task::yield_now, time::timeout};

use crate::{
    serving::{
        gate::{Gate, Halter},
        published::{Publication, Whole},
    },
    source::{Revision, ancestry::Ancestry},
};

/// More than any publication takes here.
const LONG: Duration = Duration::from_secs(20);

/// Something that happens while the next publication is served: it wakes who waits for it.
struct Meanwhile<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Meanwhile<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// Publishes, and runs this before it is done.
fn publish_and(gate: &Gate, whole: Whole, meanwhile: impl Fn() + Send + Sync + 'static) {
    let mut newest = gate.publisher().watch();
    let waker = Waker::from(Arc::new(Meanwhile(meanwhile)));
    let mut changed = std::pin::pin!(newest.changed());
    assert!(changed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    gate.publish(whole, None);
}

fn whole(revision: &str) -> Whole {
    let (revision, at) = (Revision::new(revision.to_owned()), Timestamp::from_millis(0));
    Whole { revision, ancestry: Ancestry::default(), signed: None, catalog: Arc::default(), at }
}

/// The revision that is served, and true under a halt.
fn served(gate: &Gate) -> (String, bool) {
    match gate.publisher().publication() {
        Publication::Serving(published) => {
            (published.whole.revision.as_str().to_owned(), published.is_halted())
        }
        Publication::Starting { reason } => panic!("{reason}"),
    }
}

/// A publication that goes on until it is told to end.
pub(crate) struct Slow {
    end: mpsc::Sender<()>,
    done: tokio::task::JoinHandle<()>,
}

impl Slow {
    pub(crate) async fn begin(gate: &Arc<Gate>, revision: &'static str) -> Self {
        let (end, ended) = mpsc::channel();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (gate, ended, begun) = (Arc::clone(gate), Mutex::new(ended), Mutex::new(Some(begun)));
        let done = tokio::spawn(async move {
            publish_and(&gate, whole(revision), move || {
                begun.lock().unwrap().take().unwrap().send(()).unwrap();
                ended.lock().unwrap().recv_timeout(LONG).unwrap();
            });
        });
        has_begun.await.unwrap();
        Self { end, done }
    }

    pub(crate) async fn end(self) {
        self.end.send(()).unwrap();
        self.done.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_thread_of_the_runtime_and_the_state_are_free_while_a_publication_goes_on() {
    let gate = Arc::<Gate>::default();
    let slow = Slow::begin(&gate, "main@sha1:1").await;
    let asked = Arc::clone(&gate);
    let request = tokio::spawn(async move {
        yield_now().await;
        (asked.is_halted(), asked.next_change(), asked.whole().unwrap().revision)
    });
    let answer = timeout(LONG / 4, request).await.expect("the one thread for requests is free").unwrap();
    assert_eq!((answer.0, answer.1, answer.2.as_str()), (false, None, "main@sha1:1"));
    slow.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn publications_that_come_during_another_follow_it_and_each_is_served_when_it_is_done() {
    let gate = Arc::<Gate>::default();
    let slow = Slow::begin(&gate, "main@sha1:1").await;
    let (halting, looked) = (Arc::clone(&gate), Arc::new(Notify::new()));
    let has_looked = Arc::clone(&looked);
    let halt = tokio::spawn(async move {
        let halting_by = || {
            looked.notify_one();
            (true, None)
        };
        assert!(halting.halt_by(Halter::Request, halting_by));
        served(&halting)
    });
    has_looked.notified().await;
    assert!(!gate.is_halted() && !halt.is_finished(), "nobody is told of a halt before it holds");
    slow.end().await;
    assert_eq!(halt.await.unwrap(), ("main@sha1:1".to_owned(), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_changes_while_a_hold_waits_for_its_turn_has_the_last_word() {
    let gate = Arc::<Gate>::default();
    gate.halt(Halter::Request, true);
    let slow = Slow::begin(&gate, "main@sha1:1").await;
    let (letting_go, holds, looked) =
        (Arc::clone(&gate), Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let (asked, has_looked) = (Arc::clone(&holds), Arc::clone(&looked));
    let end = tokio::spawn(async move {
        letting_go.halt_by(Halter::Request, || {
            looked.notify_one();
            (asked.load(Relaxed), None)
        })
    });
    has_looked.notified().await;
    // Another halt begins.
    holds.store(true, Relaxed);
    slow.end().await;
    assert!(!end.await.unwrap(), "it has let go of the new halt");
    assert_eq!(served(&gate), ("main@sha1:1".to_owned(), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_a_panic_the_next_publication_serves_all_of_the_state() {
    let gate = Arc::<Gate>::default();
    let publishing = Arc::clone(&gate);
    let panicking =
        tokio::spawn(async move { publish_and(&publishing, whole("main@sha1:1"), || panic!("on purpose")) });
    assert!(panicking.await.unwrap_err().is_panic());
    // It is no news, and was perhaps not served.
    assert!(gate.halt(Halter::Request, false));
    assert!(!gate.halt(Halter::Request, false));
    assert_eq!(served(&gate), ("main@sha1:1".to_owned(), false));
    assert!(gate.halt(Halter::Request, true));
    assert_eq!(served(&gate), ("main@sha1:1".to_owned(), true));
}

#[test]
fn the_moment_of_a_publication_is_when_it_is_served() {
    let gate = Gate::by(|| Timestamp::from_millis(7_000));
    gate.publish(whole("main@sha1:1"), None);
    assert_eq!(gate.whole().unwrap().at, Timestamp::from_millis(7_000));
}
