//! `fault` as it is written.

use super::{
    fields::{Cursor, Field, Fields},
    yaml::Value,
};
use crate::language::{
    Abort, Delay, Fault, GrpcStatus, HeaderName, HeaderValue, HttpStatus, MAX_BODY_BYTES, MAX_HOLD_MS,
    Percentage, Reply,
};

/// Headers that belong to a connection or to the message's framing (RFC 9110, section 7.6.1), or
/// that the proxy sets itself: not an abort's to say.
const RESERVED: [&str; 14] = [
    "connection",
    "content-length",
    "grpc-message",
    "grpc-status",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-hfi-fault",
    "x-hfi-policy",
];

/// The most headers of an abort.
const MAX_HEADERS: usize = 32;

/// Reads the fault of a rule.
pub(crate) fn read(mut fields: Fields<'_>) -> Option<Fault> {
    let percentage = fields.require("percentage");
    let percentage = percentage.and_then(|field| field.accept(field.number()?.parse::<Percentage>()));
    let sticky_by = fields.read("stickyBy", |field| field.accept(field.string()?.to_owned().try_into()));
    let start_delay = fields.read("start_delay_ms", |field| milliseconds(field, 0)).or(0);
    let duration = fields.read("duration_seconds", |field| field.integer(0..=u32::MAX, " of seconds")).or(0);
    let short_delay = fields.read("delay_ms", |field| milliseconds(field, 1).map(fixed));
    let long_delay = fields.read("delay", |field| field.clone().fields().and_then(delay));
    let abort = fields.read("abort", |field| field.clone().fields().and_then(abort));
    if !long_delay.is_absent() && !short_delay.is_absent() {
        fields.cursor().report("has `delay` and `delay_ms`; keep one");
    }
    let delay = if long_delay.is_absent() { short_delay } else { long_delay };
    if delay.is_absent() && abort.is_absent() {
        fields.cursor().report("must hold a `delay`, an `abort`, or both");
    }
    if let (Some(start), Field::Value(delay)) = (start_delay, &delay)
        && start.saturating_add(delay.max_ms) > MAX_HOLD_MS
    {
        let hold = start + delay.max_ms;
        fields.cursor().report(format_args!(
            "holds a request for {hold} ms; `start_delay_ms` and the delay together may be {MAX_HOLD_MS} at most"
        ));
    }
    fields.finish();
    Some(Fault {
        percentage: percentage?,
        sticky_by: sticky_by.optional()?,
        start_delay_ms: start_delay?,
        duration_seconds: duration?,
        delay: delay.optional()?,
        abort: abort.optional()?,
    })
}

fn milliseconds(field: &Cursor<'_>, least: u32) -> Option<u32> {
    field.integer(least..=MAX_HOLD_MS, " of milliseconds")
}

fn fixed(millis: u32) -> Delay {
    Delay { min_ms: millis, max_ms: millis }
}

/// `{fixed_delay_ms}` or `{min_ms, max_ms}`.
fn delay(mut fields: Fields<'_>) -> Option<Delay> {
    let mut take = |name| fields.take(name).map(|field| milliseconds(&field, 1));
    let (fixed_delay, min, max) = (take("fixed_delay_ms"), take("min_ms"), take("max_ms"));
    let delay = match (fixed_delay, min, max) {
        (Some(millis), None, None) => millis.map(fixed),
        (None, Some(min), Some(max)) => min.zip(max).map(|(min_ms, max_ms)| Delay { min_ms, max_ms }),
        _ => {
            fields.cursor().report("must hold either `fixed_delay_ms`, or `min_ms` and `max_ms`");
            None
        }
    };
    if delay.is_some_and(|Delay { min_ms, max_ms }| min_ms > max_ms) {
        fields.cursor().report("has a `min_ms` above its `max_ms`");
    }
    fields.finish();
    delay
}

fn abort(mut fields: Fields<'_>) -> Option<Abort> {
    let (http, grpc) = (fields.take("httpStatus"), fields.take("grpcStatus"));
    let (body, message) = (fields.take("body"), fields.take("message"));
    let headers = fields.take("headers").map_or(Some(Vec::new()), |field| headers(&field));
    let reply = match (http, grpc) {
        (Some(status), None) => {
            if let Some(message) = &message {
                message.report("is for `grpcStatus`; an HTTP reply has a `body`");
            }
            http_reply(&status, body.as_ref())
        }
        (None, Some(status)) => {
            if let Some(body) = &body {
                body.report("is for `httpStatus`; a gRPC error has a `message`");
            }
            let message = message.map_or(Some(""), |field| bounded(&field));
            // Only a name would be right, whatever it is: also for a number in quotes.
            let name = if let Value::String(name) = status.value() { name } else { "" };
            let status = status.accept(GrpcStatus::named(name));
            status.zip(message).map(|(status, message)| Reply::Grpc { status, message: message.to_owned() })
        }
        _ => {
            fields.cursor().report("must hold either `httpStatus` or `grpcStatus`");
            None
        }
    };
    fields.finish();
    Some(Abort { reply: reply?, headers: headers? })
}

fn http_reply(status: &Cursor<'_>, body: Option<&Cursor<'_>>) -> Option<Reply> {
    let code = status.number().map(|number| number.parse().unwrap_or(0));
    let status = code.and_then(|code| status.accept(HttpStatus::try_from(code)));
    let body = body.map_or(Some(""), |field| {
        let body = bounded(field)?;
        if let Some(status) = status.filter(|status| !status.allows_body() && !body.is_empty()) {
            field.report(format_args!("must be empty: a reply with status {} has no body", status.as_u16()));
        }
        Some(body)
    });
    Some(Reply::Http { status: status?, body: body?.to_owned() })
}

fn bounded<'n>(field: &Cursor<'n>) -> Option<&'n str> {
    let text = field.string()?;
    if text.len() > MAX_BODY_BYTES {
        field.report(format_args!("must be at most {MAX_BODY_BYTES} bytes long"));
    }
    Some(text)
}

/// A map of names to values.
fn headers(field: &Cursor<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let Value::Map(entries) = field.value() else {
        field.report(format_args!("must be a map of names to values, not {}", field.value().kind()));
        return None;
    };
    if entries.len() > MAX_HEADERS {
        field.report(format_args!("must be at most {MAX_HEADERS} headers"));
        return None;
    }
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(entries.len());
    for (name, entry) in field.entries() {
        let name: Option<HeaderName> = entry.accept(name.to_owned().try_into());
        let value = entry.string().and_then(|value| entry.accept(value.to_owned().try_into()));
        let Some((name, value)) = name.zip(value) else { continue };
        if RESERVED.contains(&name.as_str()) {
            entry.report(format_args!("cannot be set: `{name}` is the connection's or the proxy's own"));
        }
        if headers.iter().any(|(known, _)| *known == name) {
            entry.report(format_args!("is `{name}` once more; names ignore case"));
        }
        headers.push((name, value));
    }
    // What is missing here has been reported, and a document with a problem is not used.
    Some(headers)
}
