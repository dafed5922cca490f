//! The addresses of a network that Pods have or may get.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Addresses are handed out in turn, so that a new Pod does not get that of one that has just ended.
#[derive(Debug)]
pub(super) struct Addresses {
    first: u32,
    /// Their number.
    size: u32,
    taken: BTreeSet<u32>,
    next: u32,
}

impl Addresses {
    /// All of the network but its first and last, and `gateway`.
    pub(super) fn around(gateway: Ipv4Addr, prefix_length: u8) -> Self {
        let size = 1_u32.checked_shl(32 - u32::from(prefix_length)).unwrap_or(u32::MAX);
        let gateway = gateway.to_bits();
        let first = gateway & !(size - 1);
        Self { first, size, taken: BTreeSet::from([first, gateway, first + (size - 1)]), next: 1 }
    }

    /// An address that nobody has.
    pub(super) fn take(&mut self) -> Option<Ipv4Addr> {
        for _ in 0..self.size {
            let address = self.first + self.next % self.size;
            self.next = self.next.wrapping_add(1);
            if self.taken.insert(address) {
                return Some(Ipv4Addr::from_bits(address));
            }
        }
        None
    }

    pub(super) fn give_back(&mut self, address: Ipv4Addr) {
        self.taken.remove(&address.to_bits());
    }
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    #[test]
    fn a_network_is_used_up_but_for_its_ends_and_its_gateway() {
        let mut addresses = Addresses::around([10, 1, 2, 129].into(), 29);
        let taken: Vec<_> =
            std::iter::from_fn(|| addresses.take()).map(|address| address.octets()[3]).collect();
        assert_eq!(taken, [130, 131, 132, 133, 134]);
    }

    #[test]
    fn an_address_that_was_given_back_is_the_last_to_be_used_again() {
        let mut addresses = Addresses::around([10, 1, 2, 1].into(), 29);
        let first = addresses.take().unwrap();
        addresses.give_back(first);
        let others: Vec<_> = std::iter::from_fn(|| addresses.take()).collect();
        assert_eq!(others.len(), 5);
        assert_eq!(others.last(), Some(&first));
    }
}
