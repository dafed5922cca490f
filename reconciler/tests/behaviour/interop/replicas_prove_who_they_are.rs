//! `--peers` where replicas serve HTTPS: their certificate is for the name by which they are asked.

use std::{fs, process::Command, time::Duration};

use tokio::time::timeout;

use crate::support::{
    PATIENCE,
    command::hfi,
    process::{Process, text},
    replicas::Replicas,
};

/// Makes a certificate for these addresses that vouches for itself.
fn certify(replicas: &Replicas, name: &str, addresses: &[&String]) {
    let host = |address: &&String| format!("IP:{}", address.split(':').next().unwrap());
    let names: Vec<_> = addresses.iter().map(host).collect();
    let output = Command::new("openssl")
        .current_dir(replicas.files.path())
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=hfi", "-addext", &format!("subjectAltName={}", names.join(","))])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn start(replicas: &Replicas, at: usize, certificate: &str) -> Process {
    let paths = ["policies", &format!("{certificate}.pem"), &format!("{certificate}.key"), "trusted.pem"]
        .map(|file| replicas.path(file));
    let [policies, certificate, key, trusted] = paths.each_ref().map(|path| text(path));
    let variables = [
        ("HFI_DIR", policies),
        ("HFI_TLS_CERT_FILE", certificate),
        ("HFI_TLS_KEY_FILE", key),
        ("HFI_PEER_CA_FILE", trusted),
    ];
    replicas.start_with(at, "tokens", &variables).await
}

/// Waits until the first replica shows these words of the others.
async fn shows(replicas: &Replicas, words: &str) {
    let (server, trusted) = (format!("https://{}", replicas.addresses[0]), replicas.path("trusted.pem"));
    let arguments = ["filters", "-o", "json", "--server", &server, "--ca-file", text(&trusted)];
    let shown = async {
        while !hfi(&arguments, &[]).await.stdout.contains(words) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, shown).await.unwrap_or_else(|_| panic!("it does not show {words}"));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_and_a_new_one_taken() {
    let replicas = Replicas::new(2);
    let [one, two] = [&replicas.addresses[0], &replicas.addresses[1]];
    certify(&replicas, "both", &[one, two]);
    certify(&replicas, "first", &[one]);
    certify(&replicas, "foreign", &[one, two]);
    let trusted =
        ["both", "first"].map(|name| fs::read_to_string(replicas.path(&format!("{name}.pem"))).unwrap());
    fs::write(replicas.path("trusted.pem"), trusted.concat()).unwrap();
    let _first = start(&replicas, 0, "both").await;
    for certificate in ["first", "foreign"] {
        let _other = start(&replicas, 1, certificate).await;
        shows(&replicas, "certificate").await;
    }
    let _other = start(&replicas, 1, "both").await;
    shows(&replicas, "\"2 of 2\"").await;
}
