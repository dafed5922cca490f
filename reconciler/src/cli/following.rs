//! The events of a server, followed over interruptions.

use std::{ops::ControlFlow, process::ExitCode, time::Duration};

use super::{console::warning, server::failed};
use crate::{
    api::events::Event,
    client::{Client, Failure},
};

/// The pauses between two attempts to connect again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Calls back for each event, the present one first, until the caller has enough or the server refuses. A
/// connection that is lost is made again; one that never was is a failure.
pub(crate) async fn follow(
    client: &Client,
    mut on_event: impl AsyncFnMut(Event) -> ControlFlow<ExitCode>,
) -> ExitCode {
    let (mut last, mut pause, mut was_connected) = (None, FIRST_PAUSE, false);
    loop {
        let failure = match client.events().await {
            Ok(mut events) => loop {
                match events.next().await {
                    Ok(Some(sent)) => {
                        (pause, was_connected) = (FIRST_PAUSE, true);
                        let event = serde_json::from_str::<Event>(&sent.data).ok();
                        let Some(event) = event.filter(|_| sent.name == "snapshot") else { continue };
                        // After an interruption the server tells the present event again.
                        if last.as_ref() != Some(&event) {
                            last = Some(event.clone());
                            if let ControlFlow::Break(code) = on_event(event).await {
                                return code;
                            }
                        }
                    }
                    Ok(None) => break ended(client),
                    Err(failure) => break failure,
                }
            },
            Err(failure) => failure,
        };
        if !was_connected || !failure.is_passing() {
            return failed(&failure);
        }
        warning(format_args!("{failure}; trying again in {} s", pause.as_secs()));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn ended(client: &Client) -> Failure {
    let reason = "it ended the stream of events".to_owned();
    Failure::Unreachable { server: client.server().to_string(), reason, may_have_arrived: true }
}
