//! Matches of HTTP routes.

use crate::{
    field::Field,
    rules::{
        routes,
        subject::{Out, Rule, Subject},
    },
    text::{is_token, istio_label, regex_flaw},
    values::{key_error, value_error},
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("VS16", vs16), Rule::new("VS17", vs17), Rule::new("VS18", vs18), Rule::new("VS19", vs19)];

fn matches<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Field<'a>> + use<'a> {
    routes::http(subject).flat_map(|route| route.get("match").items())
}

/// The headers that a match wants or does not want.
fn headers<'a>(wanted: &Field<'a>) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
    wanted.get("headers").entries().chain(wanted.get("withoutHeaders").entries())
}

/// Everything of a match that compares a text.
fn texts<'a>(wanted: &Field<'a>) -> Vec<Field<'a>> {
    let plain = ["uri", "scheme", "method", "authority"].map(|name| wanted.get(name));
    let named = headers(wanted).chain(wanted.get("queryParams").entries()).map(|(_, text)| text);
    plain.into_iter().chain(named).collect()
}

fn vs16(subject: &Subject, out: &mut Out) {
    const PSEUDO: [&str; 4] = [":authority", ":method", ":path", ":scheme"];
    for wanted in matches(subject) {
        for (name, at) in headers(&wanted) {
            if !at.is_set() {
                out.error(&at, "is nothing", "write `exact`, `prefix` or `regex`, or `{}` for any value");
            }
            if !(is_token(name) || PSEUDO.contains(&name) || name.starts_with("@request.auth.claims")) {
                out.error(
                    &at,
                    format!("`{name}` is not the name of a header"),
                    "a name has letters, digits and `-`",
                );
            }
        }
    }
}

fn vs17(subject: &Subject, out: &mut Out) {
    for wanted in matches(subject) {
        let uri = wanted.get("uri");
        for text in texts(&wanted).iter().filter(|text| !std::ptr::eq(text.value(), uri.value())) {
            if text.get("prefix").text() == Some("") {
                out.error(&text.get("prefix"), "is empty", "write the beginning of the value");
            }
        }
    }
}

fn vs18(subject: &Subject, out: &mut Out) {
    let mut regexes: Vec<_> =
        matches(subject).flat_map(|wanted| texts(&wanted)).map(|text| text.get("regex")).collect();
    for route in routes::http(subject) {
        regexes.extend(route.get("corsPolicy").get("allowOrigins").items().map(|origin| origin.get("regex")));
        regexes.push(route.get("rewrite").get("uriRegexRewrite").get("match"));
    }
    for regex in regexes {
        if let Some(flaw) = regex.text().and_then(regex_flaw) {
            out.error(&regex, flaw, "Envoy takes regexes of RE2, without look-around and back-references");
        }
    }
}

fn vs19(subject: &Subject, out: &mut Out) {
    for wanted in routes::all(subject).flat_map(|route| route.get("match").items()) {
        let namespace = wanted.word("sourceNamespace");
        if !(namespace.is_empty() || istio_label(namespace)) {
            out.error(
                &wanted.get("sourceNamespace"),
                format!("`{namespace}` is not a namespace"),
                "write the name of one",
            );
        }
        for (key, at) in wanted.get("sourceLabels").entries() {
            if let Some(error) = key_error(key).or_else(|| value_error(at.text()?)) {
                out.error(&at, error, "");
            }
        }
    }
}
