//! Bytes in a mapping of their own. The one file that names `memmap2`.
//!
//! A mapping returns to the system when it is dropped. An allocator keeps freed memory of this size for later:
//! after thousands of answers that nobody read, that is most of what they took.

use bytes::Bytes;
use memmap2::MmapMut;

/// The least size of a mapping: it takes whole pages, and calls of the system.
const LEAST: usize = 32 * 1024;

/// Bytes, in a mapping if they are many.
#[derive(Debug)]
pub(crate) enum Mapped {
    Few(Bytes),
    Many(MmapMut),
}

impl From<Bytes> for Mapped {
    fn from(bytes: Bytes) -> Self {
        if bytes.len() < LEAST {
            return Self::Few(bytes);
        }
        match MmapMut::map_anon(bytes.len()) {
            Ok(mut mapping) => {
                mapping.copy_from_slice(&bytes);
                Self::Many(mapping)
            }
            Err(_) => Self::Few(bytes),
        }
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Few(bytes) => bytes,
            Self::Many(mapping) => mapping,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{LEAST, Mapped};

    #[test]
    fn bytes_stay_what_they_are() {
        for length in [0, 1, LEAST - 1, LEAST, LEAST + 1, 10 * LEAST + 7] {
            let bytes: Bytes = (0..length).map(|at| (at % 251) as u8).collect();
            let mapped = Mapped::from(bytes.clone());
            assert_eq!(mapped.as_ref(), &bytes[..]);
            assert_eq!(matches!(mapped, Mapped::Many(_)), length >= LEAST, "{length}");
        }
    }
}
