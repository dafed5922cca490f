//! Many requests over one HTTP/2 connection, sent by one write. Their answers rest until they are read, so that
//! the client needs next to no processor while a proxy answers.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Types of frames (RFC 9113, section 6), and the flags of a request without a body.
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const END_OF_REQUEST: u8 = 0x1 | 0x4;

/// A connection with requests that are not answered yet.
pub(crate) struct Burst {
    stream: TcpStream,
    requests: u32,
}

impl Burst {
    /// Sends so many requests for this path.
    pub(crate) async fn send(address: SocketAddr, path: &str, requests: u32) -> Result<Self> {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        frame(&mut bytes, SETTINGS, 0, 0, &[])?;
        // In HPACK: GET, http, and two literals by the indexes of their names.
        let mut fields = vec![0x82, 0x86];
        for (index, value) in [(4, path), (1, "frontend")] {
            fields.extend([index, u8::try_from(value.len())?]);
            fields.extend(value.bytes());
        }
        for number in 0..requests {
            frame(&mut bytes, HEADERS, END_OF_REQUEST, 2 * number + 1, &fields)?;
        }
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&bytes).await?;
        Ok(Self { stream, requests })
    }

    /// Waits until all are answered.
    pub(crate) async fn answered(mut self) -> Result<()> {
        let mut answers = 0;
        while answers < self.requests {
            let mut head = [0; 9];
            ensure!(self.stream.read_exact(&mut head).await? == head.len());
            let [a, b, c, kind, ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.stream.read_exact(&mut payload).await?;
            answers += u32::from(kind == HEADERS);
        }
        Ok(())
    }
}

fn frame(to: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<()> {
    let [_, length @ ..] = u32::try_from(payload.len())?.to_be_bytes();
    to.extend(length);
    to.extend([kind, flags]);
    to.extend(stream.to_be_bytes());
    to.extend(payload);
    Ok(())
}
