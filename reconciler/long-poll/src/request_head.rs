//! Reads plain polls: requests as proxies send them, and none that could be read in two ways. The one file that names `httparse`.

use std::mem::MaybeUninit;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The most headers of a plain poll: proxies send fewer.
const MAX_HEADERS: usize = 32;
/// The beginning of each HTTP/2 connection (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The headers of a body, of another protocol, or of something between us that is not to be passed on.
const OF_OTHERS: [HeaderName; 6] = [
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
];

/// The request that bytes begin with.
#[derive(Debug)]
pub(crate) enum Head<'a> {
    /// There are too few bytes to tell.
    Partial,
    Plain(Plain<'a>),
    Other(Protocol),
}

/// A poll, as plain as can be.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    pub(crate) query: &'a str,
    /// The headers that were asked for.
    pub(crate) headers: HeaderMap,
    /// The client sends no other request over this connection.
    pub(crate) closes: bool,
    /// The number of its bytes.
    pub(crate) length: usize,
}

/// The protocol of a request that is not a plain poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Reads what may be the head of a request. A plain poll has this `path`, and keeps these `headers`, which are in lower
/// case: names are compared, not made, since most headers are not kept.
pub(crate) fn read<'a>(bytes: &'a [u8], path: &str, headers: &[&'static str]) -> Head<'a> {
    if bytes.starts_with(PREFACE) {
        return Head::Other(Protocol::Http2);
    }
    if PREFACE.starts_with(bytes) {
        return Head::Partial;
    }
    let mut space = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut space) {
        Ok(httparse::Status::Partial) => Head::Partial,
        Ok(httparse::Status::Complete(length)) => {
            let plain = plain(&request, path, headers, length).filter(|_| ends_lines_well(bytes, length));
            plain.map_or(Head::Other(Protocol::Http1), Head::Plain)
        }
        // Whatever is wrong with it, it is told by who reads everything.
        Err(_) => Head::Other(Protocol::Http1),
    }
}

fn plain<'a>(
    request: &httparse::Request<'_, 'a>,
    path: &str,
    kept: &[&'static str],
    length: usize,
) -> Option<Plain<'a>> {
    if (request.method, request.version) != (Some("GET"), Some(1)) {
        return None;
    }
    let query = match request.path?.strip_prefix(path)? {
        "" => "",
        more => more.strip_prefix('?')?,
    };
    // What names need, and what holds them apart.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~*%=&".contains(&byte);
    if !query.bytes().all(is_plain) {
        return None;
    }
    let mut headers = HeaderMap::with_capacity(kept.len().min(request.headers.len()));
    let (mut hosts, mut closes) = (0, false);
    for header in &*request.headers {
        let is = |known: &str| header.name.eq_ignore_ascii_case(known);
        if is(header::HOST.as_str()) {
            if !is_plain_host(header.value) {
                return None;
            }
            hosts += 1;
        } else if is(header::CONNECTION.as_str()) {
            match header.value {
                value if value.eq_ignore_ascii_case(b"close") => closes = true,
                value if value.eq_ignore_ascii_case(b"keep-alive") => {}
                _ => return None,
            }
        } else if OF_OTHERS.iter().any(|known| is(known.as_str())) {
            return None;
        }
        // The others are well-formed, since `httparse` takes no value that `http` refuses.
        if let Some(known) = kept.iter().find(|known| is(known)) {
            headers.append(HeaderName::from_static(known), HeaderValue::from_bytes(header.value).ok()?);
        }
    }
    (hosts == 1).then_some(Plain { query, headers, closes, length })
}

/// A name or an address, and perhaps a port. Any other host is looked at by who reads everything.
fn is_plain_host(host: &[u8]) -> bool {
    let end = match host {
        [b'[', ..] => host.iter().position(|byte| *byte == b']').map_or(host.len(), |end| end + 1),
        _ => host.iter().position(|byte| *byte == b':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    let is_of_address = |byte: &u8| byte.is_ascii_hexdigit() || b":.".contains(byte);
    let is_plain = match name {
        [b'[', address @ .., b']'] => !address.is_empty() && address.iter().all(is_of_address),
        name => !name.is_empty() && name.iter().all(is_of_name),
    };
    is_plain && (port.is_empty() || port.starts_with(b":") && port.iter().skip(1).all(u8::is_ascii_digit))
}

/// True if every line ends as RFC 9112 says it must; recipients may take less.
fn ends_lines_well(bytes: &[u8], length: usize) -> bool {
    let head = bytes.get(..length).unwrap_or_default();
    head.split_inclusive(|byte| *byte == b'\n').all(|line| line.ends_with(b"\r\n"))
        && !head.starts_with(b"\r")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::{Head, PREFACE, Protocol};

    fn read(bytes: &[u8]) -> Head<'_> {
        super::read(bytes, "/v1/snapshot", &["prefer"])
    }

    const PLAIN: &str = "GET /v1/snapshot?namespace=demo&service=a HTTP/1.1\r\nhost: hfi\r\n\r\n";

    fn is_plain(head: &str) -> bool {
        matches!(read(head.as_bytes()), Head::Plain(plain) if plain.length == head.len())
    }

    #[test]
    fn what_proxies_send_is_plain() {
        for line in ["", "connection: keep-alive\r\n", "Connection: Close\r\n", "prefer: wait=30\r\n"] {
            assert!(is_plain(&PLAIN.replace("\r\n\r\n", &format!("\r\n{line}\r\n"))), "{line}");
        }
        assert!(is_plain("GET /v1/snapshot HTTP/1.1\r\nHOST:hfi\r\n\r\n"));
        for host in ["hfi-control-plane.boifi:8080", "10.0.0.1:80", "[2001:db8::1]:80", "[::1]", "hfi:"] {
            assert!(is_plain(&PLAIN.replace("host: hfi", &format!("host: {host}"))), "{host}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not() {
        for (part, instead) in [
            ("GET", "HEAD"),
            ("GET", "get"),
            ("HTTP/1.1", "HTTP/1.0"),
            ("/v1/snapshot?", "http://hfi/v1/snapshot?"),
            ("/v1/snapshot?", "/v1/snapshot/?"),
            ("/v1/snapshot?", "//v1/snapshot?"),
            ("/v1/snapshot?", "/v1/snapshots?"),
            ("service=a", "service=a#b"),
            ("service=a", "service=<a>"),
            ("host: hfi\r\n", ""),
            ("host: hfi", "host: hfi\r\nhost: hfi"),
            ("host: hfi", "host: a b"),
            ("host: hfi", "host: a/b"),
            ("host: hfi", "host: hfi:80:80"),
            ("host: hfi", "host: hfi:x"),
            ("host: hfi", "host:"),
            ("host: hfi", "host: []"),
            ("host: hfi", "host: [::1"),
            ("host: hfi", "host: [::1]x"),
            ("host: hfi", "host: hfi\r\ncontent-length: 0"),
            ("host: hfi", "host: hfi\r\ntransfer-encoding: chunked"),
            ("host: hfi", "host: hfi\r\nexpect: 100-continue"),
            ("host: hfi", "host: hfi\r\nconnection: upgrade"),
            ("host: hfi", "host: hfi\r\nconnection: close, host"),
            ("host: hfi", "host: hfi\r\nconnection: close\r\nupgrade: h2c"),
            ("host: hfi", "host: hfi\r\nx : y"),
            ("host: hfi", "host: hfi\r\n folded"),
            ("host: hfi", "host: hfi\r\nx: a\0b"),
            ("host: hfi", "host: hfi\nx: y"),
            ("\r\n", "\n"),
            ("GET", "\r\nGET"),
        ] {
            let head = PLAIN.replace(part, instead);
            assert!(matches!(read(head.as_bytes()), Head::Other(Protocol::Http1)), "{head:?}");
        }
    }

    /// Names and values that are not kept are never given to `http`, which would refuse them.
    #[test]
    fn no_byte_of_a_name_or_a_value_is_plain_that_http_refuses() {
        let begin = PLAIN.strip_suffix("\r\n").unwrap().as_bytes();
        let is_plain = |line: &[u8]| {
            let head = [begin, line, b"\r\n\r\n"].concat();
            matches!(read(&head), Head::Plain(plain) if plain.length == head.len())
        };
        for byte in 0..=u8::MAX {
            let (name, value) = ([b'x', byte, b'x'], [b'1', byte, b'1']);
            let is_name = byte == b':' || HeaderName::from_bytes(&name).is_ok();
            assert!(is_name || !is_plain(&[&name[..], b":1"].concat()), "{byte}");
            let is_value = HeaderValue::from_bytes(&value).is_ok();
            assert_eq!(is_plain(&[b"x:", &value[..]].concat()), is_value, "{byte}");
        }
    }

    #[test]
    fn http_2_is_known_by_its_preface() {
        for length in 0..PREFACE.len() {
            assert!(matches!(read(&PREFACE[..length]), Head::Partial), "{length}");
        }
        assert!(matches!(read(PREFACE), Head::Other(Protocol::Http2)));
        assert!(matches!(read(b"PRI * HTTP/2.0\r\n\r\nXX"), Head::Other(Protocol::Http1)));
    }

    proptest! {
        /// However the bytes are cut: a head is plain, or is not, by all of it and by nothing after it.
        #[test]
        fn a_head_is_read_the_same_however_it_arrives(cut in 0..PLAIN.len(), after in any::<Vec<u8>>()) {
            prop_assert!(matches!(read(&PLAIN.as_bytes()[..cut]), Head::Partial));
            let bytes = [PLAIN.as_bytes(), &after].concat();
            prop_assert!(matches!(read(&bytes), Head::Plain(plain) if plain.length == PLAIN.len()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>(), tail in "[ -~\r\n]{0,80}") {
            read(&bytes);
            read(format!("GET /v1/snapshot{tail}").as_bytes());
        }
    }
}
