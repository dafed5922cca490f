//! A front before a Git server, which changes requests and answers as a test wants.

use std::{
    io,
    sync::{Arc, Mutex},
};

use harness::{GitHttp, http_client};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A running front. It answers one request on each connection, and then closes it.
pub(crate) struct Front {
    /// Without a slash at the end.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// The path and query; of a proxy, the whole target.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What the server behind says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Front {
    /// Starts it before `backend`. `answer` makes the bytes that the client gets.
    pub(crate) async fn start(
        backend: &GitHttp,
        answer: impl Fn(&Seen, Answer) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (requests, answer, backend) = (Arc::clone(&seen), Arc::new(answer), backend.url(""));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (requests, answer, backend) =
                    (Arc::clone(&requests), Arc::clone(&answer), backend.clone());
                tokio::spawn(async move { serve(client, &backend, &requests, &*answer).await });
            }
        });
        Self { url, seen }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn repository(&self) -> String {
        format!("{}/policies.git", self.url)
    }
}

async fn serve(
    mut client: TcpStream,
    backend: &str,
    requests: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(&Seen, Answer) -> Vec<u8> + Send + Sync),
) -> io::Result<()> {
    let request = read(&mut client).await?;
    requests.lock().unwrap().push(request.clone());
    let behind = if request.method == "CONNECT" { Answer::default() } else { ask(backend, &request).await };
    client.write_all(&answer(&request, behind)).await?;
    client.shutdown().await
}

async fn read(client: &mut TcpStream) -> io::Result<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let header =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: Vec<_> = lines.filter_map(header).collect();
    let mut seen =
        Seen { method: first.next().unwrap(), target: first.next().unwrap(), headers, body: Vec::new() };
    seen.body = vec![0; seen.header("content-length").map_or(0, |length| length.parse().unwrap())];
    client.read_exact(&mut seen.body).await?;
    Ok(seen)
}

/// The answer of the server behind.
async fn ask(backend: &str, request: &Seen) -> Answer {
    let target = request
        .target
        .strip_prefix("http://")
        .map_or(request.target.as_str(), |target| target.split_once('/').map_or("", |(_, path)| path));
    let url = format!("{backend}{}", target.trim_start_matches('/'));
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap();
    let client = http_client().unwrap().no_proxy().build().unwrap();
    let mut forwarded = client.request(method, url).body(request.body.clone());
    for name in ["content-type", "content-encoding"] {
        if let Some(value) = request.header(name) {
            forwarded = forwarded.header(name, value);
        }
    }
    let response = forwarded.send().await.unwrap();
    let is_plain = |name: &str| !["content-length", "transfer-encoding", "date"].contains(&name);
    let headers = response.headers().iter().filter(|(name, _)| is_plain(name.as_str()));
    Answer {
        status: response.status().to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: response.bytes().await.unwrap().to_vec(),
    }
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Answer {
    /// A header in place of the one that is there.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer as most servers write it.
    pub(crate) fn usual(self) -> Vec<u8> {
        let length = self.body.len().to_string();
        self.with("content-length", &length).written("HTTP/1.1")
    }

    /// The answer without a length: it ends with the connection.
    pub(crate) fn written(self, version: &str) -> Vec<u8> {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        [format!("{version} {}\r\n{headers}\r\n", self.status).into_bytes(), self.body].concat()
    }
}

/// An answer with a text.
pub(crate) fn text(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
