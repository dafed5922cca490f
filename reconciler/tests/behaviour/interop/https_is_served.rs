//! TLS, with a certificate that is renewed on disk, and all that is served over it.

use std::{fs, net::SocketAddr, path::Path, process::Command, sync::Arc, time::Duration};

use hyper::{Request, Response, body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reconciler::http::tls::{CertificateFiles, Tls};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject as _},
    },
};

use crate::{
    support::process::{Process, text},
    support::{PATIENCE, policy},
};

const SNAPSHOT: &str = "/v1/snapshot?namespace=demo&service=checkout";

/// Policies and a certificate, on disk.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        fs::create_dir(files.0.path().join("policies")).unwrap();
        files.write_policy(503);
        files.certify("server");
        files
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write_policy(&self, status: u16) {
        fs::write(self.path("policies/a.yaml"), policy("a", "checkout", status)).unwrap();
    }

    /// Makes a certificate that vouches for itself.
    fn certify(&self, name: &str) {
        let output = Command::new("openssl")
            .current_dir(self.0.path())
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn certificate(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.path(&format!("{name}.pem"))).unwrap()
    }

    async fn serve(&self) -> (Process, SocketAddr) {
        let (policies, certificate, key) =
            (self.path("policies"), self.path("server.pem"), self.path("server.key"));
        let hfi = Process::start(&[
            ("HFI_DIR", text(&policies)),
            ("HFI_TLS_CERT_FILE", text(&certificate)),
            ("HFI_TLS_KEY_FILE", text(&key)),
        ])
        .await;
        let address = hfi.url.strip_prefix("http://").unwrap().parse().unwrap();
        (hfi, address)
    }

    /// Connects, trusting this certificate.
    async fn connect(&self, address: SocketAddr, name: &str, alpn: &str) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate(name)).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![alpn.into()];
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect("localhost".try_into().unwrap(), stream).await.unwrap()
    }
}

/// Asks over HTTP/1.1.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), headers: &str) {
    let request = format!("GET {SNAPSHOT} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// The answer, as far as it comes at once.
async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = vec![0; 4_096];
    let length = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("no answer").unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

fn etag(answer: &str) -> String {
    answer.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned()
}

async fn until_ready(files: &Files, address: SocketAddr) -> String {
    let ready = async {
        loop {
            let mut stream = files.connect(address, "server", "http/1.1").await;
            ask(&mut stream, "connection: close\r\n").await;
            let answer = answer(&mut stream).await;
            if answer.starts_with("HTTP/1.1 200") {
                return etag(&answer);
            }
        }
    };
    timeout(PATIENCE, ready).await.expect("never ready")
}

/// A connection of HTTP/2.
async fn http2<IO>(io: IO) -> http2::SendRequest<String>
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn get(sender: &mut http2::SendRequest<String>, headers: &[(&str, &str)]) -> Response<Incoming> {
    let request = Request::get(format!("https://localhost{SNAPSHOT}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let answered = sender.send_request(request.body(String::new()).unwrap());
    timeout(PATIENCE, answered).await.expect("no answer").unwrap()
}

#[tokio::test]
async fn polls_are_held_and_woken_over_tls() {
    let files = Files::new();
    let (_hfi, address) = files.serve().await;
    let known = until_ready(&files, address).await;
    let mut one = files.connect(address, "server", "http/1.1").await;
    assert_eq!(one.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    ask(&mut one, &format!("if-none-match: {known}\r\n")).await;
    assert!(answer(&mut one).await.starts_with("HTTP/1.1 304"));
    ask(&mut one, &format!("if-none-match: {known}\r\nprefer: wait=60\r\n")).await;
    let other = files.connect(address, "server", "h2").await;
    assert_eq!(other.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut other = http2(other).await;
    assert_eq!(get(&mut other, &[("if-none-match", &known)]).await.status(), 304);
    let change = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        files.write_policy(500);
    };
    let held = [("if-none-match", known.as_str()), ("prefer", "wait=60")];
    let (first, second, ()) = tokio::join!(answer(&mut one), get(&mut other, &held), change);
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    assert_eq!((second.status().as_u16(), second.headers()["etag"].to_str().unwrap()), (200, &*etag(&first)));
}

#[tokio::test]
async fn a_certificate_is_renewed_without_a_restart() {
    let files = Files::new();
    let (hfi, address) = files.serve().await;
    until_ready(&files, address).await;
    let mut earlier = files.connect(address, "server", "http/1.1").await;
    fs::copy(files.path("server.pem"), files.path("old.pem")).unwrap();

    // A pair that is none is not taken.
    files.certify("other");
    fs::copy(files.path("other.pem"), files.path("server.pem")).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !hfi.log().contains("the certificate stays what it was") {
        assert!(Instant::now() < deadline, "{}", hfi.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    files.connect(address, "old", "http/1.1").await;

    // Its other half comes.
    fs::copy(files.path("other.key"), files.path("server.key")).unwrap();
    while hfi.said("the certificate was renewed").is_none() {
        assert!(Instant::now() < deadline, "{}", hfi.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let later = files.connect(address, "other", "http/1.1").await;
    let shown = later.get_ref().1.peer_certificates().unwrap();
    assert_eq!(shown[0], files.certificate("other"));
    ask(&mut earlier, "").await;
    assert!(answer(&mut earlier).await.starts_with("HTTP/1.1 200"), "it was cut off");
    assert!(!hfi.log().contains("PRIVATE"), "{}", hfi.log());
}

#[test]
fn what_is_no_certificate_is_refused_at_the_start() {
    let files = Files::new();
    files.certify("other");
    fs::write(files.path("empty.pem"), "").unwrap();
    fs::write(files.path("bad.key"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0!\n-----END PRIVATE KEY-----\n")
        .unwrap();
    let refusal = |certificates: &str, key: &str| {
        let files = CertificateFiles { certificates: files.path(certificates), key: files.path(key) };
        format!("{:#}", anyhow::Error::new(Tls::open(files).unwrap_err()))
    };
    assert!(refusal("none.pem", "server.key").contains("none.pem: cannot be read: it does not exist"));
    assert!(refusal("server.pem", "none.key").contains("none.key: cannot be read: it does not exist"));
    assert!(refusal("empty.pem", "server.key").contains("empty.pem: holds no certificate"));
    assert!(refusal("server.key", "server.key").contains("server.key: holds no certificate"));
    assert!(refusal("server.pem", "server.pem").contains("server.pem: holds no private key"));
    let bad = refusal("server.pem", "bad.key");
    assert!(bad.contains("bad.key: holds no private key") && !bad.contains("c2VjcmV0"), "{bad}");
    let mismatch = refusal("server.pem", "other.key");
    assert!(mismatch.contains("other.key: is not the key of the certificate in"), "{mismatch}");

    let (certificate, key) = (files.path("server.pem"), files.path("other.key"));
    let (policies, [certificate, key]) =
        (files.path("policies"), [&certificate, &key].map(|path| text(path)));
    let environment =
        [("HFI_DIR", text(&policies)), ("HFI_TLS_CERT_FILE", certificate), ("HFI_TLS_KEY_FILE", key)];
    let (code, log) = Process::refused(&environment);
    assert!(code == Some(1) && log.contains("cannot serve HTTPS") && log.contains("is not the key"), "{log}");
}

#[tokio::test]
async fn who_never_ends_the_handshake_keeps_nobody() {
    let files = Files::new();
    let (mut hfi, address) = files.serve().await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let _ = timeout(PATIENCE, plain.read_to_end(&mut Vec::new())).await.expect("it is not let go");
    until_ready(&files, address).await;
    hfi.signal("TERM");
    assert!(hfi.ended(Duration::from_secs(5)).await.success());
    let _ = timeout(PATIENCE, silent.read_to_end(&mut Vec::new())).await.expect("it is not let go");
}

/// On SIGTERM: held polls are answered at once, whatever they came over, and the connections end.
#[tokio::test]
async fn polls_over_every_protocol_end_with_the_process() {
    let files = Files::new();
    let (mut secure, secure_address) = files.serve().await;
    let known = until_ready(&files, secure_address).await;
    let policies = files.path("policies");
    let mut clear = Process::start(&[("HFI_DIR", text(&policies))]).await;
    clear.until_ready(|_| true).await;
    let clear_address: SocketAddr = clear.url.strip_prefix("http://").unwrap().parse().unwrap();

    let poll = format!("if-none-match: {known}\r\nprefer: wait=300\r\n");
    let mut plain = TcpStream::connect(clear_address).await.unwrap();
    ask(&mut plain, &poll).await;
    // One that is not read as a plain one.
    let mut other = TcpStream::connect(clear_address).await.unwrap();
    ask(&mut other, &format!("{poll}te: trailers\r\n")).await;
    let mut secured = files.connect(secure_address, "server", "http/1.1").await;
    ask(&mut secured, &poll).await;
    let idle = TcpStream::connect(clear_address).await.unwrap();
    let mut two = http2(TcpStream::connect(clear_address).await.unwrap()).await;
    let mut secured_two = http2(files.connect(secure_address, "server", "h2").await).await;
    let headers = [("if-none-match", known.as_str()), ("prefer", "wait=300")];
    let stop = async {
        while clear.metric("hfi_polls_parked").await != Some(3.0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The other process is on its way as long.
        tokio::time::sleep(Duration::from_millis(200)).await;
        clear.signal("TERM");
        secure.signal("TERM");
        Instant::now()
    };
    let (in_clear, in_secret, begun) =
        tokio::join!(get(&mut two, &headers), get(&mut secured_two, &headers), stop);
    assert_eq!((in_clear.status().as_u16(), in_secret.status().as_u16()), (304, 304));
    for answered in [answer(&mut plain).await, answer(&mut other).await, answer(&mut secured).await] {
        assert!(answered.starts_with("HTTP/1.1 304") && answered.contains("connection: close"), "{answered}");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for hfi in [&mut clear, &mut secure] {
        assert!(hfi.ended(PATIENCE).await.success());
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop((idle, two, secured_two));
    assert!(![clear.log(), secure.log()].concat().contains("cut off"));
    let _: &Path = files.0.path();
}
