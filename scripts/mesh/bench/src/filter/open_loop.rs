//! Requests that are sent when their time has come, whether or not earlier ones have been answered:
//! a proxy that stops for a moment makes everybody wait who comes in that moment, and each wait is
//! counted from when the request should have been sent.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};

use crate::rules::{HEADER, PATH};

const CONNECTIONS: u32 = 16;
pub(crate) const PER_SECOND: u32 = 2_000;

/// Senders at work, each on a connection of its own.
#[derive(Debug)]
pub(crate) struct OpenLoop(Vec<JoinHandle<Result<Vec<Duration>>>>);

impl OpenLoop {
    /// Begins to send, for so long.
    pub(crate) fn start(address: SocketAddr, window: Duration) -> Result<Self> {
        let between = Duration::from_secs(1) / PER_SECOND;
        let requests = PER_SECOND * window.as_millis() as u32 / 1_000 / CONNECTIONS;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(connect(address)?);
        }
        let began = Instant::now();
        let senders = (0..).zip(connections).map(|(number, connection)| {
            // They take turns.
            let times = (0..requests).map(move |turn| began + between * (turn * CONNECTIONS + number));
            thread::spawn(move || send(connection, times))
        });
        Ok(Self(senders.collect()))
    }

    /// Waits for the end, and tells how long each answer took.
    pub(crate) fn latencies(self) -> Result<Latencies> {
        let mut latencies = Vec::new();
        for sender in self.0 {
            latencies.extend(sender.join().map_err(|_| anyhow!("a sender has panicked"))??);
        }
        Ok(Latencies::of(latencies))
    }
}

/// The latencies of the answers, the shortest first.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn of(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self(latencies)
    }

    /// The quantile `part` of the latencies, in milliseconds.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let place = (part * self.0.len() as f64).ceil() as usize;
        let latency = self.0.get(place.saturating_sub(1)).copied().unwrap_or_default();
        latency.as_secs_f64() * 1_000.0
    }
}

fn send(mut connection: TcpStream, times: impl Iterator<Item = Instant>) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    for time in times {
        wait_until(time);
        exchange(&mut connection)?;
        latencies.push(time.elapsed());
    }
    Ok(latencies)
}

pub(crate) fn connect(address: SocketAddr) -> Result<TcpStream> {
    let connection = TcpStream::connect(address)?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// Sends the request that every rule lets pass, and waits for its answer.
pub(crate) fn exchange(connection: &mut TcpStream) -> Result<()> {
    let request = format!("GET {PATH} HTTP/1.1\r\nhost: checkout\r\n{}: {}\r\n\r\n", HEADER.0, HEADER.1);
    let mut answer = [0; 4096];
    connection.write_all(request.as_bytes())?;
    // It has no body, and is far too short to come in pieces.
    let length = connection.read(&mut answer)?;
    let answer = answer.get(..length).unwrap_or_default();
    ensure!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"\r\n\r\n"), "got {answer:?}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the requests keep to a clock, and to no event")]
fn wait_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
