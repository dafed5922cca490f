//! Takes connections.

use std::{
    io::{self, ErrorKind},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use crate::{
    app::App,
    connection,
    connection_limit::{Place, Places, Seat},
    limits::{EXTRA_TIME, HANDSHAKE_TIME},
    listener::Listener,
    server::Server,
};

/// How long nothing is accepted after that has failed for want of files or memory.
const BACK_OFF: Duration = Duration::from_millis(100);
/// How far apart the same complaint is logged.
const COMPLAINTS_APART: Duration = Duration::from_secs(60);

/// Serves until shutdown, and then until the open requests have been answered.
pub async fn serve<A: App>(listener: impl Into<Listener>, app: A) -> io::Result<()> {
    let (listener, server, places) = (listener.into(), Arc::new(Server::new(app)), Places::new());
    let mut shutdown = pin!(server.app.shutdown());
    listener.prepare()?;
    debug!(connections = places.limit(), "the limit");
    let (mut full, mut failing) = (Complaint::default(), Complaint::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.as_mut() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let seat = places.take();
                if seat.as_ref().is_none_or(|seat| seat.place == Place::Extra) && full.is_due() {
                    warn!(connections = places.limit(), "connections are turned away: there are too many");
                }
                if let Some(seat) = seat {
                    start(stream, listener.tls.as_ref(), &server, seat);
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
fn start<A: App>(stream: TcpStream, tls: Option<&TlsAcceptor>, server: &Arc<Server<A>>, seat: Seat) {
    let (server, place) = (Arc::clone(server), seat.place);
    match (tls, place) {
        (None, Place::Regular) => drop(tokio::spawn(connection::serve(stream, server, seat))),
        (None, Place::Extra) => {
            drop(tokio::spawn(timeout(EXTRA_TIME, connection::serve(stream, server, seat))));
        }
        (Some(tls), Place::Regular) => drop(tokio::spawn(secured(tls.clone(), stream, server, seat))),
        (Some(tls), Place::Extra) => {
            drop(tokio::spawn(timeout(EXTRA_TIME, secured(tls.clone(), stream, server, seat))));
        }
    }
}

async fn secured<A: App>(
    tls: TlsAcceptor,
    stream: TcpStream,
    server: Arc<Server<A>>,
    seat: Seat,
) -> io::Result<()> {
    // In a place of its own, which is given back: a connection is kept for long, and this is large.
    let mut handshake = Box::pin(timeout(HANDSHAKE_TIME, tls.accept(stream)));
    let secured = tokio::select! {
        secured = &mut handshake => secured??,
        // Nothing has been asked yet.
        () = server.app.shutdown() => return Ok(()),
    };
    drop(handshake);
    drop(tls);
    Box::pin(connection::serve(secured, server, seat)).await
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
