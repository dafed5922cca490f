//! A way to a Git server, on which each request is two steps: before the server has it, and before its answer is read.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Response, request::Parts},
};
use tokio::net::TcpListener;

/// The way. Whoever comes to the step at which it stops gets no further.
#[derive(Clone)]
pub(crate) struct GitSteps {
    pub(crate) url: String,
    way: Arc<Way>,
}

struct Way {
    server: String,
    client: reqwest::Client,
    passed: Mutex<Vec<String>>,
    stop_at: AtomicUsize,
    /// The requests that the server has and that have not ended.
    at_the_server: AtomicUsize,
}

impl GitSteps {
    pub(crate) async fn to(server: &str) -> Self {
        let way = Arc::new(Way {
            server: server.to_owned(),
            client: harness::http_client().unwrap().build().unwrap(),
            passed: Mutex::default(),
            stop_at: AtomicUsize::new(usize::MAX),
            at_the_server: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(Arc::clone(&way));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, way }
    }

    /// Counts the steps from now on, and stops at the one with this number.
    pub(crate) fn stop_at(&self, step: usize) {
        self.way.passed.lock().unwrap().clear();
        self.way.stop_at.store(step, SeqCst);
    }

    /// Stops nowhere any more.
    pub(crate) fn open(&self) {
        self.stop_at(usize::MAX);
    }

    /// The steps since they are counted.
    pub(crate) fn passed(&self) -> Vec<String> {
        self.way.passed.lock().unwrap().clone()
    }

    /// Somebody waits at the step at which it stops.
    pub(crate) fn has_stopped(&self) -> bool {
        self.way.passed.lock().unwrap().len() > self.way.stop_at.load(SeqCst)
    }

    /// The server has nothing to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.way.at_the_server.load(SeqCst) == 0
    }
}

async fn forward(State(way): State<Arc<Way>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let name = format!("{} {}", head.method, head.uri);
    way.pass(format!("before {name}")).await;
    // The server goes on, also if its client has died.
    way.at_the_server.fetch_add(1, SeqCst);
    let asking = Arc::clone(&way);
    let answer = tokio::spawn(async move {
        let answer = asking.ask(head, body).await;
        asking.at_the_server.fetch_sub(1, SeqCst);
        answer
    });
    let answer = answer.await.unwrap();
    way.pass(format!("before the answer to {name}")).await;
    answer
}

impl Way {
    async fn pass(&self, step: String) {
        let stops = {
            let mut passed = self.passed.lock().unwrap();
            passed.push(step);
            passed.len() > self.stop_at.load(SeqCst)
        };
        if stops {
            pending::<()>().await;
        }
    }

    async fn ask(&self, head: Parts, body: Body) -> Response<Body> {
        let body = to_bytes(body, 1 << 24).await.unwrap();
        let url = format!("{}{}", self.server, head.uri);
        let mut headers = head.headers;
        headers.remove("transfer-encoding");
        let request = self.client.request(head.method, url).headers(headers).body(body);
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        response
    }
}
