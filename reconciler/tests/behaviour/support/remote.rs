//! A repository somewhere else, and what `hfi serve` is told about it.

use std::{path::PathBuf, time::Duration};

use harness::Repository;
use reconciler::source::{Checkout, Settings, Source, access::Access, target::Target};

use crate::support::{PATIENCE, Server, policy};

/// The interval at which a server here is asked: nothing announces what changes elsewhere.
pub(crate) const SOON: Duration = Duration::from_millis(50);

/// Nobody's credentials, and the `hfi` under test.
pub(crate) fn access() -> Access {
    Access { program: env!("CARGO_BIN_EXE_hfi").into(), ..Access::default() }
}

/// The branch `main` of a remote repository.
pub(crate) fn following(url: &str, access: &Access) -> Settings {
    let target = Target::Branch("main".parse().unwrap());
    Settings::Git {
        repository: url.parse().unwrap(),
        target,
        path: PathBuf::new(),
        access: Box::new(access.clone()),
    }
}

/// A repository with one policy, `a`.
pub(crate) async fn repository() -> Repository {
    let repository = Repository::new().await.unwrap();
    repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
    repository.push("Add a").await.unwrap();
    repository
}

/// One read of a remote repository, as a reconcile does it.
pub(crate) async fn look(url: &str, access: &Access) -> Result<Checkout, String> {
    let settings = following(url, access);
    look_at(settings).await
}

pub(crate) async fn look_at(settings: Settings) -> Result<Checkout, String> {
    let look = || {
        let mut source = Source::open(settings, None).unwrap();
        let reading = source.read(|_| false).map_err(|error| error.to_string())?;
        Ok(reading.expect("nothing was kept before").keep())
    };
    tokio::task::spawn_blocking(look).await.unwrap()
}

/// The reason why one read fails. It holds no secret.
pub(crate) async fn refusal(url: &str, access: &Access) -> String {
    let error = look(url, access).await.unwrap_err();
    assert!(!error.contains("secret"), "{error}");
    error
}

/// Waits until a server is not ready for a reason with this in it.
pub(crate) async fn until_told(server: &Server, reason: &str) {
    let told = async {
        while !server.get("/v1/ready", &[]).await.text().await.unwrap().contains(reason) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("never told");
}

/// Bytes that cannot be compressed; others for another seed.
pub(crate) fn noise(length: u64, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}
