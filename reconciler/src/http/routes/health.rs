//! `GET /v1/health`: 200 while the process serves.

use axum::Json;

use crate::{
    api::health::{Health, HealthStatus},
    http::operation::{Operation, json},
};

pub(crate) async fn get() -> Json<Health> {
    Json(Health { status: HealthStatus::Ok })
}

pub(crate) fn described() -> Operation {
    Operation::new("Liveness of the process").answers(200, "The process serves", Some(json::<Health>()), &[])
}
