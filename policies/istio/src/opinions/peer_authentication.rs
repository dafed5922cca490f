//! Opinions about PeerAuthentications.

use crate::written::Mtls;

/// The mode of a section that names none: to refuse plain text is the reason to write the section.
pub const MTLS: Mtls = Mtls::Strict;
