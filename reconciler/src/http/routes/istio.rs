//! `GET /v1/istio/{namespace}/{sha256}.tar.gz`: the rendered Istio configuration of a namespace, for Flux.
//!
//! Flux holds a worker for minutes after a 5xx, and for ever at a server that does not answer. So this reads memory
//! alone, and never waits.

use axum::{
    Extension,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use long_poll::{Bounded, Shared};

use crate::http::{
    operation::{Content, Operation, Parameter, binary},
    problem::Problem,
    state::Served,
};

/// The beginning of these paths.
pub(crate) const PATHS: &str = "/v1/istio/";

pub(crate) async fn get(
    State(served): State<Served>,
    Path((namespace, file)): Path<(String, String)>,
) -> Response {
    let archives = served.services.archives.as_ref();
    match archives.and_then(|archives| archives.get(&namespace, &file)) {
        Some(archive) => {
            let headers = [
                (header::CONTENT_TYPE, "application/gzip"),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, Extension(Shared), Extension(Bounded), archive).into_response()
        }
        None => {
            let detail = match archives {
                Some(_) => format!("the namespace {namespace} has no archive {file} here; Flux asks again"),
                None => "no archives are here: hfi serves none without --istio-artifacts".to_owned(),
            };
            (Extension(Bounded), Problem::new(StatusCode::NOT_FOUND, detail)).into_response()
        }
    }
}

pub(crate) fn described() -> Operation {
    let digest = serde_json::json!({"type": "string", "pattern": "^[0-9a-f]{64}$"});
    Operation::new("The rendered Istio configuration of a namespace; it never changes")
        .parameter(Parameter::path("namespace", "The namespace", serde_json::json!({"type": "string"})))
        .parameter(Parameter::path("sha256", "The SHA-256 of the archive, in hex", digest))
        .answers(200, "The archive", Some(Content("application/gzip", binary)), &[])
        .problems(&[404])
}
