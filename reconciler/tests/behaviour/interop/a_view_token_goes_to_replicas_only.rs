//! Replicas of a cluster ask each other with a view token, which only one with the certificate of the Service gets.

use std::{fs, path::Path, process::Command, time::Duration};

use harness::KubeApi;

use crate::support::{
    cluster::{own_address, set_endpoints, start, until},
    policy,
    process::{Process, text},
};

const VIEWS: &str = "views-0123456789abcdef";
/// A failure is told at the third in a row, and each takes 5 s at most.
const PATIENCE: Duration = Duration::from_secs(40);

/// Makes a certificate for this name that vouches for itself.
fn certify(files: &Path, file: &str, name: &str) {
    let output = Command::new("openssl")
        .current_dir(files)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=hfi", "-addext", &format!("subjectAltName={name}")])
        .args(["-keyout", &format!("{file}.key"), "-out", &format!("{file}.pem")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A replica with this certificate, which trusts those of `trusted.pem`.
async fn serve(api: &KubeApi, files: &Path, certificate: &str) -> Process {
    let path = |file: &str| files.join(file);
    let (policies, view, trusted) = (path("policies"), path("view"), path("trusted.pem"));
    let (certificate, key) = (path(&format!("{certificate}.pem")), path(&format!("{certificate}.key")));
    let variables = [
        ("HFI_DIR", text(&policies)),
        ("HFI_LISTEN", "0.0.0.0:0"),
        ("HFI_VIEW_TOKEN_FILE", text(&view)),
        ("HFI_TLS_CERT_FILE", text(&certificate)),
        ("HFI_TLS_KEY_FILE", text(&key)),
        ("HFI_PEER_CA_FILE", text(&trusted)),
    ];
    start(api, "hfi", &variables).await
}

#[tokio::test]
async fn a_replica_with_another_certificate_gets_none() {
    let api = KubeApi::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let files = directory.path();
    fs::create_dir(files.join("policies")).unwrap();
    fs::write(files.join("policies/a.yaml"), policy("a", "checkout", 503)).unwrap();
    fs::write(files.join("view"), format!("replicas {VIEWS}\n")).unwrap();
    certify(files, "service", "DNS:hfi-control-plane.boifi.svc");
    // Trusted, and of another name; and of the name, and not trusted.
    certify(files, "address", &format!("IP:{}", own_address()));
    certify(files, "foreign", "DNS:hfi-control-plane.boifi.svc");
    let trusted = ["service", "address"].map(|file| fs::read_to_string(files.join(format!("{file}.pem"))));
    fs::write(files.join("trusted.pem"), trusted.map(Result::unwrap).concat()).unwrap();

    let hfi = serve(&api, files, "service").await;
    let failures = || {
        let told = hfi.all_said("the API server fails at this task");
        told.into_iter().filter(|line| line["duty"] == "replicas").collect::<Vec<_>>()
    };
    let answers = || hfi.all_said("works for this task again").len();
    for (rounds, certificate) in (1..).zip(["address", "foreign"]) {
        let other = serve(&api, files, certificate).await;
        set_endpoints(&api, &[&hfi, &other]).await;
        until("it is told", PATIENCE, async || (failures().len() == rounds).then_some(())).await;
        let reason = failures().pop().unwrap()["reason"].as_str().unwrap().to_owned();
        assert!(
            reason.contains("does not say which filters it hears") && reason.contains("certificate"),
            "{reason}"
        );

        let same = serve(&api, files, "service").await;
        set_endpoints(&api, &[&hfi, &same]).await;
        until("both answer", PATIENCE, async || (answers() == rounds).then_some(())).await;
    }
}

#[tokio::test]
async fn a_replica_that_does_not_take_the_token_is_told_with_what_it_needs() {
    let api = KubeApi::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let files = directory.path();
    fs::create_dir(files.join("policies")).unwrap();
    let replica = async |tokens: &str| {
        let (policies, view) = (files.join("policies"), files.join(tokens));
        let variables =
            [("HFI_DIR", text(&policies)), ("HFI_LISTEN", "0.0.0.0:0"), ("HFI_VIEW_TOKEN_FILE", text(&view))];
        start(&api, "hfi", &variables).await
    };
    fs::write(files.join("one"), format!("replicas {VIEWS}\n")).unwrap();
    fs::write(files.join("two"), "replicas another-0123456789abcdef\n").unwrap();
    let (hfi, other) = (replica("one").await, replica("two").await);
    set_endpoints(&api, &[&hfi, &other]).await;
    let failure = until("it is told", PATIENCE, async || {
        let mut told = hfi.all_said("the API server fails at this task").into_iter();
        told.find(|line| line["duty"] == "replicas")
    });
    let reason = failure.await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("it answers 401") && reason.contains("--view-token-file"), "{reason}");
    assert!(!hfi.log().contains(VIEWS), "{}", hfi.log());

    // The file is read for each question.
    fs::write(files.join("two"), format!("new another-0123456789abcdef\nreplicas {VIEWS}\n")).unwrap();
    fs::write(files.join("one"), format!("replicas {VIEWS}\nnew another-0123456789abcdef\n")).unwrap();
    let again = async || hfi.said("works for this task again");
    until("both take both tokens", PATIENCE, again).await;
}
