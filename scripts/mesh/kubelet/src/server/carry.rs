//! Bytes between a client and a port of a Pod.

use std::path::PathBuf;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Bytes;

use super::inside::connect;

/// What a connection to a Pod tells.
#[derive(Debug)]
pub(super) enum Told {
    Data(Vec<u8>),
    /// It cannot be used. The end follows.
    Failed(String),
    Ended,
}

/// The end at which the client's bytes go in. Dropping it says that no more come.
pub(super) type ToPod = mpsc::UnboundedSender<Bytes>;

/// Connects, and carries until the Pod closes. The other side of the returned sender is never in the way: a client
/// that sends must not wait for one that reads.
pub(super) fn carry<I>(id: I, network: PathBuf, port: u16, told: mpsc::Sender<(I, Told)>) -> ToPod
where
    I: Copy + Send + Sync + 'static,
{
    let (sender, from_client) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        if let Err(error) = through(id, network, port, from_client, &told).await {
            let _ = told.send((id, Told::Failed(format!("{error:#}")))).await;
        }
        let _ = told.send((id, Told::Ended)).await;
    });
    sender
}

async fn through<I: Copy>(
    id: I,
    network: PathBuf,
    port: u16,
    mut from_client: mpsc::UnboundedReceiver<Bytes>,
    told: &mpsc::Sender<(I, Told)>,
) -> Result<()> {
    let (mut reader, mut writer) = connect(network, port).await?.into_split();
    let outgoing = async {
        while let Some(bytes) = from_client.recv().await {
            if writer.write_all(&bytes).await.is_err() {
                // The Pod has closed: what it said before is still read.
                break;
            }
        }
        let _ = writer.shutdown().await;
        std::future::pending::<()>().await;
    };
    let incoming = async {
        let mut bytes = vec![0; 16 * 1024];
        while let count @ 1.. = reader.read(&mut bytes).await? {
            let read = bytes.iter().take(count).copied().collect();
            if told.send((id, Told::Data(read))).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = incoming => ended,
        () = outgoing => Ok(()),
    }
}
