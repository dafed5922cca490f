//! Port-forwarding as `kubectl` does it: SPDY in a WebSocket, with a stream of data and one of errors for each
//! connection.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::carry::{ToPod, Told, carry};
use super::spdy::{Frame, Headers, Session};
use super::websocket::Socket;

pub(super) const PROTOCOL: &str = "SPDY/3.1+portforward.k8s.io";

/// The streams of one client.
struct Tunnel {
    network: PathBuf,
    session: Session,
    /// The streams of errors by the request that they are for.
    errors: BTreeMap<String, u32>,
    /// The connections by their stream of data, with their stream of errors.
    connections: BTreeMap<u32, (Option<ToPod>, Option<u32>)>,
    told: mpsc::Sender<(u32, Told)>,
}

/// Carries until the client goes.
pub(super) async fn run(network: PathBuf, mut socket: Socket) -> Result<()> {
    let (sender, mut told) = mpsc::channel(16);
    let (errors, connections) = (BTreeMap::new(), BTreeMap::new());
    let mut tunnel = Tunnel { network, session: Session::new()?, errors, connections, told: sender };
    loop {
        let answer = tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => tunnel.receive(bytes)?,
                Some(Ok(_)) => continue,
                _ => return Ok(()),
            },
            // It never ends, since the tunnel has a sender.
            event = told.recv() => match event {
                Some((stream, event)) => tunnel.tell(stream, event)?,
                None => return Ok(()),
            },
        };
        if !answer.is_empty() {
            socket.send(Message::binary(answer)).await?;
        }
    }
}

impl Tunnel {
    /// What to answer to the client's bytes.
    fn receive(&mut self, bytes: Bytes) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        for frame in self.session.read(&bytes)? {
            match frame {
                Frame::Open { stream, headers } => {
                    self.open(stream, &headers)?;
                    answer.extend(self.session.reply(stream)?);
                }
                Frame::Data { stream, bytes, is_last } => {
                    let Some((input, _)) = self.connections.get_mut(&stream) else { continue };
                    if let Some(open) = input {
                        // It may have ended meanwhile.
                        let _ = open.send(bytes.into());
                    }
                    if is_last {
                        *input = None;
                    }
                }
                Frame::Reset { stream } => drop(self.connections.remove(&stream)),
                Frame::Ping { bytes } => answer.extend(bytes),
            }
        }
        Ok(answer)
    }

    fn open(&mut self, stream: u32, headers: &Headers) -> Result<()> {
        let header = |name: &str| headers.get(name).with_context(|| format!("a stream has no {name}"));
        let request = header("requestid")?;
        if header("streamtype")? == "error" {
            self.errors.insert(request.clone(), stream);
            return Ok(());
        }
        let port = header("port")?.parse().context("not a port")?;
        let input = carry(stream, self.network.clone(), port, self.told.clone());
        self.connections.insert(stream, (Some(input), self.errors.remove(request)));
        Ok(())
    }

    /// What to say to the client of what a Pod has said.
    fn tell(&mut self, stream: u32, told: Told) -> Result<Vec<u8>> {
        // The client has given it up.
        let Some((_, errors)) = self.connections.get(&stream) else { return Ok(Vec::new()) };
        let errors = *errors;
        Ok(match told {
            Told::Data(bytes) => Session::data(stream, &bytes, false),
            Told::Failed(why) => {
                errors.map(|errors| Session::data(errors, why.as_bytes(), false)).unwrap_or_default()
            }
            Told::Ended => {
                self.connections.remove(&stream);
                let ends = [Some(stream), errors].into_iter().flatten();
                ends.flat_map(|stream| Session::data(stream, &[], true)).collect()
            }
        })
    }
}
