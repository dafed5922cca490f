//! Port-forwarding over channels of a WebSocket, as libraries use it: for each port one channel of data and one of
//! errors.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use super::carry::{Told, carry};
use super::channels::{self, Received};
use super::query::values;
use super::websocket::Socket;

pub(super) const PROTOCOL: &str = "v4.channel.k8s.io";

/// The ports that a client names, in their order.
pub(super) fn ports(query: &str) -> Result<Vec<u16>> {
    let named = values(query, "port");
    let ports = named.iter().flat_map(|value| value.split(',')).filter(|port| !port.is_empty());
    ports.map(|port| port.parse().with_context(|| format!("{port:?} is not a port"))).collect()
}

/// Carries until all ports have closed, or the client.
pub(super) async fn run(network: PathBuf, ports: Vec<u16>, mut socket: Socket) -> Result<()> {
    let (sender, mut told) = mpsc::channel(16);
    let mut inputs = Vec::new();
    for (data, port) in (0..).step_by(2).zip(&ports) {
        for channel in [data, data + 1] {
            // So that the client knows whose channel it is.
            channels::send(&mut socket, channel, &port.to_le_bytes()).await?;
        }
        inputs.push((data, Some(carry(data, network.clone(), *port, sender.clone()))));
    }
    drop(sender);
    loop {
        tokio::select! {
            received = channels::receive(&mut socket) => match received {
                Some(Received::Data { channel, bytes }) => {
                    let input = inputs.iter().find(|(data, _)| *data == channel);
                    if let Some((_, Some(input))) = input {
                        // It may have ended meanwhile.
                        let _ = input.send(bytes);
                    }
                }
                Some(Received::Closed { channel }) => {
                    inputs.iter_mut().filter(|(data, _)| *data == channel).for_each(|(_, input)| *input = None);
                }
                None => return Ok(()),
            },
            event = told.recv() => match event {
                Some((data, Told::Data(bytes))) => channels::send(&mut socket, data, &bytes).await?,
                Some((data, Told::Failed(why))) => channels::send(&mut socket, data + 1, why.as_bytes()).await?,
                Some((_, Told::Ended)) => {}
                None => return channels::close(&mut socket).await,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ports;

    #[test]
    fn ports_are_read_in_their_order() {
        assert_eq!(ports("port=15000,80").unwrap(), [15_000, 80]);
        assert_eq!(ports("").unwrap(), [0_u16; 0]);
        for refused in ["port=0x50", "port=70000", "port=-1"] {
            assert!(ports(refused).is_err(), "{refused}");
        }
    }
}
