//! A container from its first start to its end.

mod backoff;
mod ending;
mod life;
mod prepare;
mod questions;
pub(crate) mod setting;
pub(crate) mod state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Container;
use tokio::sync::watch;
use tokio::time::Instant as Deadline;

use crate::process::{Process, exit_code};
use crate::spec::lifetime::{Role, restarts};
use crate::spec::refusal::Refusal;
use backoff::Backoff;
use questions::Questions;
use setting::Setting;
use state::Ended;

/// The deadline of a container that is asked to end.
pub(crate) type Stop = watch::Receiver<Option<Deadline>>;

/// The pause after a start that could not be tried.
const RETRY: Duration = Duration::from_secs(1);

/// Keeps a container running as its role asks for, until it is asked to end.
pub(crate) async fn keep(setting: Arc<Setting>, role: Role, container: Container, mut stop: Stop) {
    let mut backoff = Backoff::new(setting.backoff);
    let name = container.name.clone();
    loop {
        let begun = Instant::now();
        let pause = match start(&setting, &container).await {
            Ok((process, questions)) => {
                let since = setting.states.started(&name);
                let exit = life::live(&setting, &name, &questions, process, &mut stop).await;
                let ended = match exit {
                    Ok(status) => {
                        Ended::new(exit_code(status), since, prepare::message(&setting, &container))
                    }
                    Err(error) => Ended::new(128, since, Some(format!("{error:#}"))),
                };
                let succeeded = ended.code == 0;
                setting.states.ended(&name, ended);
                if stop.borrow().is_some() || !restarts(&setting.pod(), role, succeeded) {
                    return;
                }
                let pause = backoff.next(begun.elapsed());
                if !pause.is_zero() {
                    let message = format!("back-off {pause:?} restarting failed container {name}");
                    setting.states.waits(&name, "CrashLoopBackOff", message);
                }
                setting.states.restarts(&name);
                pause
            }
            Err(refusal) => {
                setting.states.waits(&name, refusal.reason, refusal.message);
                RETRY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(Option::is_some) => return,
        }
    }
}

async fn start(setting: &Setting, container: &Container) -> Result<(Process, Questions), Refusal> {
    let questions = Questions::of(container, &setting.facts)?;
    let plan = prepare::plan(setting, container).await?;
    let process = Process::start(&plan).await.map_err(|error| Refusal::of_machine(&error))?;
    Ok((process, questions))
}
