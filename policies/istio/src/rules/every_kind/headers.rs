//! Headers that a VirtualService sets, adds and removes.

use crate::{
    field::Field,
    rules::{
        routes,
        subject::{Out, Rule, Subject},
    },
    values::percents_are_closed,
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("HDR01", hdr01), Rule::new("HDR02", hdr02), Rule::new("HDR03", hdr03)];

/// What is done to the headers of a request or of a response.
struct Operations<'a> {
    of_request: bool,
    at: Field<'a>,
}

fn operations<'a>(subject: &Subject<'a>) -> Vec<Operations<'a>> {
    let http: Vec<_> = routes::http(subject).collect();
    let holders = http.iter().cloned().chain(http.iter().flat_map(|route| route.get("route").items()));
    let headers = holders.map(|holder| holder.get("headers"));
    headers
        .flat_map(|headers| {
            [("request", true), ("response", false)]
                .map(|(name, of_request)| Operations { of_request, at: headers.get(name) })
        })
        .collect()
}

impl<'a> Operations<'a> {
    /// The names and values that are set and added.
    fn written(&self) -> Vec<(&'a str, Field<'a>)> {
        self.at.get("set").entries().chain(self.at.get("add").entries()).collect()
    }

    fn removed(&self) -> Vec<(&'a str, Field<'a>)> {
        self.at.get("remove").texts().collect()
    }
}

fn hdr01(subject: &Subject, out: &mut Out) {
    for operations in operations(subject) {
        for (name, at) in operations.written().into_iter().chain(operations.removed()) {
            if name.is_empty() {
                out.error(&at, "names no header", "write its name");
            }
        }
    }
}

fn hdr02(subject: &Subject, out: &mut Out) {
    for operations in operations(subject) {
        for (name, at) in operations.written() {
            let authority = name.eq_ignore_ascii_case(":authority") || name.eq_ignore_ascii_case("host");
            if (name.starts_with(':') || name.eq_ignore_ascii_case("host"))
                && !(authority && operations.of_request)
            {
                out.error(
                    &at,
                    format!("writes `{name}`, which Envoy protects"),
                    "only the authority of a request can be set",
                );
            }
        }
        for (name, at) in operations.removed() {
            if name.starts_with(':') || name.eq_ignore_ascii_case("host") {
                out.error(&at, format!("removes `{name}`, which Envoy protects"), "leave it out");
            }
        }
    }
}

fn hdr03(subject: &Subject, out: &mut Out) {
    for operations in operations(subject) {
        for (_, at) in operations.written() {
            let Some(value) = at.text() else { continue };
            if value.bytes().any(|byte| byte.is_ascii_control()) {
                out.error(&at, "has a control character", "remove it");
            } else if !percents_are_closed(value) {
                out.error(
                    &at,
                    format!("`{value}` has a lone `%`, and Envoy refuses the whole route"),
                    "write `%%` for a `%`",
                );
            }
        }
    }
}
