//! Clients, told apart by the address of the peer.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    str::FromStr,
    sync::LazyLock,
};

/// Random, so that nobody can choose addresses that pass for those of others.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The lengths of the prefixes of addresses that count as one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    v4: u8,
    v6: u8,
}

/// A client: all addresses of one prefix. It is a hash of them, since each connection has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(u64);

impl Default for Prefixes {
    /// Each address by itself, as each Pod has one.
    fn default() -> Self {
        Self { v4: 32, v6: 128 }
    }
}

impl Prefixes {
    /// The client that an address belongs to.
    pub fn client(self, address: IpAddr) -> Client {
        let (address, kept) = match address.to_canonical() {
            IpAddr::V4(address) => (address.to_ipv6_mapped(), 96 + self.v4),
            IpAddr::V6(address) => (address, self.v6),
        };
        let mask = u128::MAX.checked_shl(128 - u32::from(kept)).unwrap_or(0);
        Client(HASHER.hash_one(address.to_bits() & mask))
    }
}

impl FromStr for Prefixes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reason = "must be the lengths for IPv4 (at most 32) and IPv6 (at most 128), such as 32,128";
        let (v4, v6) = text.split_once(',').ok_or(reason)?;
        let length = |text: &str, most| text.parse().ok().filter(|length| *length <= most).ok_or(reason);
        Ok(Self { v4: length(v4, 32)?, v6: length(v6, 128)? })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::Prefixes;

    fn is_one(prefixes: &str, one: &str, other: &str) -> bool {
        let prefixes: Prefixes = prefixes.parse().unwrap();
        let client = |address: &str| prefixes.client(address.parse::<IpAddr>().unwrap());
        client(one) == client(other)
    }

    #[test]
    fn addresses_of_one_prefix_are_one_client() {
        for (prefixes, one, other, expected) in [
            ("32,64", "10.0.0.1", "10.0.0.1", true),
            ("32,64", "10.0.0.1", "::ffff:10.0.0.1", true),
            ("32,64", "10.0.0.1", "10.0.0.2", false),
            ("24,64", "10.0.0.1", "10.0.0.255", true),
            ("24,64", "10.0.0.1", "10.0.1.1", false),
            ("32,64", "2001:db8::1", "2001:db8::ffff", true),
            ("32,64", "2001:db8::1", "2001:db8:0:1::1", false),
            ("32,128", "2001:db8::1", "2001:db8::2", false),
            ("0,0", "10.0.0.1", "192.168.0.1", true),
            ("0,0", "2001:db8::1", "fe80::1", true),
            ("0,0", "10.0.0.1", "fe80::1", false),
        ] {
            assert_eq!(is_one(prefixes, one, other), expected, "{prefixes} {one} {other}");
        }
        assert_eq!("32,128".parse(), Ok(Prefixes::default()));
    }

    #[test]
    fn no_other_length_is_taken() {
        for text in ["", "32", "33,64", "32,129", "-1,64", "32,64,1", "a,b", "32, 64"] {
            assert!(text.parse::<Prefixes>().is_err(), "{text}");
        }
    }
}
