//! A branch, two replicas and a filter, and what must hold of them at all times.

use std::{cell::RefCell, time::Duration};

use axum::{
    body::to_bytes,
    http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue},
    response::Response,
};
use filter::sync::answer::Answer;
use policies::wire::poll;
use tokio::time::Instant;

use super::{
    Event, Step,
    branch::{self, Branch, Commit},
    proxy::Proxy,
    replica::Replica,
};

pub(super) struct World {
    branch: RefCell<Branch>,
    replicas: [Replica; 2],
    proxy: Proxy,
    /// The commit that the filter was told last, and still sends.
    told: Option<Commit>,
}

impl World {
    pub(super) fn new(keeps_state: [bool; 2]) -> Self {
        Self {
            branch: Branch::new().into(),
            replicas: keeps_state.map(Replica::new),
            proxy: Proxy::start(),
            told: None,
        }
    }

    pub(super) async fn take(&mut self, step: Step) {
        match step {
            Step::Poll(replica, meanwhile) => self.poll(replica, meanwhile).await,
            Step::Event(Event::AnotherVm) => self.proxy.replace_vm(),
            Step::Event(Event::AnotherProxy) => (self.proxy, self.told) = (Proxy::start(), None),
            Step::Event(event) => self.happens(&event),
        }
    }

    /// The content that the filter runs.
    pub(super) fn runs(&mut self) -> Option<u8> {
        self.proxy.decides().map(|policy| policy.trim_start_matches('p').parse().unwrap())
    }

    /// All is well again, and the filter runs the tip, whichever replica it asks.
    pub(super) async fn heal(&mut self) {
        for replica in &self.replicas {
            replica.has_git.set(true);
            replica.trust(true);
            replica.halt(false);
            replica.read(&self.branch.borrow());
        }
        for replica in [0, 1, 0] {
            self.poll(replica, Vec::new()).await;
            let tip = self.branch.borrow().tip;
            let content = self.branch.borrow().content(tip);
            assert_eq!((self.told, self.runs()), (Some(tip), content), "it does not run the tip");
        }
    }

    async fn poll(&mut self, replica: usize, meanwhile: Vec<(u64, Event)>) {
        let (query, headers) = self.proxy.next_poll().await;
        let sent = headers.get(poll::REVISION).and_then(|sent| branch::commit(text(sent)));
        assert_eq!(sent, self.told, "it sends what it was told");
        let (ran, asked) = (self.runs(), &self.replicas[replica]);
        let process = asked.process();
        let must_stop = process.is_halted() && ran.is_some();

        let begun = Instant::now();
        let mut meanwhile = meanwhile.into_iter();
        let answer = {
            let answer = asked.answer(query, headers);
            let happens = async {
                for (seconds, event) in meanwhile.by_ref() {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    self.happens(&event);
                    if matches!(event, Event::Restart { replica: at, in_order: false } if at == replica) {
                        // The connection is cut.
                        return;
                    }
                }
                std::future::pending().await
            };
            let [one, other] = self.replicas.each_ref().map(|replica| replica.serve_requests(&self.branch));
            tokio::select! {
                biased;
                answer = answer => read(answer).await,
                () = happens => Answer::default(),
                () = one => unreachable!(),
                () = other => unreachable!(),
            }
        };
        let took = begun.elapsed();
        if must_stop {
            assert!(took < Duration::from_millis(1) && answer.status.as_deref() == Some("200"), "{answer:?}");
        }
        let is_emptied = process.is_halted() && answer.status.is_some();
        self.answered(answer, is_emptied);
        for (_, event) in meanwhile {
            self.happens(&event);
        }
    }

    /// The filter takes an answer.
    fn answered(&mut self, answer: Answer, is_emptied: bool) {
        let shown = format!("{answer:?}");
        let is_good = matches!(answer.status.as_deref(), Some("200" | "304"));
        let told = answer.revision.as_deref().and_then(branch::commit).filter(|_| is_good);
        self.proxy.take(answer);
        let runs = self.runs();
        let branch = self.branch.borrow();
        if is_good {
            if let Some(before) = self.told {
                let told = told.unwrap_or_else(|| panic!("it forgets {before}: {shown}"));
                // What was forced off the branch has no place in its history.
                let is_back =
                    branch.is_before(told, before) && branch.history(branch.tip).any(|on| on == before);
                assert!(!is_back, "it goes back from {before} to {told}: {shown}");
            }
            self.told = told;
        }
        if let Some(runs) = runs {
            assert!(!is_emptied, "it goes on during a halt: {shown}");
            let told = self.told.expect("no policy is of no commit");
            assert_eq!(branch.content(told), Some(runs), "it runs another commit than {told}: {shown}");
        }
    }

    fn happens(&self, event: &Event) {
        match *event {
            Event::Push { back, content } => {
                let mut branch = self.branch.borrow_mut();
                branch.reset(back);
                branch.push(content);
            }
            Event::Reset { back } => self.branch.borrow_mut().reset(back),
            Event::Git(replica, up) => self.replicas[replica].has_git.set(up),
            Event::Read(replica) => self.replicas[replica].read(&self.branch.borrow()),
            Event::Restore(replica) => self.replicas[replica].restore(&self.branch.borrow()),
            Event::Halt(replica, halted) => self.replicas[replica].halt(halted),
            Event::Trust(replica, trusted) => self.replicas[replica].trust(trusted),
            Event::Restart { replica, in_order: _ } => self.replicas[replica].restart(),
            // Only between polls.
            Event::AnotherVm | Event::AnotherProxy => {}
        }
    }
}

/// A header, which may be of any letters.
fn text(value: &HeaderValue) -> &str {
    str::from_utf8(value.as_bytes()).unwrap()
}

/// An answer as the host hands it to the filter.
async fn read(response: Response) -> Answer {
    let header = |name: HeaderName| response.headers().get(name).map(|value| text(value).to_owned());
    Answer {
        status: Some(response.status().as_str().to_owned()),
        etag: header(ETAG),
        revision: header(HeaderName::from_static(poll::REVISION)),
        content_type: header(CONTENT_TYPE),
        is_too_large: false,
        body: to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec(),
    }
}
