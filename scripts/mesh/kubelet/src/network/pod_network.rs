//! The network namespace of a Pod.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use super::Network;
use crate::machine::{finish, run, script};

/// The directory in which `ip` keeps namespaces.
pub(super) const NAMESPACES: &str = "/var/run/netns";

const ATTACH: &str = include_str!("attach.sh");
const DETACH: &str = include_str!("detach.sh");

/// A namespace with the interface `eth0`.
#[derive(Debug)]
pub(crate) struct PodNetwork {
    network: Arc<Network>,
    name: String,
    link: String,
    pub(crate) address: Ipv4Addr,
    is_attached: bool,
}

impl PodNetwork {
    /// Makes one with these kernel parameters.
    pub(crate) async fn attach(network: Arc<Network>, sysctls: &[(String, String)]) -> Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        sysctls.iter().try_for_each(|(parameter, _)| check(parameter))?;
        // Five digits is what a link's name has room for.
        let number = COUNTER.fetch_add(1, Ordering::Relaxed) % 100_000;
        let address = network.addresses().take().context("all addresses of the network are taken")?;
        let (name, link) = (format!("{}-{number}", network.run), format!("{}v{number}", network.run));
        let mut words = vec![name.clone(), link.clone(), network.bridge.clone(), address.to_string()];
        words.extend([network.prefix_length.to_string(), network.gateway.to_string()]);
        words.extend(sysctls.iter().flat_map(|(parameter, value)| [parameter.clone(), value.clone()]));
        // From here on dropping it cleans up, however far it got.
        let pod = Self { network, name, link, address, is_attached: true };
        finish(script(ATTACH, words)?).await.context("making a network namespace")?;
        Ok(pod)
    }

    /// Ends the processes in the namespace and takes it away.
    pub(crate) async fn detach(mut self) -> Result<()> {
        finish(script(DETACH, [&self.name, &self.link])?).await.context("removing a network namespace")?;
        self.is_attached = false;
        Ok(())
    }

    /// The file that stands for the namespace.
    pub(crate) fn namespace(&self) -> PathBuf {
        PathBuf::from(NAMESPACES).join(&self.name)
    }
}

impl Drop for PodNetwork {
    fn drop(&mut self) {
        if self.is_attached {
            // What failed half-way has no namespace, or no link.
            let _ = script(DETACH, [&self.name, &self.link]).and_then(run);
        }
        self.network.addresses().give_back(self.address);
    }
}

/// Fails if a kernel parameter is of more than the network.
fn check(parameter: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let allowed =
        parameter.starts_with("net.") && parameter.bytes().all(is_plain) && !parameter.contains("..");
    ensure!(allowed, "the kernel parameter {parameter:?} is not one of a network namespace");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_parameters_of_the_network_are_set() {
        check("net.ipv4.ip_unprivileged_port_start").unwrap();
        for parameter in ["kernel.hostname", "net.a/b", "net...kernel.x", "net.a b", ""] {
            assert!(check(parameter).is_err(), "{parameter}");
        }
    }
}
