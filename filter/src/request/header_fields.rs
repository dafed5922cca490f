//! The header fields and pseudo-headers of one request, each read from the host when it is first needed. If many are
//! needed, all of them are read at once.

use std::cell::{Cell, OnceCell};

use super::{header_map, source::RequestSource};

/// Number of fields that are read one by one. One that needs more reads all of them at once.
const MAX_SINGLE_READS: usize = 4;

/// Fields that were read.
#[derive(Debug, Default)]
pub(super) struct HeaderFields {
    needs_several: Cell<bool>,
    all: OnceCell<Option<Vec<u8>>>,
    headers: OnceCell<Box<Header>>,
}

/// Header field that was read, in a linked list: its entries never move, so they can be borrowed.
#[derive(Debug)]
struct Header {
    name: String,
    value: Option<Vec<u8>>,
    next: OnceCell<Box<Self>>,
}

impl HeaderFields {
    /// About so many fields are going to be read.
    pub(super) fn announce(&self, fields: usize) {
        self.needs_several.set(fields > 1);
    }

    /// Number of fields that are looked at to find one.
    pub(super) fn searched(&self, source: &impl RequestSource) -> usize {
        self.all(source).map_or(MAX_SINGLE_READS, header_map::count)
    }

    /// All header fields, if more than a few are needed.
    fn all(&self, source: &impl RequestSource) -> Option<&[u8]> {
        if !self.needs_several.get() {
            return None;
        }
        self.all.get_or_init(|| source.header_map()).as_deref()
    }

    /// Value of a field; the first one if it is repeated.
    pub(super) fn get(&self, source: &impl RequestSource, name: &str) -> Option<&[u8]> {
        let (mut next, mut passed) = (&self.headers, 0);
        loop {
            if let Some(all) = self.all(source) {
                // Envoy keeps both as one (RFC 9113, section 8.3.1).
                return header_map::find(all, if name == "host" { ":authority" } else { name });
            }
            let header = next.get_or_init(|| {
                let value = source.header(name);
                Box::new(Header { name: name.to_owned(), value, next: OnceCell::new() })
            });
            if header.name == name {
                return header.value.as_deref();
            }
            (next, passed) = (&header.next, passed + 1);
            if passed == MAX_SINGLE_READS {
                self.needs_several.set(true);
            }
        }
    }
}
