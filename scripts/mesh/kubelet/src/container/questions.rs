//! The probes and hooks of a container.

use k8s_openapi::api::core::v1::{Container, LifecycleHandler, Probe};

use crate::spec::check::{Check, Timing, hook, probe};
use crate::spec::facts::Facts;
use crate::spec::refusal::Refusal;

/// Everything that a container is asked.
#[derive(Debug)]
pub(super) struct Questions {
    pub(super) post_start: Option<Check>,
    pub(super) startup: Option<(Check, Timing)>,
    pub(super) readiness: Option<(Check, Timing)>,
    pub(super) liveness: Option<(Check, Timing)>,
    pub(super) pre_stop: Option<Check>,
}

impl Questions {
    pub(super) fn of(container: &Container, facts: &Facts) -> Result<Self, Refusal> {
        let lifecycle = container.lifecycle.clone().unwrap_or_default();
        let hook =
            |of: &Option<LifecycleHandler>| of.as_ref().map(|of| hook(of, container, facts)).transpose();
        let probe = |of: &Option<Probe>| of.as_ref().map(|of| probe(of, container, facts)).transpose();
        Ok(Self {
            post_start: hook(&lifecycle.post_start)?,
            startup: probe(&container.startup_probe)?,
            readiness: probe(&container.readiness_probe)?,
            liveness: probe(&container.liveness_probe)?,
            pre_stop: hook(&lifecycle.pre_stop)?,
        })
    }
}
