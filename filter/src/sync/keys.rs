//! Keys of the shared data.

use policies::Digest;

/// Version of the encoding of state and snapshot. Change it with the layout of a value: different builds of
/// the filter can run in one proxy.
const ENCODING: &str = "hfi.2";
/// Version of the lease. Change it with [`super::shared::LeaseRecord`], or when a build says in its polls what
/// older ones do not: those poll for themselves then. Builds before 3 name no plugins, and those before 4 report no
/// faults.
const LEASE: &str = "hfi.4";

/// Keys of one plugin configuration. All plugins of a proxy use the same key space.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) lease: String,
    /// Last state, and bytes of the snapshot, from the same control plane for the same workload. A
    /// plugin whose configuration has changed starts with these.
    pub(super) state: String,
    pub(super) snapshot: String,
    pub(super) queues: String,
}

impl Keys {
    /// Keys of the VMs with this configuration, which get snapshots of these formats from `source`.
    /// Builds with other formats have other keys, so that none reads bytes that it does not know.
    pub(super) fn new(configuration: &[u8], source: &str, formats: &str) -> Self {
        let key = |version, name, of: &[u8]| {
            let digest = Digest::of_parts([of, formats.as_bytes()]);
            format!("{version}.{name}.{digest}")
        };
        Self {
            lease: key(LEASE, "lease", configuration),
            state: key(ENCODING, "state", source.as_bytes()),
            snapshot: key(ENCODING, "snapshot", source.as_bytes()),
            queues: key(LEASE, "queues", configuration),
        }
    }
}

#[cfg(test)]
mod tests {
    use policies::wire::{Format, poll};

    use super::Keys;

    fn all(Keys { lease, state, snapshot, queues }: Keys) -> [String; 4] {
        [lease, state, snapshot, queues]
    }

    #[test]
    fn builds_with_other_formats_share_nothing() {
        let ours = all(Keys::new(b"{}", "hfi", poll::ACCEPT));
        let other = all(Keys::new(b"{}", "hfi", Format::V1.media_type()));
        assert!(ours.iter().all(|key| !other.contains(key)), "{ours:?}");
    }

    #[test]
    fn another_configuration_shares_the_snapshot_of_the_same_source_alone() {
        let (one, other) = (Keys::new(b"{}", "hfi", "a"), Keys::new(b"{ }", "hfi", "a"));
        assert_eq!((&one.state, &one.snapshot), (&other.state, &other.snapshot));
        assert!(one.lease != other.lease && one.queues != other.queues);
    }
}
