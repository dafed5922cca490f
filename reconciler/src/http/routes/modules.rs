//! `GET /filter.wasm` and `/filter/{sha256}.wasm`: the filter modules.

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use long_poll::Shared;

use crate::http::{
    conditional::is_current,
    operation::{Content, ETAG, Operation, Parameter, binary},
    problem::Problem,
    state::Served,
};
use crate::serving::modules::Module;

const NONE: &str = "no filter module was given; give one with --filter (HFI_FILTER)";
/// The seconds after which a client may ask again for a module that is not here.
const RETRY_AFTER: &str = "5";

/// The newest module; another start of the server can have another one.
pub(crate) async fn newest(State(served): State<Served>, headers: HeaderMap) -> Result<Response, Problem> {
    let module = served.services.modules.newest();
    module.map(|module| answer(module, &headers, "no-cache")).ok_or(Problem::new(StatusCode::NOT_FOUND, NONE))
}

/// The module with that digest; it never changes.
///
/// A digest that this replica does not have gets 503: another replica, or the next version of this one, can have
/// it. Istio's agent asks again after a 503, and never after a 404.
pub(crate) async fn by_digest(
    State(served): State<Served>,
    method: Method,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Response {
    let modules = &served.services.modules;
    let digest = file.strip_suffix(".wasm");
    if let Some(module) = digest.and_then(|hex| modules.of_digest(hex)) {
        return answer(module, &headers, "public, max-age=31536000, immutable");
    }
    let detail = match modules.newest() {
        None => NONE.to_owned(),
        Some(newest) => format!("there is no module {file} here; the newest has {}", newest.digest),
    };
    if !digest.is_some_and(is_digest) {
        return Problem::new(StatusCode::NOT_FOUND, detail).into_response();
    }
    // `hfi doctor` asks with HEAD, and a startup probe can wait for a module: these are no proxies.
    let is_probe =
        headers.get(header::USER_AGENT).is_some_and(|by| by.as_bytes().starts_with(b"kube-probe/"));
    if method == Method::GET && !is_probe {
        served.counters.unknown_modules.inc();
    }
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    ([(header::RETRY_AFTER, RETRY_AFTER)], problem).into_response()
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn answer(Module { digest, bytes }: &Module, headers: &HeaderMap, caching: &'static str) -> Response {
    let etag = digest.etag();
    let is_current = is_current(headers, &etag);
    let validators = [(header::ETAG, etag), (header::CACHE_CONTROL, caching.to_owned())];
    if is_current {
        (StatusCode::NOT_MODIFIED, validators).into_response()
    } else {
        let content_type = [(header::CONTENT_TYPE, "application/wasm")];
        (content_type, validators, Extension(Shared), bytes.clone()).into_response()
    }
}

pub(crate) fn newest_described() -> Operation {
    module(Operation::new("The filter module that belongs to this reconciler"))
}

pub(crate) fn by_digest_described() -> Operation {
    let digest = serde_json::json!({"type": "string", "pattern": "^[0-9a-f]{64}$"});
    let digest = Parameter::path("sha256", "The SHA-256 of the module, in hex", digest);
    module(Operation::new("A filter module by its digest; it never changes").parameter(digest))
        .problems(&[503])
}

fn module(operation: Operation) -> Operation {
    operation
        .parameter(Parameter::if_none_match())
        .answers(200, "The module", Some(Content("application/wasm", binary)), &[ETAG])
        .answers(304, "The client has it already", None, &[ETAG])
        .problems(&[404])
}
