//! `GET /openapi.json`: a description of all routes, made of the routes.

use axum::{
    body::Bytes,
    http::header,
    routing::{MethodRouter, get as on_get},
};
use serde_json::Value;

use crate::http::{
    operation::{Content, Operation},
    state::Served,
};

/// The handler of this document.
pub(crate) fn get(document: &Value) -> MethodRouter<Served> {
    let document = Bytes::from(document.to_string());
    on_get(async move || ([(header::CONTENT_TYPE, "application/json")], document))
}

pub(crate) fn described() -> Operation {
    let content = Content("application/json", |_| schemars::json_schema!({"type": "object"}));
    Operation::new("This document").answers(200, "OpenAPI 3.1", Some(content), &[])
}
