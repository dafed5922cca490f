//! The paths of the kubelet's API, as far as they are served.

use std::path::PathBuf;

use anyhow::Error;
use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{exec, logs, port_forward, tunnel, websocket::Upgrade};
use crate::process::running::Running;

/// The containers that can be asked for.
#[derive(Clone)]
pub(crate) struct Containers {
    pub(crate) running: Running,
    /// The directory of all logs.
    pub(crate) logs: PathBuf,
}

/// A request that cannot be answered as asked.
struct Refused(Error);

type Answer = Result<Response, Refused>;

pub(super) fn routes(containers: Containers) -> Router {
    // Clients that speak SPDY come with POST; they get a reason too.
    Router::new()
        .route("/containerLogs/{namespace}/{pod}/{container}", get(read_logs))
        .route("/exec/{namespace}/{pod}/{container}", get(run_command).post(run_command))
        .route("/portForward/{namespace}/{pod}", get(forward_ports).post(forward_ports))
        .with_state(containers)
}

async fn read_logs(
    State(containers): State<Containers>,
    Path((namespace, pod, container)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Answer {
    let Containers { running, logs } = containers;
    let wanted = logs::Wanted::parse(&query.unwrap_or_default())?;
    // A name of Kubernetes has no slash, so this is a file of the directory.
    let is_name = |name: &String| !name.contains('/') && !name.starts_with('.');
    if ![&namespace, &pod, &container].into_iter().all(is_name) {
        return Err(Refused(Error::msg("not a name")));
    }
    let file = logs.join(&namespace).join(&pod).join(format!("{container}.log"));
    let runs = move || running.entry(&namespace, &pod, &container).is_some();
    Ok(logs::read(file, wanted, runs).await?.into_response())
}

async fn run_command(
    State(containers): State<Containers>,
    Path((namespace, pod, container)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Answer {
    let command = exec::Wanted::parse(&query.unwrap_or_default())?;
    let entry = containers.running.entry(&namespace, &pod, &container);
    let entry = entry.ok_or_else(|| Error::msg(format!("container {container} does not run")))?;
    let upgrade = Upgrade::of(request, &exec::PROTOCOLS)?;
    Ok(upgrade.answer(move |socket, protocol| exec::run(entry, command, socket, protocol)))
}

async fn forward_ports(
    State(containers): State<Containers>,
    Path((namespace, pod)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Answer {
    let ports = port_forward::ports(&query.unwrap_or_default())?;
    let network = containers.running.network(&namespace, &pod);
    let network = network.ok_or_else(|| Error::msg(format!("no container of Pod {pod} runs")))?;
    let upgrade = Upgrade::of(request, &[port_forward::PROTOCOL, tunnel::PROTOCOL])?;
    Ok(upgrade.answer(async move |socket, protocol| {
        if protocol == tunnel::PROTOCOL {
            tunnel::run(network, socket).await
        } else {
            port_forward::run(network, ports, socket).await
        }
    }))
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, format!("{:#}", self.0)).into_response()
    }
}
