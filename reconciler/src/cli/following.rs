//! The events of a server, followed over interruptions.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    pin::pin,
    process::ExitCode,
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{
    console::warning,
    server::{ServerArgs, failed},
};
use crate::{
    api::{events::Event, overview::Overview},
    client::{Client, Failure, event_stream::ServerSent},
};

/// The pauses between two attempts to connect again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The answer to a token that has expired or was replaced.
const UNAUTHORIZED: u16 = 401;
/// The time after which it is told that no event has come.
const MOMENT: Duration = Duration::from_secs(1);

/// An event of a server, or the end of its events.
pub(crate) enum Told {
    Snapshot(Event),
    Overview(Box<Overview>),
    /// A second has passed without an event.
    Moment,
    /// The connection is lost, and is made again. The server was heard last at that time.
    Lost(Instant),
}

/// Calls back for each snapshot, the present one first, until the caller has enough or the server refuses. A
/// connection that is lost is made again, if need be with a new token; one that never was is a failure.
pub(crate) async fn follow(
    server: &ServerArgs,
    client: Client,
    mut on_event: impl AsyncFnMut(&Client, Event) -> ControlFlow<ExitCode>,
) -> ExitCode {
    let on_told = async |client: &Client, told| match told {
        Told::Snapshot(event) => on_event(client, event).await,
        Told::Overview(_) | Told::Moment | Told::Lost(_) => Continue(()),
    };
    follow_each(server, client, &[], on_told).await
}

/// The same for each snapshot and each overview, and after each second without one.
pub(crate) async fn follow_overviews(
    server: &ServerArgs,
    client: Client,
    mut on_told: impl AsyncFnMut(Told) -> ControlFlow<ExitCode>,
) -> ExitCode {
    let on_told = async |_: &Client, told| on_told(told).await;
    follow_each(server, client, &[("overview", "true")], on_told).await
}

async fn follow_each(
    server: &ServerArgs,
    mut client: Client,
    query: &[(&str, &str)],
    mut on_told: impl AsyncFnMut(&Client, Told) -> ControlFlow<ExitCode>,
) -> ExitCode {
    let (mut last, mut pause, mut was_connected, mut is_renewed) = (None, FIRST_PAUSE, false, false);
    let mut heard = Instant::now();
    loop {
        let failure = match client.events(query).await {
            Ok(mut events) => loop {
                let sent = {
                    let mut next = pin!(events.next());
                    loop {
                        match timeout(MOMENT, next.as_mut()).await {
                            Ok(sent) => break sent,
                            Err(_) => {
                                if let Break(code) = on_told(&client, Told::Moment).await {
                                    return code;
                                }
                            }
                        }
                    }
                };
                heard = events.heard();
                match sent {
                    Ok(Some(sent)) => {
                        (pause, was_connected, is_renewed) = (FIRST_PAUSE, true, false);
                        if let Some(told) = told(&sent, &mut last)
                            && let Break(code) = on_told(&client, told).await
                        {
                            return code;
                        }
                    }
                    Ok(None) => break ended(&client),
                    Err(failure) => break failure,
                }
            },
            Err(failure) => failure,
        };
        if was_connected && !is_renewed && failure.status() == Some(UNAUTHORIZED) {
            match server.clone().client().await {
                Ok(renewed) => (client, is_renewed) = (renewed, true),
                Err(code) => return code,
            }
            continue;
        }
        if !was_connected || !failure.is_passing() {
            return failed(&failure);
        }
        if let Break(code) = on_told(&client, Told::Lost(heard)).await {
            return code;
        }
        warning(format_args!("{failure}; trying again in {} s", pause.as_secs()));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What an event tells, unless it is a snapshot that was told: after an interruption the server tells the present one
/// again.
fn told(sent: &ServerSent, last: &mut Option<Event>) -> Option<Told> {
    match sent.name.as_str() {
        "snapshot" => {
            let event = serde_json::from_str::<Event>(&sent.data).ok()?;
            let is_new = last.as_ref() != Some(&event);
            *last = Some(event.clone());
            is_new.then_some(Told::Snapshot(event))
        }
        "overview" => Some(Told::Overview(Box::new(serde_json::from_str(&sent.data).ok()?))),
        _ => None,
    }
}

fn ended(client: &Client) -> Failure {
    let reason = "it ended the stream of events".to_owned();
    Failure::Unreachable { server: client.server().to_string(), reason, may_have_arrived: true }
}
