//! Takes connections.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tracing::{debug, warn};

use super::{
    connection,
    connection_limit::{Place, Places, Seat},
    limits::{EXTRA_TIME, HANDSHAKE_TIME},
    listener::Listener,
};
use crate::http::Routes;
use crate::{http::tls::Tls, shutdown::Shutdown};

/// How long nothing is accepted after that has failed for want of files or memory.
const BACK_OFF: Duration = Duration::from_millis(100);
/// How far apart the same complaint is logged.
const COMPLAINTS_APART: Duration = Duration::from_secs(60);

/// Serves until shutdown, and then until the open requests have been answered.
pub async fn serve(listener: impl Into<Listener>, routes: Routes, mut shutdown: Shutdown) -> io::Result<()> {
    let (listener, routes, places) = (listener.into(), Arc::new(routes), Places::new());
    listener.prepare()?;
    debug!(connections = places.limit(), "the limit");
    let (mut full, mut failing) = (Complaint::default(), Complaint::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.requested() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let seat = places.take();
                if seat.as_ref().is_none_or(|seat| seat.place == Place::Extra) && full.is_due() {
                    warn!(connections = places.limit(), "connections are turned away: there are too many");
                }
                if let Some(seat) = seat {
                    start(stream, listener.tls.as_ref(), &routes, seat);
                }
            }
            // The client's doing.
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
    places.all_free().await;
    Ok(())
}

/// Serves a connection from now on.
fn start(stream: TcpStream, tls: Option<&Tls>, routes: &Arc<Routes>, seat: Seat) {
    let (routes, place) = (Arc::clone(routes), seat.place);
    match (tls, place) {
        (None, Place::Regular) => drop(tokio::spawn(connection::serve(stream, routes, seat))),
        (None, Place::Extra) => {
            drop(tokio::spawn(timeout(EXTRA_TIME, connection::serve(stream, routes, seat))));
        }
        (Some(tls), Place::Regular) => drop(tokio::spawn(secured(tls.clone(), stream, routes, seat))),
        (Some(tls), Place::Extra) => {
            drop(tokio::spawn(timeout(EXTRA_TIME, secured(tls.clone(), stream, routes, seat))));
        }
    }
}

async fn secured(tls: Tls, stream: TcpStream, routes: Arc<Routes>, seat: Seat) -> io::Result<()> {
    let mut shutdown = routes.served.shutdown.clone();
    // In a place of its own, which is given back: a connection is kept for long, and this is large.
    let mut handshake = Box::pin(timeout(HANDSHAKE_TIME, tls.accept(stream)));
    let secured = tokio::select! {
        secured = &mut handshake => secured??,
        // Nothing has been asked yet.
        () = shutdown.requested() => return Ok(()),
    };
    drop(handshake);
    drop((shutdown, tls));
    Box::pin(connection::serve(secured, routes, seat)).await
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

/// What is said now and then while it goes on.
#[derive(Debug, Default)]
struct Complaint(Option<Instant>);

impl Complaint {
    fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|last| last.elapsed() >= COMPLAINTS_APART);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}
