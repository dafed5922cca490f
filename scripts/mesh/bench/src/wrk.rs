//! As many requests as one core can send.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

const SECONDS: &str = "1s";

/// Runs `wrk` against a path over this many connections: the answered requests, and the rate in a second.
pub(crate) async fn run(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    connections: usize,
) -> Result<(f64, f64)> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &connections.to_string(), "--duration", SECONDS])
        // A machine that others use may keep an answer for long.
        .args(["--timeout", "20s"])
        .args(headers.iter().flat_map(|(name, value)| ["--header".to_owned(), format!("{name}: {value}")]))
        .arg(format!("http://{address}{path}"))
        .output()
        .await
        .context("running wrk")?;
    let text = String::from_utf8(output.stdout)?;
    let failed = !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors");
    ensure!(!failed, "wrk said:\n{text}");
    let mut lines = text.lines();
    let requests = lines.find_map(|line| line.split_once(" requests in "));
    let requests: f64 = requests.context("wrk counted nothing")?.0.trim().parse()?;
    let rate = lines.find_map(|line| line.strip_prefix("Requests/sec:"));
    Ok((requests, rate.context("wrk counted nothing")?.trim().parse()?))
}
