//! A way to a server, on which something happens to answers.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A request: its head, and its body.
pub(crate) struct Sent {
    pub(crate) head: String,
    body: Vec<u8>,
}

/// The URL of a way to a server. Whoever uses it gets what becomes of each answer.
pub(crate) async fn way<F: Future<Output = Vec<u8>> + Send>(
    server: &str,
    becomes: impl Fn(Sent, Vec<u8>) -> F + Clone + Send + Sync + 'static,
) -> String {
    let server = server.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (server, becomes) = (server.clone(), becomes.clone());
            tokio::spawn(async move {
                let sent = Sent::read(&mut client).await;
                let answer = sent.to(&server).await;
                client.write_all(&becomes(sent, answer).await).await.unwrap();
            });
        }
    });
    url
}

impl Sent {
    async fn read(client: &mut TcpStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        client.read_exact(&mut body).await.unwrap();
        Self { head, body }
    }

    /// The whole answer of a server.
    pub(crate) async fn to(&self, server: &str) -> Vec<u8> {
        let mut server = TcpStream::connect(server.trim_start_matches("http://")).await.unwrap();
        let head = format!("{}\r\nconnection: close\r\n\r\n", self.head.trim_end());
        server.write_all(&[head.as_bytes(), &self.body].concat()).await.unwrap();
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await.unwrap();
        answer
    }
}
