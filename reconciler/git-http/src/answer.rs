//! Answers that hold Git data.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use reqwest::{
    blocking::Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use crate::{
    failure::{Failure, shown},
    first_packet::FirstPacket,
    git_service::GitService,
    media_type::media_type,
};

/// The bytes of an answer as they arrive.
pub(crate) type Content = Box<dyn Read + Send>;

/// The length of a line of the dumb protocol that is looked at: an object id, and the tab after it.
const DUMB: usize = 65;

/// The list of refs.
pub(crate) fn refs(answer: Response, service: GitService) -> Result<Content, Failure> {
    let name = service.name();
    let media_type = media_type_of(&answer);
    let mut content = decoded(answer)?;
    if media_type != format!("application/x-{name}-advertisement") {
        return Err(no_refs(media_type, content));
    }
    let first = FirstPacket::read(&mut content).map_err(|_| Failure::Broken)?;
    match first.content() {
        Some(line) if line.trim_ascii_end() == format!("# service={name}").as_bytes() => {
            Ok(chained(first, content))
        }
        Some(line) => Err(said(line).unwrap_or(Failure::NoService(name))),
        None => Err(Failure::NoService(name)),
    }
}

/// The answer to what was wanted, or to a push.
pub(crate) fn result(answer: Response, service: GitService) -> Result<Content, Failure> {
    let media_type = media_type_of(&answer);
    let mut content = decoded(answer)?;
    if media_type != format!("application/x-{}-result", service.name()) {
        return Err(no_git(media_type));
    }
    let first = FirstPacket::read(&mut content).map_err(|_| Failure::Broken)?;
    match first.content().and_then(said) {
        Some(failure) => Err(failure),
        None => Ok(chained(first, content)),
    }
}

fn media_type_of(answer: &Response) -> String {
    answer.headers().get(CONTENT_TYPE).map_or(String::new(), |value| media_type(value.as_bytes()))
}

/// The error of a server that sends a packet instead of what was asked for.
fn said(line: &[u8]) -> Option<Failure> {
    line.strip_prefix(b"ERR ").map(|text| Failure::Said(shown(text)))
}

/// The packet that was read, and what follows it.
pub(crate) fn chained(first: FirstPacket, rest: Content) -> Content {
    Box::new(Cursor::new(first.bytes).chain(rest))
}

fn decoded(answer: Response) -> Result<Content, Failure> {
    let coding = answer.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    match coding.as_deref() {
        None | Some(b"" | b"identity") => Ok(Box::new(answer)),
        Some(b"gzip" | b"x-gzip") => Ok(Box::new(MultiGzDecoder::new(answer))),
        Some(other) => Err(Failure::Coding(shown(other))),
    }
}

fn no_git(media_type: String) -> Failure {
    match media_type.as_str() {
        "text/html" | "application/xhtml+xml" => Failure::WebPage,
        "" => Failure::NoMediaType,
        _ => Failure::MediaType(media_type),
    }
}

/// What is there instead of refs: perhaps those of the dumb protocol, a line each.
fn no_refs(media_type: String, mut content: Content) -> Failure {
    let mut begin = Vec::new();
    // What cannot be read looks like nothing.
    let _ = content.by_ref().take(DUMB as u64).read_to_end(&mut begin);
    let digits = begin.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let is_line = matches!(digits, 40 | 64) && begin.get(digits) == Some(&b'\t');
    if is_line { Failure::Dumb } else { no_git(media_type) }
}
