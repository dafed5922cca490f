//! Several channels in one WebSocket: the first byte of a message is the number of its channel.

use anyhow::Result;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::websocket::Socket;

/// A message of the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Data {
        channel: u8,
        bytes: Bytes,
    },
    /// Nothing more comes in a channel.
    Closed {
        channel: u8,
    },
}

/// The channel by which version 5 of the protocol closes others.
const CLOSE: u8 = 255;

/// The next message; none at the end.
pub(super) async fn receive(socket: &mut Socket) -> Option<Received> {
    loop {
        // Others, such as pings, are answered by the library.
        if let Message::Binary(bytes) = socket.next().await?.ok()?
            && let Some(received) = read(bytes)
        {
            return Some(received);
        }
    }
}

pub(super) async fn send(socket: &mut Socket, channel: u8, bytes: &[u8]) -> Result<()> {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    Ok(socket.send(Message::binary(message)).await?)
}

/// Ends the connection. Without a code a client takes it for an accident.
pub(super) async fn close(socket: &mut Socket) -> Result<()> {
    let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
    Ok(socket.close(Some(frame)).await?)
}

/// An empty message says nothing.
fn read(mut bytes: Bytes) -> Option<Received> {
    let channel = *bytes.first()?;
    let bytes = bytes.split_off(1);
    Some(match (channel, bytes.first()) {
        (CLOSE, channel) => Received::Closed { channel: *channel? },
        _ => Received::Data { channel, bytes },
    })
}

#[cfg(test)]
mod tests {
    use super::{Received, read};

    #[test]
    fn the_first_byte_is_the_channel() {
        let data = Received::Data { channel: 2, bytes: (&b"ab"[..]).into() };
        assert_eq!(read((&b"\x02ab"[..]).into()), Some(data));
        assert_eq!(read((&b"\xff\x00"[..]).into()), Some(Received::Closed { channel: 0 }));
        for nothing in [&b""[..], b"\xff"] {
            assert_eq!(read(nothing.into()), None);
        }
    }
}
