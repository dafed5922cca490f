//! The network namespace of the node.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use harness::Process;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::command::run;
use super::garbage::GARBAGE;
use super::namespace::enter;
use super::slot::Slot;

/// The address of the node. Worlds do not see each other, so all may have the same.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 111, 255, 1);

/// The addresses of Services, and that of `kubernetes`, which is the first.
const SERVICES: &str = "10.111.128.0/18";
const API_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 111, 128, 1);

/// A network namespace, and the thread of the test in it. Dropping it removes the namespace.
#[derive(Debug)]
pub(crate) struct Node {
    slot: Slot,
    /// The namespace that the thread came from.
    home: File,
}

impl Node {
    /// Makes the namespace and moves the calling thread into it, and so all that the thread starts: programs,
    /// clients and servers of the test. Everything else of the machine stays where it is.
    pub(crate) fn enter() -> Result<Self> {
        let flavor = Handle::current().runtime_flavor();
        ensure!(
            flavor == RuntimeFlavor::CurrentThread,
            "a world needs a runtime of one thread, which moves with it"
        );
        ensure!(rustix::process::geteuid().is_root(), "a world needs root, for network namespaces");
        let home = File::open("/proc/thread-self/ns/net")?;
        let slot = Slot::take()?;
        let name = slot.name();
        run("ip", &["netns", "add", &name]).context("a world needs network namespaces")?;
        let node = Self { slot, home };
        enter(&File::open(format!("/run/netns/{name}"))?)?;
        let ip = |words: &str| run("ip", &words.split(' ').collect::<Vec<_>>());
        ip("link set lo up")?;
        ip(&format!("address add {ADDRESS}/32 dev lo"))?;
        // Programs of the node come as far as kube-proxy's rules only by a route, and answers need an address.
        ip(&format!("route add {SERVICES} dev lo src {ADDRESS}"))?;
        fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
        Ok(node)
    }

    /// The name of the node in the cluster, and of its namespace.
    pub(crate) fn name(&self) -> String {
        self.slot.name()
    }

    /// The files of the world.
    pub(crate) fn directory(&self) -> PathBuf {
        self.slot.directory()
    }

    /// The address of the node.
    pub(crate) fn address(&self) -> Ipv4Addr {
        ADDRESS
    }

    /// The addresses of Services.
    pub(crate) fn services(&self) -> &'static str {
        SERVICES
    }

    /// The address of the Service `kubernetes`.
    pub(crate) fn api_service(&self) -> Ipv4Addr {
        API_SERVICE
    }

    /// Starts a program in the world's directory. What it prints goes to `NAME.log` in the world's directory.
    pub(crate) fn spawn(
        &self,
        name: &str,
        environment: &[(&str, &str)],
        program: &Path,
        arguments: &[String],
    ) -> Result<Process> {
        let directory = self.directory();
        let mut words: Vec<OsString> = vec![format!("--chdir={}", directory.display()).into()];
        words.extend(
            environment.iter().chain([&GARBAGE]).map(|(name, value)| format!("{name}={value}").into()),
        );
        words.push(program.into());
        words.extend(arguments.iter().map(Into::into));
        Process::spawn(Path::new("env"), &words, &directory.join(format!("{name}.log")))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Err(error) = enter(&self.home).and_then(|()| self.slot.remove_namespace()) {
            eprintln!("{} is left for the next world to remove: {error:#}", self.name());
        }
    }
}
