//! The root file system of a container, as steps for `enter.sh`.

mod layout;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Plan;
use crate::image::Root;
use crate::spec::mounts::Mount;
use layout::Layout;

/// What `/usr` holds on most machines, and what has links or directories of its own on others.
const SYSTEM: [&str; 7] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr"];
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const STREAMS: [(&str, &str); 4] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
];

/// Steps, and the layout that they lead to.
#[derive(Default)]
struct Steps {
    words: Vec<OsString>,
    layout: Layout,
    /// Where file systems are that can be written to.
    layers: Vec<PathBuf>,
}

/// The words of all steps.
pub(super) fn steps(plan: &Plan) -> Result<Vec<OsString>> {
    let mut steps = Steps::default();
    match &plan.program.root {
        Root::Machine => steps.machine(),
        Root::Directory(directory) => steps.overlay(directory, "/")?,
    }
    steps.kernel();
    for (at, file) in plan.program.files.iter().chain(&plan.files) {
        steps.bind(false, file, at)?;
    }
    for mount in &plan.mounts {
        let source = plan.volumes.join(&mount.volume).join(&mount.sub_path);
        if !mount.sub_path.is_empty() && mount.writable {
            fs::create_dir_all(&source)?;
        }
        let source = source.canonicalize()?;
        place_in_outer(plan, mount, source.is_dir())?;
        steps.bind(mount.writable, &source, Path::new(&mount.at))?;
    }
    steps.bind(true, &plan.message.1, &plan.message.0)?;
    let working_directory = steps.layout.resolve(&plan.working_directory);
    steps.say(["directory".into(), "0755".into(), working_directory.into()]);
    if plan.read_only_root {
        for layer in std::mem::take(&mut steps.layers) {
            steps.say(["readonly".into(), layer.into()]);
        }
    }
    Ok(steps.words)
}

/// Makes the place for a mount in the volume that it is inside of, which may be read-only in the container.
fn place_in_outer(plan: &Plan, mount: &Mount, is_directory: bool) -> Result<()> {
    let inside = |outer: &&Mount| outer.at != mount.at && Path::new(&mount.at).starts_with(&outer.at);
    let Some(outer) = plan.mounts.iter().filter(inside).max_by_key(|outer| outer.at.len()) else {
        return Ok(());
    };
    let mut place = plan.volumes.join(&outer.volume).join(&outer.sub_path);
    for name in Path::new(&mount.at).strip_prefix(&outer.at)? {
        place.push(name);
        ensure!(!place.is_symlink(), "{} would be mounted over a link", mount.at);
    }
    if is_directory {
        fs::create_dir_all(&place)?;
    } else if !place.exists() {
        fs::create_dir_all(place.parent().context("a mount without a directory")?)?;
        fs::write(&place, "")?;
    }
    Ok(())
}

impl Steps {
    fn say<const N: usize>(&mut self, words: [OsString; N]) {
        self.words.extend(words);
    }

    /// The programs and settings of this machine, and empty directories beside them.
    fn machine(&mut self) {
        self.layers.push("/".into());
        for name in SYSTEM.into_iter().chain(["etc"]) {
            let (place, path) = (Path::new("/").join(name), format!("/{name}"));
            if let Ok(target) = fs::read_link(&place) {
                self.say(["link".into(), target.clone().into(), path.clone().into()]);
                self.layout.link(path, target);
            } else if place.is_dir() {
                // These paths are plain.
                let _ = self.overlay(&place, &path);
            }
        }
        for (mode, path) in [("1777", "/tmp"), ("0755", "/var"), ("0755", "/run"), ("0700", "/root")] {
            self.say(["directory".into(), mode.into(), path.into()]);
        }
    }

    fn overlay(&mut self, directory: &Path, at: &str) -> Result<()> {
        let text = directory.to_string_lossy();
        ensure!(
            !text.contains([',', ':', '\\']),
            "the kernel takes no overlay of a path with , or : ({text})"
        );
        self.say(["overlay".into(), directory.into(), at.into()]);
        self.layout.lower(at, directory);
        self.layers.push(at.into());
        Ok(())
    }

    /// What the kernel shows of itself.
    fn kernel(&mut self) {
        let kernel = |kind: &str, options: &str, at: &str| ["kernel", kind, options, at].map(OsString::from);
        self.say(kernel("proc", "nosuid,nodev,noexec", "/proc"));
        self.say(kernel("sysfs", "ro,nosuid,nodev,noexec", "/sys"));
        self.say(kernel("tmpfs", "nosuid,mode=0755", "/dev"));
        self.say(kernel("tmpfs", "nosuid,nodev,mode=1777", "/dev/shm"));
        for device in DEVICES {
            let path = format!("/dev/{device}");
            self.say(["bind".into(), "rw".into(), path.clone().into(), path.into()]);
        }
        for (target, at) in STREAMS {
            self.say(["link".into(), target.into(), at.into()]);
        }
    }

    fn bind(&mut self, writable: bool, file: &Path, at: &Path) -> Result<()> {
        // The machine's root is the kubelet's, and so is its working directory.
        let file = std::path::absolute(file)?;
        ensure!(file.exists(), "{} is missing on this machine", file.display());
        let at = self.layout.resolve(at);
        let kind = if writable { "rw" } else { "ro" };
        self.say(["bind".into(), kind.into(), file.into(), at.into()]);
        Ok(())
    }
}
