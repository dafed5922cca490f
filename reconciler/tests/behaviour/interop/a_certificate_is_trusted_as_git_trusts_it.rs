//! The certificate of a Git server is judged by `--ca-file` as git judges it, and an error says what is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use harness::{GitHttp, Nginx, Repository};
use reconciler::source::access::Access;
use tempfile::TempDir;

use crate::support::remote::{access, look, refusal, repository};

const NAMES: &str = "subjectAltName=IP:127.0.0.1,DNS:localhost";
const AUTHORITY: &str = "basicConstraints=critical,CA:TRUE";
const SERVER: &str = "basicConstraints=critical,CA:FALSE";

/// Makes certificates in a directory with `openssl`.
struct Authority(TempDir);

impl Authority {
    /// An authority with a root (`root.pem`) and an intermediate (`between.pem`).
    fn new() -> Self {
        let authority = Self(tempfile::tempdir().unwrap());
        authority.sign("root", None, &[AUTHORITY]);
        authority.sign("between", Some("root"), &[AUTHORITY]);
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").current_dir(self.0.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A key and a certificate `name`, by `issuer` or by itself.
    fn sign(&self, name: &str, issuer: Option<&str>, extensions: &[&str]) {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
        let (key_file, file, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
        let (issuer_file, issuer_key) =
            (issuer.map(|issuer| format!("{issuer}.pem")), issuer.map(|issuer| format!("{issuer}.key")));
        let mut arguments = ["req", "-x509", "-subj", &subject, "-keyout", &key_file, "-out", &file].to_vec();
        arguments.extend(key);
        if let (Some(file), Some(key)) = (&issuer_file, &issuer_key) {
            arguments.extend(["-CA", file, "-CAkey", key]);
        }
        arguments.extend(extensions.iter().flat_map(|extension| ["-addext", extension]));
        self.openssl(&arguments);
    }

    /// The request for a certificate, `request.pem`, with the key `name.key`.
    fn request(&self, name: &str) {
        let key = format!("{name}.key");
        let to = ["-subj", "/CN=127.0.0.1", "-addext", NAMES, "-keyout", &key, "-out", "request.pem"];
        let kind = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        self.openssl(&[&kind[..], &to].concat());
    }

    /// A certificate `old`, which expired with January 2020.
    fn sign_old(&self) {
        self.request("old");
        let settings = "[ca]\ndefault_ca=made\n[made]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\n\
                        default_md=sha256\npolicy=any\ncopy_extensions=copy\n[any]\ncommonName=supplied\n";
        fs::write(self.file("ca.cnf"), settings).unwrap();
        fs::write(self.file("index.txt"), "").unwrap();
        let by =
            ["ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "root.pem", "-keyfile", "root.key"];
        let to = ["-in", "request.pem", "-out", "old.pem"];
        let dates = ["-startdate", "20200101000000Z", "-enddate", "20200131235959Z"];
        self.openssl(&[&by[..], &to, &dates].concat());
    }

    /// A certificate `first` of X.509 version 1.
    fn sign_version_1(&self) {
        self.request("first");
        let by = ["x509", "-req", "-CA", "root.pem", "-CAkey", "root.key", "-days", "2"];
        self.openssl(&[&by[..], &["-in", "request.pem", "-out", "first.pem"]].concat());
    }
}

/// A repository, and the server behind all others.
async fn backend() -> (Repository, GitHttp) {
    let repository = repository().await;
    let backend = GitHttp::start(repository.folder()).await.unwrap();
    (repository, backend)
}

/// nginx with the certificate `name`, and those of `chain` after it.
async fn server(backend: &GitHttp, authority: &Authority, name: &str, chain: &[&str]) -> Nginx {
    let folder = tempfile::tempdir().unwrap();
    let all = [&[name], chain].concat();
    let read = |name: &&str| fs::read_to_string(authority.file(&format!("{name}.pem"))).unwrap();
    fs::write(folder.path().join("server.pem"), all.iter().map(read).collect::<String>()).unwrap();
    fs::copy(authority.file(&format!("{name}.key")), folder.path().join("server.key")).unwrap();
    let backend = backend.url("");
    let configuration = |address, folder: &Path| {
        let folder = folder.display();
        format!(
            "access_log off;\nserver {{\nlisten {address} ssl;\nssl_certificate {folder}/server.pem;\n\
             ssl_certificate_key {folder}/server.key;\nlocation / {{\nproxy_pass {backend};\n}}\n}}\n"
        )
    };
    Nginx::start(folder, None, configuration).await.unwrap()
}

fn url(server: &Nginx) -> String {
    format!("https://{}/policies.git", server.address())
}

fn trusting(file: PathBuf) -> Access {
    Access { ca_file: Some(file), ..access() }
}

#[tokio::test]
async fn any_certificate_can_be_the_anchor() {
    let ((_repository, backend), authority) = (backend().await, Authority::new());
    authority.sign("server", Some("between"), &[NAMES, SERVER]);
    // What `openssl req -x509` makes by itself, which says that it is an authority.
    authority.sign("own", None, &[NAMES, AUTHORITY]);
    authority.sign("plain", None, &[NAMES, SERVER]);
    for (name, chain, anchor) in [
        ("server", &["between"][..], "root"),
        ("server", &["between"], "between"),
        ("server", &[], "between"),
        ("server", &[], "server"),
        ("own", &[], "own"),
        ("plain", &[], "plain"),
    ] {
        let server = server(&backend, &authority, name, chain).await;
        let checkout = look(&url(&server), &trusting(authority.file(&format!("{anchor}.pem")))).await;
        assert_eq!(checkout.map(|checkout| checkout.files.len()), Ok(1), "{name} by {anchor}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    let ((_repository, backend), authority) = (backend().await, Authority::new());
    authority.sign("server", Some("between"), &[NAMES, SERVER]);
    authority.sign("elsewhere", Some("root"), &["subjectAltName=DNS:localhost,DNS:git.example", SERVER]);
    authority.sign("common", Some("root"), &[SERVER]);
    authority.sign("own", None, &["subjectAltName=DNS:localhost", AUTHORITY]);
    authority.sign_old();
    authority.sign_version_1();
    let root = authority.file("root.pem");
    let unknown = format!("is not trusted: no certificate in {} has signed it", root.display());
    for (name, anchor, said) in [
        ("elsewhere", "root", "certificate is not for 127.0.0.1, but for localhost, git.example"),
        ("own", "own", "certificate is not for 127.0.0.1, but for localhost"),
        (
            "common",
            "root",
            "certificate is not for 127.0.0.1: it has no subjectAltName; a common name does not count",
        ),
        ("old", "root", "certificate expired on Fri, 31 Jan 2020 23:59:59 GMT"),
        ("old", "old", "certificate expired on Fri, 31 Jan 2020 23:59:59 GMT"),
        ("first", "root", "it is of X.509 version 1; it must be of version 3"),
        ("server", "root", unknown.as_str()),
        ("own", "root", "it is that of an authority (CA:TRUE); if it is right, give it with --ca-file"),
    ] {
        let server = server(&backend, &authority, name, &[]).await;
        let error = refusal(&url(&server), &trusting(authority.file(&format!("{anchor}.pem")))).await;
        assert!(error.contains(said), "{name} by {anchor}: {error}");
        assert!(said.contains("--ca-file") || !error.contains("--ca-file"), "it was given: {error}");
    }
    // Of the same name, with another key.
    let other = Authority::new();
    let server = server(&backend, &authority, "elsewhere", &[]).await;
    let error = refusal(&url(&server), &trusting(other.file("root.pem"))).await;
    assert!(error.contains("has an authority of the same name with another key"), "{error}");
    let error = refusal(&url(&server), &access()).await;
    assert!(error.contains("if its authority is your own, give it with --ca-file"), "{error}");
}

#[tokio::test]
async fn what_is_no_tls_is_told() {
    let (_repository, backend) = backend().await;
    let error = refusal(&backend.url("policies.git").replace("http:", "https:"), &access()).await;
    assert!(error.contains("does not speak TLS at this port; should the URL begin with http://?"), "{error}");
}
