//! As much of SPDY 3.1 as `kubectl port-forward` speaks. Clients of Kubernetes know no flow control.

mod dictionary;
mod header_block;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use header_block::{Compressor, Decompressor};

/// The headers of a stream.
pub(super) type Headers = BTreeMap<String, String>;

/// A frame that means something here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Open {
        stream: u32,
        headers: Headers,
    },
    Data {
        stream: u32,
        bytes: Vec<u8>,
        is_last: bool,
    },
    Reset {
        stream: u32,
    },
    /// The answer is the same frame.
    Ping {
        bytes: Vec<u8>,
    },
}

/// One client: what came of the next frame, and the state of the compression of headers.
pub(super) struct Session {
    rest: Vec<u8>,
    decompressor: Decompressor,
    compressor: Compressor,
}

const HEAD: usize = 8;
const OPEN: u16 = 1;
const REPLY: u16 = 2;
const RESET: u16 = 3;
const PING: u16 = 6;

/// The highest bit tells control frames from data.
const CONTROL: u16 = 0x8000;
const VERSION: u16 = 3;
const LAST: u8 = 1;

/// A client sends the bytes of one read at a time, which are fewer.
const LONGEST: usize = 1 << 20;

impl Session {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { rest: Vec::new(), decompressor: Decompressor::new(), compressor: Compressor::new()? })
    }

    /// The frames that are whole now.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Frame>> {
        self.rest.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while let Some((head, rest)) = self.rest.split_first_chunk::<HEAD>() {
            let [a, b, c, d, flags, long, e, f] = *head;
            let length = u32::from_be_bytes([0, long, e, f]) as usize;
            ensure!(length <= LONGEST, "a frame of {length} bytes");
            let Some(payload) = rest.get(..length).map(<[u8]>::to_vec) else { break };
            let whole = self.rest.drain(..HEAD + length).collect();
            let kind = u16::from_be_bytes([c, d]);
            if u16::from_be_bytes([a, b]) & CONTROL == 0 {
                let stream = u32::from_be_bytes([a, b, c, d]);
                frames.push(Frame::Data { stream, bytes: payload, is_last: flags & LAST != 0 });
            } else if kind == PING {
                frames.push(Frame::Ping { bytes: whole });
            } else {
                frames.extend(self.control(kind, &payload)?);
            }
        }
        Ok(frames)
    }

    /// The frame that accepts a stream.
    pub(super) fn reply(&mut self, stream: u32) -> Result<Vec<u8>> {
        let mut payload = stream.to_be_bytes().to_vec();
        payload.extend(self.compressor.compress(&Headers::new())?);
        let [a, b] = (CONTROL | VERSION).to_be_bytes();
        let [c, d] = REPLY.to_be_bytes();
        Ok(frame([a, b, c, d], 0, &payload))
    }

    /// A frame of data.
    pub(super) fn data(stream: u32, bytes: &[u8], is_last: bool) -> Vec<u8> {
        frame(stream.to_be_bytes(), if is_last { LAST } else { 0 }, bytes)
    }

    /// Others, such as settings, need no answer.
    fn control(&mut self, kind: u16, payload: &[u8]) -> Result<Option<Frame>> {
        let stream = || {
            let (number, rest) = payload.split_first_chunk().context("a frame without a stream")?;
            Ok::<_, anyhow::Error>((u32::from_be_bytes(*number) & 0x7fff_ffff, rest))
        };
        Ok(match kind {
            OPEN => {
                let (stream, rest) = stream()?;
                // After the stream that it belongs to, its priority and its slot.
                let headers = rest.get(6..).context("a stream without headers")?;
                Some(Frame::Open { stream, headers: self.decompressor.decompress(headers)? })
            }
            RESET => Some(Frame::Reset { stream: stream()?.0 }),
            _ => None,
        })
    }
}

fn frame(head: [u8; 4], flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head.to_vec();
    // Nobody here makes one of 16 MiB, to which its three bytes reach.
    let [_, long, c, d] = (payload.len() as u32).to_be_bytes();
    frame.extend([flags, long, c, d]);
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests;
