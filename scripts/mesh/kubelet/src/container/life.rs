//! One run of a container: its hook, its probes, its end.

use std::future::pending;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;
use tracing::info;

use super::Stop;
use super::ending::end;
use super::questions::Questions;
use super::setting::Setting;
use crate::probe::ask::Asker;
use crate::probe::{Prober, run_hook};
use crate::process::Process;
use crate::spec::check::{Check, Timing};
use crate::spec::lifetime::grace_period;

/// A hook has no time limit of its own.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// Waits for the end of a process, and ends it when a probe or the Pod asks for it.
pub(super) async fn live(
    setting: &Setting,
    name: &str,
    questions: &Questions,
    mut process: Process,
    stop: &mut Stop,
) -> Result<ExitStatus> {
    let pod = setting.pod();
    let of_pod = |text: &Option<String>| text.clone().unwrap_or_default();
    let (namespace, pod) = (of_pod(&pod.metadata.namespace), of_pod(&pod.metadata.name));
    let _registered = setting.running.register(&namespace, &pod, name, process.entry.clone());
    let asker = Asker { clients: setting.clients.clone(), entry: process.entry.clone() };
    let deadline = tokio::select! {
        status = process.wait() => return status,
        grace = supervise(setting, name, questions, &asker) => Instant::now() + grace,
        stopped = stop.wait_for(Option::is_some) => stopped.ok().and_then(|at| *at).unwrap_or_else(Instant::now),
    };
    info!(namespace, pod, container = name, "is asked to end");
    end(&mut process, questions.pre_stop.as_ref(), &asker, deadline).await
}

/// Runs the hook and the probes. Returns when one of them says that the container must end, and in what time.
async fn supervise(setting: &Setting, name: &str, questions: &Questions, asker: &Asker) -> Duration {
    let usual = grace_period(&setting.pod());
    let states = &setting.states;
    if let Some(hook) = &questions.post_start
        && let Err(error) = run_hook(asker, hook, LONG).await
    {
        info!(container = name, error = format!("{error:#}"), "the hook after the start failed");
        return usual;
    }
    states.settled(name);
    let prober = |(check, timing): &(Check, Timing)| Prober::new(asker.clone(), check.clone(), *timing);
    if let Some(mut startup) = questions.startup.as_ref().map(prober)
        && !startup.verdict().await
    {
        info!(container = name, "the startup probe failed");
        return startup.grace().unwrap_or(usual);
    }
    states.set_started(name);
    let readiness = async {
        let Some(mut prober) = questions.readiness.as_ref().map(prober) else {
            states.set_ready(name, true);
            return pending().await;
        };
        let mut ready = false;
        loop {
            ready = if ready { prober.verdict().await } else { prober.verdict_soon().await };
            states.set_ready(name, ready);
        }
    };
    let liveness = async {
        let Some(mut prober) = questions.liveness.as_ref().map(prober) else { return pending().await };
        while prober.verdict().await {}
        info!(container = name, "the liveness probe failed");
        prober.grace().unwrap_or(usual)
    };
    tokio::select! {
        grace = readiness => grace,
        grace = liveness => grace,
    }
}
