//! The policies for clients of the first generation, made once for all: each worker of their proxies asks every
//! second.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::{BufMut as _, Bytes, BytesMut};
use policies::{Digest, Timestamp, rendering::first_generation, repository::LocatedPolicy};
use serde_json::Value;

use crate::{
    api::policy_status::PolicyState,
    clock,
    serving::{namespaces::Namespaces, published::Published, status},
};

const BEGIN: &[u8] = b"{\"policies\":";
const END: &[u8] = b"}";

/// The policies in force that clients of the first generation know.
#[derive(Debug)]
pub(crate) struct Listing {
    /// `{"policies":[…]}`
    pub(crate) body: Bytes,
    pub(crate) etag: String,
    /// The time at which it is another one, even if nothing else is published.
    pub(crate) until: Option<Timestamp>,
}

/// The newest listing.
#[derive(Debug, Default)]
pub(crate) struct Listings(Mutex<Option<(Of, Arc<Listing>)>>);

/// The values that a listing depends on. Keeps no policies that are served no more.
type Of = (Weak<Published>, Option<Arc<Namespaces>>);

impl Listing {
    /// The array of the policies alone.
    pub(crate) fn array(&self) -> Bytes {
        self.body.slice(BEGIN.len()..self.body.len() - END.len())
    }

    fn of(published: &Published, namespaces: Option<&Namespaces>, now: Timestamp) -> Self {
        let catalog = published.served();
        let is_in_force =
            |located: &&LocatedPolicy| status::state(located, published, namespaces) == PolicyState::Active;
        let entries = || catalog.policies().iter().filter(is_in_force).map(|located| located.entry_at(now));
        let body = body(entries().filter_map(|entry| first_generation::policy(&entry, now).ok()));
        let until = entries().filter_map(|entry| first_generation::next_end(&entry, now)).min();
        Self { etag: Digest::of(&body).etag(), body, until }
    }
}

/// `{"policies":[…]}`, one document after the other, so that there is never more than one of them beside it.
pub(crate) fn body(documents: impl Iterator<Item = Value>) -> Bytes {
    let mut body = BytesMut::from(BEGIN);
    body.put_u8(b'[');
    for (i, document) in documents.enumerate() {
        if i > 0 {
            body.put_u8(b',');
        }
        body.put(document.to_string().as_bytes());
    }
    body.put_u8(b']');
    body.put(END);
    body.freeze()
}

impl Listings {
    /// The listing of what is published, if it has been made and still holds.
    pub(crate) fn known(
        &self,
        published: &Arc<Published>,
        namespaces: Option<&Arc<Namespaces>>,
    ) -> Option<Arc<Listing>> {
        let newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ((of, with), listing) = newest.as_ref()?;
        let is_of_it = of.as_ptr() == Arc::as_ptr(published) && with.as_ref() == namespaces;
        let holds = listing.until.is_none_or(|until| clock::now() < until);
        (is_of_it && holds).then(|| Arc::clone(listing))
    }

    /// The listing of what is published, made again only if it is not known. It takes long for thousands of
    /// policies.
    pub(crate) fn make(
        &self,
        published: &Arc<Published>,
        namespaces: Option<Arc<Namespaces>>,
    ) -> Arc<Listing> {
        if let Some(listing) = self.known(published, namespaces.as_ref()) {
            return listing;
        }
        let listing = Arc::new(Listing::of(published, namespaces.as_deref(), clock::now()));
        let of = (Arc::downgrade(published), namespaces);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((of, Arc::clone(&listing)));
        listing
    }
}
