//! Redirects, direct responses, rewrites and CORS.

use crate::{
    field::Field,
    rules::{
        routes,
        subject::{Out, Rule, Subject},
    },
    text::is_token,
    values::{CORS_METHODS, Duration},
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("VS29", vs29),
    Rule::new("VS31", vs31),
    Rule::new("VS32", vs32),
    Rule::new("VS33", vs33),
    Rule::new("VS34", vs34),
];

/// This part of every HTTP route that has it.
fn parts<'a>(subject: &Subject<'a>, name: &'static str) -> impl Iterator<Item = Field<'a>> + use<'a> {
    routes::http(subject).filter_map(move |route| route.get(name).set())
}

fn vs29(subject: &Subject, out: &mut Out) {
    const TARGETS: [&str; 5] = ["uri", "authority", "port", "derivePort", "scheme"];
    for redirect in parts(subject, "redirect") {
        if redirect.present(&TARGETS).is_empty() {
            out.error(&redirect, "changes nothing", "write `uri`, `authority`, `scheme` or `port`");
        }
        let code = redirect.get("redirectCode");
        if let Some(status) = code.integer().filter(|&status| status != 0 && !(300..=399).contains(&status)) {
            out.error(&code, format!("is {status}"), "write 301, 302, 303, 307 or 308");
        }
        if !matches!(redirect.word("scheme"), "" | "http" | "https") {
            out.error(
                &redirect.get("scheme"),
                format!("is `{}`", redirect.word("scheme")),
                "write `http` or `https`",
            );
        }
    }
}

fn vs31(subject: &Subject, out: &mut Out) {
    const LARGE: usize = 100 * 1024;
    const TOO_LARGE: usize = 1024 * 1024;
    for response in parts(subject, "directResponse") {
        let at = response.get("status");
        if let Some(status) = at.integer().filter(|status| !(200..=599).contains(status)) {
            out.error(&at, format!("is {status}"), "a status is from 200 to 599");
        }
        let body = response.get("body");
        let text =
            [body.word("string"), body.word("bytes")].map(str::len).into_iter().max().unwrap_or_default();
        if text >= TOO_LARGE {
            out.error(&body, format!("has {text} bytes"), "a body has less than 1 MiB");
        } else if text > LARGE {
            out.warning(&body, format!("has {text} bytes, which every proxy gets"), "keep it below 100 KiB");
        }
    }
}

fn vs32(subject: &Subject, out: &mut Out) {
    for rewrite in parts(subject, "rewrite") {
        let (uri, regex) = (!rewrite.get("uri").is_empty(), rewrite.get("uriRegexRewrite"));
        if !uri && !regex.is_set() && rewrite.get("authority").is_empty() {
            out.error(&rewrite, "rewrites nothing", "write `uri`, `uriRegexRewrite` or `authority`");
        }
        if uri && regex.is_set() {
            out.error(&regex, "stands beside `uri`", "keep one of them");
        }
        for name in ["match", "rewrite"] {
            if regex.is_set() && regex.get(name).is_empty() {
                out.error(&regex.get(name), "is missing", "write both `match` and `rewrite`");
            }
        }
    }
}

fn vs33(subject: &Subject, out: &mut Out) {
    let authority = |holder: &Field| {
        let request = holder.get("headers").get("request");
        let written: Vec<_> = request.get("set").entries().chain(request.get("add").entries()).collect();
        let is_authority = |name: &str| matches!(&*name.to_ascii_lowercase(), "host" | ":authority");
        written
            .into_iter()
            .filter(|(name, _)| is_authority(name))
            .map(|(_, at)| at.path())
            .collect::<Vec<_>>()
    };
    for route in routes::http(subject) {
        let own = authority(&route);
        let mut of_target = route.get("route").items().filter(|target| !authority(target).is_empty());
        let rewritten = route.get("rewrite").get("authority");
        let places = [!rewritten.is_empty(), !own.is_empty(), of_target.next().is_some()];
        if places.iter().filter(|there| **there).count() > 1 || own.len() > 1 {
            let right = "write it in one place: `rewrite.authority`, or one header";
            out.error(&route, "sets the authority more than once", right);
        }
    }
}

fn vs34(subject: &Subject, out: &mut Out) {
    for cors in parts(subject, "corsPolicy") {
        for (method, at) in
            cors.get("allowMethods").texts().filter(|(method, _)| !CORS_METHODS.contains(method))
        {
            out.error(&at, format!("`{method}` is not a method"), "write it in upper case, such as `GET`");
        }
        for (name, at) in cors.get("allowHeaders").texts().chain(cors.get("exposeHeaders").texts()) {
            if !is_token(name) {
                out.error(
                    &at,
                    format!("`{name}` is not the name of a header"),
                    "a name has letters, digits and `-`",
                );
            }
        }
        let age = cors.get("maxAge");
        if age
            .text()
            .and_then(|age| age.parse::<Duration>().ok())
            .is_some_and(|age| age.as_millis() % 1_000 != 0)
        {
            out.error(&age, "has a fraction of a second", "write whole seconds");
        }
        for origin in cors.get("allowOrigins").items() {
            for (_, at) in origin.entries().filter(|(_, at)| at.text() == Some("")) {
                out.error(&at, "is empty", "write an origin, such as `https://example.com`");
            }
            if origin.is_empty() {
                out.error(&origin, "is empty", "write `exact`, `prefix` or `regex`");
            }
        }
    }
}
