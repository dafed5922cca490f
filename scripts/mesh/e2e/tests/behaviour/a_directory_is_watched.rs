use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::Result;
use harness::{Answer, Client, Envoy, Reconciler, Request, Sidecar, Source, Upstream, everywhere, loopback};

use crate::policies::abort_all;

#[tokio::test]
async fn as_editors_replace_files_by_renaming() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let replace = |text: &str| -> Result<()> {
        std::fs::write(folder.path().join(".errors.yaml.new"), text)?;
        Ok(std::fs::rename(folder.path().join(".errors.yaml.new"), folder.path().join("errors.yaml"))?)
    };
    replace(&abort_all("errors", "checkout"))?;
    let served = Served::from(folder.path()).await?;
    served.passes().await?;

    replace(&abort_all("errors", "frontend"))?;
    served.aborts().await?;
    replace(&abort_all("errors", "checkout"))?;
    served.passes().await?;
    std::fs::write(folder.path().join("more.yaml"), abort_all("more", "frontend"))?;
    served.aborts().await?;
    std::fs::remove_file(folder.path().join("more.yaml"))?;
    served.passes().await
}

/// A ConfigMap volume: each file is a link through `..data`, which is swapped as a whole.
#[tokio::test]
async fn as_kubernetes_swaps_the_data_of_a_config_map() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let swap = |version: &str, text: &str| -> Result<()> {
        let (data, new) = (folder.path().join("..data"), folder.path().join("..data_tmp"));
        let old = std::fs::read_link(&data).ok();
        std::fs::create_dir(folder.path().join(version))?;
        std::fs::write(folder.path().join(version).join("errors.yaml"), text)?;
        symlink(version, &new)?;
        std::fs::rename(new, data)?;
        old.map_or(Ok(()), |old| Ok(std::fs::remove_dir_all(folder.path().join(old))?))
    };
    swap("..2026_11_21_10", &abort_all("errors", "checkout"))?;
    symlink("..data/errors.yaml", folder.path().join("errors.yaml"))?;
    let served = Served::from(folder.path()).await?;
    served.passes().await?;

    swap("..2026_11_21_11", &abort_all("errors", "frontend"))?;
    served.aborts().await?;
    swap("..2026_11_21_12", &abort_all("errors", "checkout"))?;
    served.passes().await
}

/// A proxy of `frontend` that follows a reconciler that watches a directory.
struct Served {
    envoy: Envoy,
    _reconciler: Reconciler,
    _upstream: Upstream,
}

impl Served {
    async fn from(folder: &Path) -> Result<Self> {
        let (client, upstream) = (Client::new()?, Upstream::start().await?);
        let mut reconciler = Reconciler::start(Source::Folder(folder.to_owned()), loopback()).await?;
        reconciler.ready(&client).await?;
        let sidecar = Sidecar::of("frontend", upstream.address()).following(reconciler.address());
        let envoy = Envoy::start(sidecar, &client).await?;
        Ok(Self { envoy, _reconciler: reconciler, _upstream: upstream })
    }

    async fn aborts(&self) -> Result<()> {
        everywhere(self.envoy.address(), &Request::get("/"), Answer::aborted).await
    }

    async fn passes(&self) -> Result<()> {
        everywhere(self.envoy.address(), &Request::get("/"), |answer| answer.status == 200).await
    }
}
