//! The container of the control plane without a container engine: the root file system of the image, laid
//! out by the script that the Containerfile runs, read-only, with the user, the environment and the mounts
//! of the Deployment.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use harness::paths;
use serde_json::Value;
use tempfile::TempDir;

use crate::manifests::{Setting, at, environment, pod, text};
use crate::served::Served;

/// A module, by its first bytes.
pub(crate) const PREVIOUS: &[u8] = b"\0asm\x01\0\0\0";

/// The image and the mounts of a container, before it runs.
#[derive(Debug)]
pub(crate) struct Image {
    _folder: TempDir,
    /// The root file system.
    pub(crate) root: PathBuf,
    /// The mounted files, by the names of the volumes.
    pub(crate) volumes: TempDir,
}

/// A running container. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) address: SocketAddr,
    pub(crate) image: Image,
    _served: Served,
}

impl Image {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = lay_out(folder.path())?;
        Ok(Self { _folder: folder, root, volumes: tempfile::tempdir()? })
    }

    /// One more key of the Secret `hfi-git`.
    pub(crate) fn secret(&self, key: &str, value: impl AsRef<[u8]>) -> Result<()> {
        let folder = self.volumes.path().join("git");
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(key), value)?)
    }

    /// Starts the container of the Deployment among the objects, following `repository`.
    pub(crate) async fn start(self, objects: &[Value], repository: &str) -> Result<Container> {
        let pod = pod(objects)?;
        let container = at(pod, "/containers/0");
        let mut arguments =
            vec!["--die-with-parent".to_owned(), "--unshare-user".into(), "--unshare-pid".into()];
        let mut say = |words: &[&str]| arguments.extend(words.iter().map(|word| (*word).to_owned()));
        say(&["--uid", &at(pod, "/securityContext/runAsUser").to_string()]);
        say(&["--gid", &at(pod, "/securityContext/runAsGroup").to_string()]);
        ensure!(at(container, "/securityContext/readOnlyRootFilesystem") == true, "{container}");
        say(&["--ro-bind", path(&self.root)?, "/", "--proc", "/proc", "--dev", "/dev"]);
        for mount in at(container, "/volumeMounts").as_array().context("no mounts")? {
            let folder = self.volumes.path().join(text(mount, "/name")?);
            fs::create_dir_all(&folder)?;
            let kind = if at(mount, "/readOnly") == true { "--ro-bind" } else { "--bind" };
            // A container runtime makes the places where things are mounted.
            fs::create_dir_all(self.root.join(text(mount, "/mountPath")?.trim_start_matches('/')))?;
            say(&[kind, path(&folder)?, text(mount, "/mountPath")?]);
        }
        say(&["--clearenv"]);
        for (name, value) in image_environment()?.into_iter().chain(environment(objects)?) {
            let value = match value {
                Setting::Is(value) => value,
                Setting::OfSecret(key) => fs::read_to_string(self.volumes.path().join("git").join(key))?,
            };
            say(&["--setenv", &name, &value]);
        }
        // What differs from a cluster: where the policies are, and that several run on this machine.
        say(&["--setenv", "HFI_REPO", repository, "--setenv", "HFI_LISTEN", "127.0.0.1:0"]);
        say(&["--unsetenv", "HFI_KUBERNETES", "/hfi"]);
        for argument in at(container, "/args").as_array().context("no arguments")? {
            say(&[text(argument, "")?]);
        }
        let mut served = Served::start("bwrap", &arguments)?;
        let address = served.says(listening).await?;
        Ok(Container { address, image: self, _served: served })
    }
}

/// The root of the image, with another module as the previous one.
fn lay_out(folder: &Path) -> Result<PathBuf> {
    let root = folder.join("root");
    let previous = folder.join("previous.wasm");
    fs::write(&previous, PREVIOUS)?;
    let output = Command::new(paths::workspace().join("scripts/image-root"))
        .args([&root, &previous])
        .env("HFI_BIN", paths::hfi()?)
        .env("HFI_FILTER", paths::filter()?)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(root)
}

/// The instructions of the Containerfile, each with what follows.
pub(crate) fn containerfile() -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(paths::workspace().join("k8s/Containerfile"))?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.filter_map(|line| line.split_once(' ')).map(|(name, rest)| (name.into(), rest.into())).collect())
}

fn image_environment() -> Result<Vec<(String, Setting)>> {
    let instructions = containerfile()?;
    let said =
        instructions.iter().filter(|(name, _)| name == "ENV").filter_map(|(_, rest)| rest.split_once('='));
    Ok(said.map(|(name, value)| (name.to_owned(), Setting::Is(value.to_owned()))).collect())
}

fn listening(log: &str) -> Option<SocketAddr> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let announced = lines.filter(|line| at(line, "/fields/message") == "listening");
    announced.filter_map(|line| at(&line, "/fields/address").as_str()?.parse().ok()).next()
}

fn path(path: &Path) -> Result<&str> {
    OsStr::to_str(path.as_os_str()).context("a path that is not UTF-8")
}
