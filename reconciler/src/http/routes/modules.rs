//! `GET /filter.wasm` and `/filter/{sha256}.wasm`: the filter modules.

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
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

/// The newest module; another start of the server can have another one.
pub(crate) async fn newest(State(served): State<Served>, headers: HeaderMap) -> Result<Response, Problem> {
    let module = served.services.modules.newest();
    module.map(|module| answer(module, &headers, "no-cache")).ok_or(Problem::new(StatusCode::NOT_FOUND, NONE))
}

/// The module with that digest; it never changes.
pub(crate) async fn by_digest(
    State(served): State<Served>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let modules = &served.services.modules;
    let module = file.strip_suffix(".wasm").and_then(|hex| modules.of_digest(hex));
    let missing = || match modules.newest() {
        None => Problem::new(StatusCode::NOT_FOUND, NONE),
        Some(newest) => {
            let detail = format!("there is no module {file}; the newest has {}", newest.digest);
            Problem::new(StatusCode::NOT_FOUND, detail)
        }
    };
    let immutable = "public, max-age=31536000, immutable";
    module.map(|module| answer(module, &headers, immutable)).ok_or_else(missing)
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
}

fn module(operation: Operation) -> Operation {
    operation
        .parameter(Parameter::if_none_match())
        .answers(200, "The module", Some(Content("application/wasm", binary)), &[ETAG])
        .answers(304, "The client has it already", None, &[ETAG])
        .problems(&[404])
}
