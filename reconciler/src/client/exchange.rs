//! Requests and answers.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use git_http::Connection;
use policies::wire::poll;
use reqwest::{
    ClientBuilder, Method, RequestBuilder, Response, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, LOCATION, RETRY_AFTER},
    redirect,
};
use serde::de::DeserializeOwned;

use super::{
    address::ServerUrl,
    event_stream::{EventReader, ServerSent},
    failure::Failure,
    token::Token,
    way::{Way, WayFailure},
};
use crate::{
    api::{self, problem::Problem},
    version,
};

/// The longest time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest time for an answer, to its last byte.
const ANSWER: Duration = Duration::from_secs(30);
/// The longest silence of a stream of events. The server sends a comment every 15 s, up to 5 s later while the API server
/// that knows the token does not answer.
const SILENCE: Duration = Duration::from_secs(25);
/// The most bytes of an answer; ten thousand policies take less.
pub const LONGEST: usize = 64 * 1024 * 1024;
/// The same of a replica: twenty of them may answer at once.
pub const LONGEST_OF_REPLICA: usize = 8 * 1024 * 1024;
/// The most bytes that are shown of an answer that is no problem document.
const SHOWN: usize = 200;

/// How a server is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    pub server: ServerUrl,
    pub token: Option<Token>,
    /// The only trusted certificates.
    pub ca_file: Option<PathBuf>,
    /// The token may be sent in clear text.
    pub insecure_token: bool,
    /// The way to the server, if its URL does not lead there.
    pub way: Option<Arc<dyn Way>>,
    /// The one replica of the server to ask. Its certificate must be for the host of the URL all the same.
    pub replica: Option<SocketAddr>,
    /// The most bytes of an answer.
    pub longest: usize,
}

/// An answer, with what its headers say.
#[derive(Clone, Debug)]
pub struct Answered<T> {
    pub body: T,
    pub etag: Option<String>,
    /// The revision that it was made of.
    pub revision: Option<String>,
    /// The directory in which a policy stood.
    pub folder: Option<String>,
}

/// A client of one server.
#[derive(Debug)]
pub struct Client {
    server: ServerUrl,
    token: Option<Token>,
    connection: Connection,
    http: reqwest::Client,
    way: Option<Arc<dyn Way>>,
    /// The most bytes of an answer.
    longest: usize,
}

impl Client {
    /// Reads the file of certificates; sends nothing yet.
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        let Settings { server, token, ca_file, insecure_token, way, replica, longest } = settings;
        if token.is_some() && !server.is_confidential() && way.is_none() && !insecure_token {
            return Err(Failure::Exposed { server: server.to_string() });
        }
        let wrong = |failure: git_http::Failure| Failure::Setup {
            server: server.to_string(),
            reason: failure.to_string(),
        };
        let is_direct = server.is_loopback() || way.is_some() || replica.is_some();
        let connection = Connection::new(server.url().clone(), ca_file, is_direct, CONNECT).map_err(wrong)?;
        let mut http = connection.configure(ClientBuilder::new()).map_err(wrong)?;
        if let Some(way) = &way {
            http = http.unix_socket(way.socket());
        }
        if let Some(address) = replica {
            http = http.resolve(server.url().host_str().unwrap_or_default(), address);
        }
        let http = http
            // A token is for the server that was named.
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(format!("hfi/{}", version::text()))
            .build()
            .map_err(|_| wrong(git_http::Failure::Setup("its client does not start")))?;
        Ok(Self { server, token, connection, http, way, longest })
    }

    /// The URL that the client was made with.
    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Reads a resource as JSON.
    pub async fn get<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let body = self.read(self.server.resource(segments, query), "application/json").await?;
        self.parsed(&body)
    }

    /// Reads a resource as JSON, with its entity tag.
    pub async fn get_tagged<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<(T, String), Failure> {
        let Answered { body, etag, .. } = self.get_answered(None, segments, query).await?;
        let tag = etag.ok_or_else(|| self.foreign("its answer has no ETag".to_owned()))?;
        Ok((body, tag))
    }

    /// Reads a resource as JSON, with what the headers say; of a replica that has this revision, if one is given.
    pub async fn get_answered<T: DeserializeOwned>(
        &self,
        revision: Option<&str>,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answered<T>, Failure> {
        let request = self.request(Method::GET, segments, query);
        let request =
            revision.into_iter().fold(request, |request, revision| request.header(poll::REVISION, revision));
        let read = async {
            let answer = self.send(request).await?;
            let told =
                |name: &str| HeaderName::try_from(name).ok().and_then(|name| header(answer.headers(), name));
            let (etag, revision, folder) =
                (told(ETAG.as_str()), told(poll::REVISION), told(api::policies::FOLDER));
            Ok::<_, Failure>((self.body(answer).await?, etag, revision, folder))
        };
        let read = tokio::time::timeout(ANSWER, read).await.map_err(|_| self.late(ANSWER))?;
        let (body, etag, revision, folder) = read?;
        Ok(Answered { body: self.parsed(&body)?, etag, revision, folder })
    }

    /// Reads a resource as bytes, in one of the media types of `accept`.
    pub async fn get_bytes(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
        accept: &'static str,
    ) -> Result<Vec<u8>, Failure> {
        self.read(self.server.resource(segments, query), accept).await
    }

    /// Opens the stream of events; with this query, such as `overview=true`.
    pub async fn events(&self, query: &[(&str, &str)]) -> Result<Events<'_>, Failure> {
        let url = self.server.resource(&["v1", "events"], query);
        let request = self.http.get(url).header(ACCEPT, "text/event-stream");
        let answer =
            tokio::time::timeout(ANSWER, self.send(request)).await.map_err(|_| self.late(ANSWER))??;
        Ok(Events {
            client: self,
            answer,
            reader: EventReader::default(),
            waiting: Vec::new().into_iter(),
            heard: Instant::now(),
        })
    }

    /// Begins a request that changes a resource.
    pub(super) fn request(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        self.http.request(method, self.server.resource(segments, query)).header(ACCEPT, "application/json")
    }

    /// Sends a request, and reads its answer as JSON within this time.
    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        time: Duration,
    ) -> Result<T, Failure> {
        self.parsed(&self.answer_bytes(request, time).await?)
    }

    /// The same as bytes.
    pub(super) async fn answer_bytes(
        &self,
        request: RequestBuilder,
        time: Duration,
    ) -> Result<Vec<u8>, Failure> {
        let body = async { self.body(self.send(request).await?).await };
        tokio::time::timeout(time, body).await.map_err(|_| self.late(time))?
    }

    fn parsed<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Failure> {
        serde_json::from_slice(body).map_err(|error| self.foreign(error.to_string()))
    }

    async fn read(&self, url: Url, accept: &'static str) -> Result<Vec<u8>, Failure> {
        let request = self.http.get(url).header(ACCEPT, accept);
        let body = async { self.body(self.send(request).await?).await };
        tokio::time::timeout(ANSWER, body).await.map_err(|_| self.late(ANSWER))?
    }

    /// Sends a request with the token; an answer that is none of success is the failure that it tells of.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = match &self.token {
            Some(token) => request.header(AUTHORIZATION, token.bearer()),
            None => request,
        };
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status.is_redirection() {
            let location = header(answer.headers(), LOCATION).unwrap_or_else(|| "nowhere".to_owned());
            return Err(Failure::Redirected { server: self.server.to_string(), location });
        }
        Err(self.refused(answer).await)
    }

    async fn refused(&self, answer: Response) -> Failure {
        let status = answer.status();
        let is_problem = header(answer.headers(), CONTENT_TYPE)
            .is_some_and(|media_type| media_type.starts_with("application/problem+json"));
        let retry_after = header(answer.headers(), RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        let body = self.body(answer).await.unwrap_or_default();
        match serde_json::from_slice(&body) {
            Ok(problem) if is_problem => {
                let Problem { detail, title, .. } = &problem;
                let detail = if detail.is_empty() { title } else { detail }.clone();
                let problem = Problem { status: status.as_u16(), detail, ..problem };
                Failure::Refused { problem: Box::new(problem), retry_after }
            }
            _ => {
                let shown: String = String::from_utf8_lossy(&body).trim().chars().take(SHOWN).collect();
                let reason = format!("{status} {shown}").trim_end().to_owned();
                if status.is_server_error() {
                    return Failure::Intercepted { server: self.server.to_string(), reason };
                }
                self.foreign(reason)
            }
        }
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| self.unreachable(&error))? {
            body.extend_from_slice(&piece);
            if body.len() > self.longest {
                return Err(self.foreign(format!("its answer is longer than {} bytes", self.longest)));
            }
        }
        Ok(body)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let failure = self.way.as_ref().and_then(|way| way.failure());
        let WayFailure { reason, may_have_arrived } = failure.unwrap_or_else(|| WayFailure {
            reason: self.connection.failure(error).to_string(),
            may_have_arrived: !error.is_connect(),
        });
        Failure::Unreachable { server: self.server.to_string(), reason, may_have_arrived }
    }

    fn late(&self, time: Duration) -> Failure {
        let reason = format!("it does not answer within {} s", time.as_secs());
        Failure::Unreachable { server: self.server.to_string(), reason, may_have_arrived: true }
    }

    pub(super) fn foreign(&self, reason: String) -> Failure {
        Failure::Foreign { server: self.server.to_string(), reason }
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned())
}

/// The events of a server, as they come.
#[derive(Debug)]
pub struct Events<'a> {
    client: &'a Client,
    answer: Response,
    reader: EventReader,
    waiting: std::vec::IntoIter<ServerSent>,
    /// The time of the last bytes.
    heard: Instant,
}

impl Events<'_> {
    /// The next event; `None` when the server ends the stream.
    pub async fn next(&mut self) -> Result<Option<ServerSent>, Failure> {
        loop {
            if let Some(event) = self.waiting.next() {
                return Ok(Some(event));
            }
            let piece = tokio::time::timeout(SILENCE, self.answer.chunk());
            let piece = piece.await.map_err(|_| self.client.late(SILENCE))?;
            let Some(piece) = piece.map_err(|error| self.client.unreachable(&error))? else {
                return Ok(None);
            };
            self.heard = Instant::now();
            self.waiting = self.reader.push(&piece).into_iter();
        }
    }

    /// The time at which the server was heard last.
    pub fn heard(&self) -> Instant {
        self.heard
    }
}
