//! A bridge, and for each Pod a network namespace with a link to it.

mod addresses;
mod cleaner;
mod pod_network;
mod run_name;

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::machine::{finish, script};
use addresses::Addresses;
use cleaner::Cleaner;
pub(crate) use cleaner::clean;
pub(crate) use pod_network::PodNetwork;
pub use run_name::RunName;

/// A bridge of this machine, with the addresses of Pods. Dropping it takes the bridge away, and so does the end of
/// this process.
#[derive(Debug)]
pub struct Network {
    run: RunName,
    bridge: String,
    gateway: Ipv4Addr,
    prefix_length: u8,
    addresses: Mutex<Addresses>,
    _cleaner: Cleaner,
}

impl Network {
    /// Makes a bridge with this address of this machine, and the addresses around it for Pods. Servers that
    /// listen at the address are reached from every Pod.
    pub async fn create(run: RunName, gateway: Ipv4Addr, prefix_length: u8) -> Result<Self> {
        ensure!((8..=29).contains(&prefix_length), "a network of Pods has a prefix of 8 to 29 bits");
        let addresses = Mutex::new(Addresses::around(gateway, prefix_length));
        let bridge = format!("{run}br");
        let _cleaner = Cleaner::start(&run)?;
        let network = Self { run, bridge, gateway, prefix_length, addresses, _cleaner };
        let [a, b, c, d] = gateway.octets();
        let own = format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}");
        let words = [network.bridge.clone(), own, gateway.to_string(), prefix_length.to_string()];
        finish(script(include_str!("network/bridge.sh"), words)?).await.context("making a bridge")?;
        Ok(network)
    }

    /// The address of this machine on the bridge.
    pub fn gateway(&self) -> Ipv4Addr {
        self.gateway
    }

    /// The name of the bridge.
    pub fn bridge(&self) -> &str {
        &self.bridge
    }

    fn addresses(&self) -> MutexGuard<'_, Addresses> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
