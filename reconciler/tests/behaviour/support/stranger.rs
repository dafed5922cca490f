//! A server at the address of a replica, that is none.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// Answers each request with what is made of its beginning. It hangs if that is nothing.
pub(crate) async fn stranger(address: &str, answer: impl Fn(String) -> Vec<u8> + Send + Sync + 'static) {
    let (listener, answer) = (TcpListener::bind(address).await.unwrap(), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut request = vec![0; 4_096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let answer = answer(String::from_utf8_lossy(&request[..length]).into_owned());
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
                let _ = stream.write_all(&answer).await;
                // A connection that is closed before all was read may lose the answer.
                let _ = stream.shutdown().await;
                while stream.read(&mut request).await.is_ok_and(|length| length > 0) {}
            });
        }
    });
}

pub(crate) fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
        .into_bytes()
}
