//! Frames of HTTP/2, written by hand: those that ask for work and bring nothing end their connection.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::support::{PATIENCE, Server};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `GET http://hfi/health`, by the static table of HPACK.
const GET: &[u8] = b"\x82\x86\x44\x07/health\x41\x03hfi";

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const PRIORITY: u8 = 0x2;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const UNKNOWN: u8 = 0xbe;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let [a, b, c, d] = stream.to_be_bytes();
    [&[high, middle, low, kind, flags, a, b, c, d][..], payload].concat()
}

/// A connection whose answers are read and thrown away. Its end ends the task.
async fn connect(address: SocketAddr) -> (tokio::net::tcp::OwnedWriteHalf, tokio::task::JoinHandle<usize>) {
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    writer.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    let reading = tokio::spawn(async move {
        let (mut bytes, mut read) = (vec![0; 65_536], 0);
        while let Ok(length @ 1..) = reader.read(&mut bytes).await {
            read += length;
        }
        read
    });
    (writer, reading)
}

/// Sends so many frames that `flood` makes; tells whether the connection has ended.
async fn is_ended(address: SocketAddr, frames: u32, flood: impl Fn(u32) -> Vec<u8>) -> bool {
    let (mut writer, reading) = connect(address).await;
    let sending = async {
        for at in 0..frames {
            if writer.write_all(&flood(at)).await.is_err() {
                break;
            }
        }
    };
    timeout(PATIENCE, sending).await.is_ok() && timeout(PATIENCE, reading).await.is_ok()
}

#[tokio::test]
async fn a_flood_of_any_kind_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let address = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let request = |at: u32, flags| frame(HEADERS, END_HEADERS | flags, 2 * at + 1, GET);
    let open = |at: u32, frame: Vec<u8>| {
        if at == 0 { [request(0, 0), frame].concat() } else { frame }
    };
    type Flood<'a> = (&'a str, Box<dyn Fn(u32) -> Vec<u8> + 'a>);
    let floods: [Flood<'_>; 10] = [
        ("PING", Box::new(|_| frame(PING, 0, 0, &[0; 8]))),
        ("PING that answers", Box::new(|_| frame(PING, 1, 0, &[0; 8]))),
        ("SETTINGS", Box::new(|_| frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]))),
        ("PRIORITY", Box::new(|_| frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]))),
        ("unknown", Box::new(|_| frame(UNKNOWN, 0, 0, &[]))),
        ("WINDOW_UPDATE", Box::new(|_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))),
        ("empty DATA", Box::new(|at| open(at, frame(DATA, 0, 1, &[])))),
        ("small DATA", Box::new(|at| open(at, frame(DATA, 0, 1, b"x")))),
        (
            "CONTINUATION",
            Box::new(|at| {
                let head = frame(HEADERS, END_STREAM, 1, GET);
                if at == 0 { head } else { frame(CONTINUATION, 0, 1, &[]) }
            }),
        ),
        (
            "RST_STREAM",
            Box::new(|at| {
                [request(at, END_STREAM), frame(RST_STREAM, 0, 2 * at + 1, &[0, 0, 0, 8])].concat()
            }),
        ),
    ];
    for (name, flood) in &floods {
        assert!(is_ended(address, 20_000, flood).await, "{name}");
        assert_eq!(server.get("/health", &[]).await.status(), 200, "{name}");
    }
}

#[tokio::test]
async fn what_clients_send_is_no_flood() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of_folder(folder.path()).await;
    let address = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let (mut writer, reading) = connect(address).await;
    let begun = Instant::now();
    for at in 0..800 {
        let request = frame(HEADERS, END_HEADERS | END_STREAM, 2 * at + 1, GET);
        let update = frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0]);
        writer.write_all(&[request, update].concat()).await.unwrap();
    }
    assert!(begun.elapsed() < PATIENCE);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!reading.is_finished());
}
