//! One request's facts, read from the host only when a rule needs them.

use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
};

use policies::{Facts, Timestamp, language::Direction};

use super::{header_fields::HeaderFields, source::RequestSource};

/// Facts of one request. Each is read when a rule first needs it, and then kept.
#[derive(Debug)]
pub struct LazyRequest<S> {
    source: S,
    now: OnceCell<Timestamp>,
    direction: OnceCell<Option<Direction>>,
    cluster: OnceCell<Option<Vec<u8>>>,
    caller: OnceCell<Option<Vec<u8>>>,
    fields: HeaderFields,
    /// Position of the query string in the target. A target can be long, and many rules ask for its path.
    question_mark: OnceCell<Option<usize>>,
    is_undecided: Cell<bool>,
}

impl<S: RequestSource> LazyRequest<S> {
    pub fn new(source: S) -> Self {
        Self {
            source,
            now: OnceCell::new(),
            direction: OnceCell::new(),
            cluster: OnceCell::new(),
            caller: OnceCell::new(),
            fields: HeaderFields::default(),
            question_mark: OnceCell::new(),
            is_undecided: Cell::new(false),
        }
    }

    /// True if the request got no fault because matching it took too much work.
    pub fn is_undecided(&self) -> bool {
        self.is_undecided.get()
    }

    fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.get(&self.source, name)
    }

    /// Path, and the query string if there is one.
    fn target(&self) -> Option<(&[u8], Option<&[u8]>)> {
        let target = self.field(":path")?;
        let question_mark = self.question_mark.get_or_init(|| target.iter().position(|byte| *byte == b'?'));
        match *question_mark {
            Some(at) => Some((target.get(..at)?, target.get(at + 1..))),
            None => Some((target, None)),
        }
    }

    /// SPIFFE identity of the caller. A certificate counts first: Envoy itself has verified it for this very
    /// connection, while the record of a tunnel is what other filters of this proxy have written, and one that
    /// copies a header there would let a caller choose it.
    fn caller(&self) -> Option<Vec<u8>> {
        let certificate = self.source.certificate().filter(|uri| !uri.is_empty());
        let caller = certificate.or_else(|| self.source.tunnel_principal())?;
        // A list of URIs is not the identity of one workload, and no identity has a comma.
        (!caller.contains(&b',')).then_some(caller)
    }
}

impl<S: RequestSource> Facts for LazyRequest<S> {
    fn announce(&self, fields: usize) {
        self.fields.announce(fields);
    }

    fn fields_searched(&self) -> usize {
        self.fields.searched(&self.source)
    }

    fn now(&self) -> Timestamp {
        *self.now.get_or_init(|| self.source.now())
    }

    fn method(&self) -> Option<Cow<'_, [u8]>> {
        self.field(":method").map(Cow::Borrowed)
    }

    fn path(&self) -> Option<Cow<'_, [u8]>> {
        self.target().map(|(path, _)| Cow::Borrowed(path))
    }

    fn query(&self) -> Option<Cow<'_, [u8]>> {
        self.target()?.1.map(Cow::Borrowed)
    }

    fn direction(&self) -> Option<Direction> {
        *self.direction.get_or_init(|| self.source.direction())
    }

    fn authority(&self) -> Option<Cow<'_, [u8]>> {
        self.field(":authority").map(Cow::Borrowed)
    }

    fn cluster(&self) -> Option<Cow<'_, [u8]>> {
        self.cluster.get_or_init(|| self.source.cluster()).as_deref().map(Cow::Borrowed)
    }

    fn claim(&self) -> bool {
        self.source.claim()
    }

    fn give_up(&self) {
        self.is_undecided.set(true);
    }

    fn spiffe_id(&self) -> Option<Cow<'_, [u8]>> {
        self.caller.get_or_init(|| self.caller()).as_deref().map(Cow::Borrowed)
    }

    fn header(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.field(name).map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use policies::{Facts, Timestamp, language::Direction};

    use super::LazyRequest;
    use crate::request::{header_map, source::RequestSource};

    /// Host that records the calls.
    #[derive(Default)]
    struct Host {
        calls: RefCell<Vec<String>>,
        certificate: Option<&'static str>,
        principal: Option<&'static str>,
    }

    impl RequestSource for &Host {
        fn now(&self) -> Timestamp {
            self.calls.borrow_mut().push("now".into());
            Timestamp::from_millis(1)
        }

        fn header(&self, name: &str) -> Option<Vec<u8>> {
            self.calls.borrow_mut().push(name.into());
            match name {
                ":path" => Some(b"/a?b=/c".to_vec()),
                ":method" => Some(b"GET".to_vec()),
                _ => None,
            }
        }

        fn header_map(&self) -> Option<Vec<u8>> {
            self.calls.borrow_mut().push("all".into());
            Some(header_map::encode(&[
                (":path", "/a?b=/c"),
                (":authority", "checkout"),
                ("x-a", "1"),
                ("x-a", "2"),
            ]))
        }

        fn direction(&self) -> Option<Direction> {
            self.calls.borrow_mut().push("direction".into());
            Some(Direction::Inbound)
        }

        fn cluster(&self) -> Option<Vec<u8>> {
            self.calls.borrow_mut().push("cluster".into());
            Some(b"outbound|80||cart.shop.svc.cluster.local".to_vec())
        }

        fn claim(&self) -> bool {
            self.calls.borrow_mut().push("claim".into());
            true
        }

        fn certificate(&self) -> Option<Vec<u8>> {
            self.calls.borrow_mut().push("certificate".into());
            self.certificate.map(Into::into)
        }

        fn tunnel_principal(&self) -> Option<Vec<u8>> {
            self.calls.borrow_mut().push("principal".into());
            self.principal.map(Into::into)
        }
    }

    #[test]
    fn each_attribute_is_read_once_and_only_if_needed() {
        let host = Host::default();
        let request = LazyRequest::new(&host);
        assert!(host.calls.borrow().is_empty());
        for _ in 0..3 {
            assert_eq!(request.path().as_deref(), Some(&b"/a"[..]));
            assert_eq!(request.query().as_deref(), Some(&b"b=/c"[..]));
            assert_eq!(request.direction(), Some(Direction::Inbound));
            assert_eq!(request.spiffe_id(), None);
            assert!(request.cluster().is_some_and(|cluster| cluster.starts_with(b"outbound|")));
            assert_eq!(request.method().as_deref(), Some(&b"GET"[..]));
            assert_eq!(request.header("x-a"), None);
            assert_eq!(request.now(), Timestamp::from_millis(1));
        }
        assert_eq!(
            *host.calls.borrow(),
            [":path", "direction", "certificate", "principal", "cluster", ":method", "x-a", "now"]
        );
    }

    #[test]
    fn a_verified_certificate_counts_before_the_record_of_a_tunnel() {
        let (web, mallory) =
            ("spiffe://cluster.local/ns/shop/sa/web", "spiffe://cluster.local/ns/x/sa/mallory");
        for (certificate, principal, caller) in [
            (Some(web), None, Some(web)),
            (None, Some(web), Some(web)),
            // Envoy may give an empty text for none.
            (Some(""), Some(web), Some(web)),
            (Some(mallory), Some(web), Some(mallory)),
            (None, None, None),
        ] {
            let host = Host { certificate, principal, ..Host::default() };
            let request = LazyRequest::new(&host);
            assert_eq!(
                request.spiffe_id().as_deref(),
                caller.map(str::as_bytes),
                "{certificate:?} {principal:?}"
            );
        }
    }

    #[test]
    fn two_identities_are_none() {
        let two = Some("spiffe://cluster.local/ns/shop/sa/web,spiffe://cluster.local/ns/x/sa/mallory");
        for (certificate, principal) in [(two, None), (None, two)] {
            let host = Host { certificate, principal, ..Host::default() };
            assert_eq!(LazyRequest::new(&host).spiffe_id(), None);
        }
    }

    #[test]
    fn many_header_fields_are_read_in_one_call_although_few_were_announced() {
        let host = Host::default();
        let request = LazyRequest::new(&host);
        for _ in 0..2 {
            assert_eq!(request.header("x-b"), None);
            (0..1_000).for_each(|number| assert_eq!(request.header(&format!("x-{number}")), None));
            assert_eq!(request.path().as_deref(), Some(&b"/a"[..]));
        }
        assert_eq!(*host.calls.borrow(), ["x-b", "x-0", "x-1", "x-2", "all"]);
        assert_eq!(request.fields_searched(), 4);
    }

    /// A thousand rules may ask for the path, and a client may send 60 KB of it.
    #[test]
    fn a_long_target_is_searched_for_its_query_once() {
        struct Long;
        impl RequestSource for Long {
            fn now(&self) -> Timestamp {
                Timestamp::from_millis(0)
            }

            fn header(&self, _name: &str) -> Option<Vec<u8>> {
                Some(vec![b'/'; 60_000])
            }

            fn header_map(&self) -> Option<Vec<u8>> {
                None
            }

            fn direction(&self) -> Option<Direction> {
                None
            }

            fn cluster(&self) -> Option<Vec<u8>> {
                None
            }

            fn claim(&self) -> bool {
                true
            }

            fn certificate(&self) -> Option<Vec<u8>> {
                None
            }

            fn tunnel_principal(&self) -> Option<Vec<u8>> {
                None
            }
        }
        let (request, begun) = (LazyRequest::new(Long), std::time::Instant::now());
        for _ in 0..20_000 {
            assert_eq!(request.path().map(|path| path.len()), Some(60_000));
        }
        // Searched each time, it takes more than ten times as long.
        assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
    }

    #[test]
    fn several_header_fields_are_read_in_one_call() {
        let host = Host::default();
        let request = LazyRequest::new(&host);
        request.announce(2);
        assert_eq!(request.path().as_deref(), Some(&b"/a"[..]));
        assert_eq!(request.header("x-a").as_deref(), Some(&b"1"[..]), "the first value of a repeated field");
        assert_eq!(request.header("host").as_deref(), Some(&b"checkout"[..]));
        assert_eq!(request.authority().as_deref(), Some(&b"checkout"[..]));
        assert_eq!(request.header("x-b"), None);
        assert_eq!(*host.calls.borrow(), ["all"]);
    }
}
