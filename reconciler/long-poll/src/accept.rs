//! Accepts connections.

use std::{
    io::{self, ErrorKind},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::{debug, warn};

use crate::{
    app::App,
    connection,
    connection_limit::{ConnectionLimit, Permit, Slot},
    limits::{EXTRA_TIME, HANDSHAKE_TIME, UNSENT_TLS_BYTES},
    listener::Listener,
    server::Server,
    stream::Transport,
};

/// The pause after accepting has failed because files or memory are used up.
const BACK_OFF: Duration = Duration::from_millis(100);
/// The time between two equal warnings.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Serves until shutdown, and then until the open requests have been answered.
pub async fn serve<A: App>(listener: impl Into<Listener>, app: A) -> io::Result<()> {
    let (listener, server, limit) = (listener.into(), Arc::new(Server::new(app)), ConnectionLimit::new());
    let mut shutdown = pin!(server.app.shutdown());
    listener.prepare()?;
    debug!(connections = limit.regular(), "the limit");
    let (mut full, mut failing) = (Warning::default(), Warning::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.as_mut() => break,
        };
        match accepted {
            Ok((stream, client, address)) => {
                let permit = limit.take(client).map(|permit| permit.of(address));
                if permit.as_ref().is_none_or(|permit| permit.slot == Slot::Extra) && full.is_due() {
                    warn!(connections = limit.regular(), "connections are turned away: there are too many");
                }
                if let Some(permit) = permit {
                    let place = permit.place();
                    limit.close_by(place, start(stream, listener.tls.as_ref(), &server, permit));
                }
            }
            // The client went away.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if failing.is_due() {
                    warn!("cannot accept connections: {error}");
                }
                sleep(BACK_OFF).await;
            }
        }
    }
    drop(listener);
    limit.all_free().await;
    Ok(())
}

/// Serves a connection in a task of its own, which the handle ends.
fn start<A: App>(
    stream: TcpStream,
    tls: Option<&TlsAcceptor>,
    server: &Arc<Server<A>>,
    permit: Permit,
) -> AbortHandle {
    let (server, slot) = (Arc::clone(server), permit.slot);
    match (tls, slot) {
        (None, Slot::Regular) => tokio::spawn(connection::serve(stream, server, permit)).abort_handle(),
        (None, Slot::Extra) => {
            tokio::spawn(timeout(EXTRA_TIME, connection::serve(stream, server, permit))).abort_handle()
        }
        (Some(tls), Slot::Regular) => {
            tokio::spawn(secured(tls.clone(), stream, server, permit)).abort_handle()
        }
        (Some(tls), Slot::Extra) => {
            tokio::spawn(timeout(EXTRA_TIME, secured(tls.clone(), stream, server, permit))).abort_handle()
        }
    }
}

impl Transport for TlsStream<TcpStream> {
    const ENDS_WITH_A_MESSAGE: bool = true;
}

async fn secured<A: App>(
    tls: TlsAcceptor,
    stream: TcpStream,
    server: Arc<Server<A>>,
    permit: Permit,
) -> io::Result<()> {
    // On the heap and freed afterwards: a connection lives for long, and this is large.
    let handshake = tls.accept_with(stream, |session| session.set_buffer_limit(Some(UNSENT_TLS_BYTES)));
    let mut handshake = Box::pin(timeout(HANDSHAKE_TIME, handshake));
    let secured = tokio::select! {
        secured = &mut handshake => secured??,
        // No request has arrived yet.
        () = server.app.shutdown() => return Ok(()),
    };
    drop(handshake);
    drop(tls);
    Box::pin(connection::serve(secured, server, permit)).await
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

/// A warning that is logged at most once in an interval.
#[derive(Debug, Default)]
struct Warning(Option<Instant>);

impl Warning {
    fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|last| last.elapsed() >= WARNING_INTERVAL);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}
