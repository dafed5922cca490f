//! A change whose answer is lost: what the command line advises never undoes it.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    command::{Ended, hfi},
    person::{World, is_told, prints},
    policy,
    writing::{CHECKOUT as A, content, git},
};

/// The URL of a proxy that loses the answers to changes.
async fn losing(server: &str) -> String {
    let server = server.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(pass(client, server.clone()));
        }
    });
    url
}

/// Passes one request, and its answer if it changes nothing.
async fn pass(mut client: TcpStream, server: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    let text = String::from_utf8(head).unwrap();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).await.unwrap();
    let mut to_server = TcpStream::connect(server).await.unwrap();
    let head = format!("{}\r\nconnection: close\r\n\r\n", text.trim_end());
    to_server.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    let mut answer = Vec::new();
    to_server.read_to_end(&mut answer).await.unwrap();
    if text.starts_with("GET ") {
        client.write_all(&answer).await.unwrap();
    }
}

async fn by_the_proxy(world: &World, arguments: &[&str]) -> Ended {
    let proxy = losing(&world.replica.server.url).await;
    hfi(&[&["policy"], arguments, &["--server", &proxy]].concat(), &world.variables()).await
}

/// The command between backquotes of the next step.
fn advised(ended: &Ended) -> Vec<String> {
    let (_, step) = ended.stderr.split_once("\n  next: ").unwrap();
    let command = step.split('`').nth(1).unwrap();
    command.split(' ').skip(2).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_rollback_goes_back_once() {
    let world = World::new().await;
    let changed = world.write("a.yaml", &policy("a", "checkout", 500));
    prints(&world.apply(&changed, &[]).await, 0, "policy/a configured\n");
    let first = git(&world.repository, &["rev-parse", "main~1"]);
    let lost = by_the_proxy(&world, &["rollback", "a"]).await;
    is_told(&lost, 3, &["did not tell whether the change was made", first.trim()]);
    assert_eq!(content(&world.repository, "shop/a.yaml"), A, "it was made");
    let advised = advised(&lost);
    let advised: Vec<_> = advised.iter().map(String::as_str).collect();
    prints(&world.policy(&advised).await, 0, "policy/a unchanged\n");
    assert_eq!(content(&world.repository, "shop/a.yaml"), A);
}

#[tokio::test]
async fn what_is_deleted_already_is_no_error() {
    let world = World::new().await;
    let lost = by_the_proxy(&world, &["delete", "a"]).await;
    is_told(&lost, 3, &["did not tell whether the change was made", "again with --ignore-not-found"]);
    prints(&world.policy(&["delete", "a", "--ignore-not-found"]).await, 0, "");
}
