//! The reasons why a repository cannot be fetched, or pushed to, over HTTP.

use std::path::PathBuf;

/// A sentence for people, to be read after "cannot fetch from" or "cannot push to" and the URL. It holds no secret, and nothing that a
/// server sent except what `shown` has made harmless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the URL is not valid")]
    Url,
    #[error(
        "the URL of the proxy, in the variable {variable}, is not valid; it has the form \
             http://host:port or http://user:password@host:port"
    )]
    ProxyUrl { variable: &'static str },
    #[error("{} {reason}", file.display())]
    CaFile { file: PathBuf, reason: String },
    #[error("this system has no list of trusted certificate authorities; give one with --ca-file")]
    NoAuthorities,
    #[error("HTTP cannot be set up: {0}")]
    Setup(&'static str),

    #[error("{peer} cannot be resolved to an address")]
    Unresolved { peer: String },
    #[error("{peer} {how}")]
    Unreachable { peer: String, how: String },
    #[error("the proxy {proxy} does not connect to the server")]
    ProxyRefuses { proxy: String },
    #[error(
        "the proxy {proxy} asks for other credentials (407); the variable {variable} takes them as \
             http://user:password@host:port"
    )]
    ProxyAsks { proxy: String, variable: &'static str },
    #[error("{0}")]
    Tls(String),
    #[error("{peer} does not answer with HTTP")]
    NotHttp { peer: String },
    #[error("the connection ended before the answer was complete")]
    Broken,

    /// The password cannot be given.
    #[error("the server {0}")]
    Login(String),
    #[error("the server refused the credentials: {0}")]
    Refused(String),
    #[error(
        "the server asks for credentials and takes neither a password nor a token: it offers {offered}, \
             and hfi has only Basic"
    )]
    NoBasic { offered: String },
    #[error("the server answers 401 (unauthorized), and does not say in WWW-Authenticate what it wants")]
    NoChallenge,
    #[error(
        "the server redirects to {origin}, which asks for a password; the password is only for the server of \
             the URL. If {origin} is right, give its URL with --repo"
    )]
    AskedElsewhere { origin: String },

    #[error("the server redirects more than {0} times")]
    RedirectedOften(usize),
    #[error("the server redirects to {origin}, without TLS; from https only https is followed")]
    Downgrade { origin: String },
    #[error("the server redirects to an address that is not HTTP")]
    RedirectedNowhere,
    #[error("the server redirects to {origin}, and not to a Git repository; is that a login page?")]
    RedirectedAway { origin: String },
    #[error("the server redirects a request after the first one; only the first may be redirected")]
    RedirectedLate,

    #[error("the server refuses access (403 Forbidden){colon}{said}", colon = if said.is_empty() { "" } else { ": " })]
    Forbidden { said: String },
    #[error("the server has no such repository ({0}); some servers answer this to users who may not read it")]
    NotFound(u16),
    #[error("the server has had too many requests (429){wait}")]
    TooMany { wait: String },
    #[error("the server fails ({status}){wait}")]
    ServerError { status: u16, wait: String },
    #[error("the server answers with status {0}, which is of no use for Git")]
    Status(u16),

    #[error(
        "the server answers with a web page instead of Git data; is the URL that of a web page, or does the \
             server want a login?"
    )]
    WebPage,
    #[error("the server answers with `{0}` instead of Git data")]
    MediaType(String),
    #[error("the server answers without a Content-Type, which a Git server gives")]
    NoMediaType,
    #[error(
        "the server offers plain files only (Git's dumb HTTP protocol); hfi needs the smart one, which \
             `git http-backend` and all forges speak"
    )]
    Dumb,
    #[error("the answer does not begin with `# service={0}`, as that of a Git server does")]
    NoService(&'static str),
    #[error("the server says: {0}")]
    Said(String),
    #[error("the answer has the content coding `{0}`, which was not asked for")]
    Coding(String),
}

/// The longest text of a server that is shown, in characters.
const LONGEST: usize = 200;

/// Text that a server sent, bounded, and without anything that a terminal obeys.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::new();
    for c in text.trim().chars().take(LONGEST) {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}
