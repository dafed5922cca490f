//! Requests to one server, with redirects and the password.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{
    Proxy, StatusCode, Url,
    blocking::{Client as Http, RequestBuilder, Response},
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, PRAGMA},
    redirect,
};

use crate::{
    address::{Base, host, origin, redirected},
    exchange_failure::Circumstances,
    failure::Failure,
    git_service::GitService,
    login::Login,
    proxy::Proxies,
    status::accepted,
    trust,
};

/// The longest time to connect. It is less than a fetch may take, so that a host that is away is told as such.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most redirects that are followed; git's number.
const REDIRECTS: usize = 20;
/// Some forges tell git from browsers by how this begins.
const USER_AGENT: &str = concat!("git/2.0 (hfi ", env!("CARGO_PKG_VERSION"), ")");

/// A client of the repository at one URL.
pub(crate) struct Client {
    http: Http,
    /// The URL that was given. The password is for its origin.
    given: Base,
    login: Arc<Login>,
    authorities: Option<PathBuf>,
    proxies: Arc<Proxies>,
    learned: Mutex<Learned>,
}

/// The knowledge that answers have brought.
struct Learned {
    /// The repository, after redirects.
    base: Base,
    /// The password as it is sent, once it was asked for.
    authorization: Option<HeaderValue>,
    /// A connection may be left from an earlier request.
    has_connected: bool,
}

impl Client {
    pub(crate) fn new(url: &str, login: Arc<Login>, authorities: Option<PathBuf>) -> Result<Self, Failure> {
        let given = Base::new(url)?;
        let proxies = Arc::new(Proxies::of_environment()?);
        let tls = trust::configuration(authorities.clone(), given.url().scheme() == "https")?;
        let known = Arc::clone(&proxies);
        let http = Http::builder()
            .tls_backend_preconfigured(tls)
            .proxy(Proxy::custom(move |url| known.of_url(url).map(|proxy| proxy.url.clone())))
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .connect_timeout(PATIENCE)
            // The process has a deadline.
            .timeout(None)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|_| Failure::Setup("its client does not start"))?;
        let learned = Mutex::new(Learned { base: given.clone(), authorization: None, has_connected: false });
        Ok(Self { http, given, login, authorities, proxies, learned })
    }

    /// Asks for the refs. This is the first request, and the only one that follows redirects.
    pub(crate) fn refs(&self, service: GitService) -> Result<Response, Failure> {
        let mut url = self.given.refs(service)?;
        for _ in 0..=REDIRECTS {
            let answer = self.send(&url, |http| http.get(url.clone()).header(PRAGMA, "no-cache"))?;
            if !answer.status().is_redirection() {
                let answer = accepted(answer)?;
                self.learned().base = Base::of_refs(&url, service)?;
                return Ok(answer);
            }
            url = redirected(&url, answer.headers())?;
        }
        Err(Failure::RedirectedOften(REDIRECTS))
    }

    /// Sends a request of the protocol of a service. A push is never repeated: the server may have begun it.
    pub(crate) fn post(
        &self,
        service: GitService,
        body: &[u8],
        is_compressed: bool,
    ) -> Result<Response, Failure> {
        let url = self.learned().base.service(service)?;
        if service == GitService::ReceivePack {
            self.learned().has_connected = false;
        }
        let name = service.name();
        let answer = self.send(&url, |http| {
            let request = http
                .post(url.clone())
                .header(CONTENT_TYPE, format!("application/x-{name}-request"))
                .header(ACCEPT, format!("application/x-{name}-result"))
                .body(body.to_vec());
            if is_compressed { request.header(CONTENT_ENCODING, "gzip") } else { request }
        })?;
        if answer.status().is_redirection() { Err(Failure::RedirectedLate) } else { accepted(answer) }
    }

    /// Sends a request; again with the password, if the server asks for one and may have it.
    fn send(&self, url: &Url, request: impl Fn(&Http) -> RequestBuilder) -> Result<Response, Failure> {
        let may_have_it = url.origin() == self.given.url().origin();
        let known = self.learned().authorization.clone().filter(|_| may_have_it);
        let exchange = |authorization: Option<&HeaderValue>| {
            self.exchange(url, || {
                let request = request(&self.http).header(ACCEPT_ENCODING, "gzip");
                match authorization {
                    Some(value) => request.header(AUTHORIZATION, value.clone()),
                    None => request,
                }
            })
        };
        let refused = || Failure::Refused(self.login.described.clone());
        let answer = exchange(known.as_ref())?;
        match (answer.status(), self.proxies.of_url(url)) {
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(proxy)) => {
                return Err(Failure::ProxyAsks { proxy: proxy.origin(), variable: proxy.variable });
            }
            (StatusCode::UNAUTHORIZED, _) if !may_have_it => {
                return Err(Failure::AskedElsewhere { origin: origin(url) });
            }
            (StatusCode::UNAUTHORIZED, _) if known.is_some() => return Err(refused()),
            (StatusCode::UNAUTHORIZED, _) => {}
            _ => return Ok(answer),
        }
        let authorization = self.login.authorization(answer.headers())?;
        // Its connection is used again.
        drop(answer);
        let answer = exchange(Some(&authorization))?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(refused());
        }
        self.learned().authorization = Some(authorization);
        Ok(answer)
    }

    /// Sends a request, and again if an old connection may have ended just then: like curl, since all requests of a
    /// fetch may be repeated.
    fn exchange(&self, url: &Url, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let send = || request().send().map_err(|error| self.circumstances(url).failure(&error));
        let may_be_old = self.learned().has_connected;
        let answer = match send() {
            Err(Failure::Broken) if may_be_old => send(),
            answer => answer,
        }?;
        self.learned().has_connected = true;
        Ok(answer)
    }

    fn circumstances(&self, url: &Url) -> Circumstances<'_> {
        Circumstances {
            server: host(url),
            proxy: self.proxies.of_url(url),
            authorities: self.authorities.as_deref(),
            patience: PATIENCE,
        }
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        // Nothing is half done in it at any time.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
