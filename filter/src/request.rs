//! A request as policies see it.

use std::{
    borrow::Cow,
    cell::{OnceCell, RefCell},
};

use policies::{Facts, Timestamp};

/// What a request asks of the host.
pub trait Source {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// The value of a header field, or of a pseudo-header such as `:path`.
    fn header(&self, name: &str) -> Option<Vec<u8>>;
}

/// The facts of one request. Each is a call into the host, so each is fetched when a rule first asks
/// for it, and then kept.
#[derive(Debug)]
pub struct Request<S> {
    source: S,
    now: OnceCell<Timestamp>,
    method: OnceCell<Option<Vec<u8>>>,
    path: OnceCell<Option<Vec<u8>>>,
    headers: RefCell<Vec<(String, Option<Vec<u8>>)>>,
}

impl<S: Source> Request<S> {
    pub fn new(source: S) -> Self {
        Self {
            source,
            now: OnceCell::new(),
            method: OnceCell::new(),
            path: OnceCell::new(),
            headers: RefCell::default(),
        }
    }
}

impl<S: Source> Facts for Request<S> {
    fn now(&self) -> Timestamp {
        *self.now.get_or_init(|| self.source.now())
    }

    fn method(&self) -> Option<Cow<'_, [u8]>> {
        self.method.get_or_init(|| self.source.header(":method")).as_deref().map(Cow::Borrowed)
    }

    fn path(&self) -> Option<Cow<'_, [u8]>> {
        let without_query = || {
            let mut path = self.source.header(":path")?;
            let end = path.iter().position(|byte| *byte == b'?').unwrap_or(path.len());
            path.truncate(end);
            Some(path)
        };
        self.path.get_or_init(without_query).as_deref().map(Cow::Borrowed)
    }

    fn header(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let known = |headers: &[(String, Option<Vec<u8>>)]| {
            headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let value = known(&self.headers.borrow());
        let value = value.unwrap_or_else(|| {
            let value = self.source.header(name);
            self.headers.borrow_mut().push((name.to_owned(), value.clone()));
            value
        });
        value.map(Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use policies::{Facts, Timestamp};

    use super::{Request, Source};

    /// A host that remembers what it was asked.
    #[derive(Default)]
    struct Host(RefCell<Vec<String>>);

    impl Source for &Host {
        fn now(&self) -> Timestamp {
            self.0.borrow_mut().push("now".into());
            Timestamp::from_millis(1)
        }

        fn header(&self, name: &str) -> Option<Vec<u8>> {
            self.0.borrow_mut().push(name.into());
            match name {
                ":path" => Some(b"/a?b=/c".to_vec()),
                ":method" => Some(b"GET".to_vec()),
                _ => None,
            }
        }
    }

    #[test]
    fn the_host_is_asked_once_for_what_is_needed_and_never_for_more() {
        let host = Host::default();
        let request = Request::new(&host);
        assert!(host.0.borrow().is_empty());
        for _ in 0..3 {
            assert_eq!(request.path().as_deref(), Some(&b"/a"[..]));
            assert_eq!(request.method().as_deref(), Some(&b"GET"[..]));
            assert_eq!(request.header("x-a"), None);
            assert_eq!(request.now(), Timestamp::from_millis(1));
        }
        assert_eq!(*host.0.borrow(), [":path", ":method", "x-a", "now"]);
    }
}
