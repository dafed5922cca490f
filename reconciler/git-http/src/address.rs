//! The URLs of a repository's services, before and after redirects.

use reqwest::{
    Url,
    header::{HeaderMap, LOCATION},
};

use crate::{failure::Failure, git_service::GitService};

const REFS: &str = "info/refs";

/// The URL of a repository, as the user gave it or redirects led to it. It ends with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base(Url);

impl Base {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        let slash = if url.ends_with('/') { "" } else { "/" };
        let url = Url::parse(&format!("{url}{slash}")).ok().and_then(without_user);
        url.filter(Url::has_host).map(Self).ok_or(Failure::Url)
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The URL of the list of refs.
    pub(crate) fn refs(&self, service: GitService) -> Result<Url, Failure> {
        let mut url = self.0.join(REFS).map_err(|_| Failure::Url)?;
        url.set_query(Some(&query(service)));
        Ok(url)
    }

    /// The URL that takes what is wanted, or a push.
    pub(crate) fn service(&self, service: GitService) -> Result<Url, Failure> {
        self.0.join(service.name()).map_err(|_| Failure::Url)
    }

    /// The repository whose list of refs was found at a URL. Git's rule: the end that was asked for is still there.
    pub(crate) fn of_refs(url: &Url, service: GitService) -> Result<Self, Failure> {
        let is_asked = url.query() == Some(query(service).as_str());
        let path = url.path().strip_suffix(REFS).filter(|path| path.ends_with('/') && is_asked);
        let path = path.ok_or_else(|| Failure::RedirectedAway { origin: origin(url) })?;
        let mut base = url.clone();
        base.set_query(None);
        base.set_path(path);
        Ok(Self(base))
    }
}

/// The query that asks for the refs of a service.
fn query(service: GitService) -> String {
    format!("service={}", service.name())
}

/// The URL to which an answer redirects.
pub(crate) fn redirected(from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let location = headers.get(LOCATION).and_then(|location| str::from_utf8(location.as_bytes()).ok());
    let to = location.and_then(|location| from.join(location).ok()).and_then(without_user);
    match to.filter(Url::has_host) {
        Some(to) if to.scheme() == "https" || to.scheme() == from.scheme() => Ok(to),
        Some(to) if to.scheme() == "http" => Err(Failure::Downgrade { origin: origin(&to) }),
        _ => Err(Failure::RedirectedNowhere),
    }
}

/// The scheme, host and port.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The host and port.
pub(crate) fn host(url: &Url) -> String {
    origin(url).split_once("://").map_or_else(String::new, |(_, host)| host.to_owned())
}

/// The URL without user information, which would become a header.
fn without_user(mut url: Url) -> Option<Url> {
    if !url.username().is_empty() || url.password().is_some() {
        url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::{
        Url,
        header::{HeaderMap, HeaderValue, LOCATION},
    };

    use super::{Base, redirected};
    use crate::{
        failure::Failure,
        git_service::GitService::{ReceivePack, UploadPack},
    };

    fn to(from: &str, location: &[u8]) -> Result<Url, Failure> {
        let Ok(location) = HeaderValue::from_bytes(location) else { return Err(Failure::RedirectedNowhere) };
        redirected(&from.parse().unwrap(), &HeaderMap::from_iter([(LOCATION, location)]))
    }

    #[test]
    fn the_services_of_a_repository_are_below_its_url() {
        for url in ["https://git.example/a b/p.git", "https://git.example/a%20b/p.git/"] {
            let base = Base::new(url).unwrap();
            for (service, name) in [(UploadPack, "git-upload-pack"), (ReceivePack, "git-receive-pack")] {
                let refs = base.refs(service).unwrap();
                let asked = format!("https://git.example/a%20b/p.git/info/refs?service={name}");
                assert_eq!(refs.as_str(), asked);
                let url = base.service(service).unwrap();
                assert_eq!(url.as_str(), format!("https://git.example/a%20b/p.git/{name}"));
                assert_eq!(Base::of_refs(&refs, service).as_ref(), Ok(&base));
            }
        }
        for bad in ["", "https://", "https://a b/", "http://[::1/p.git"] {
            assert_eq!(Base::new(bad), Err(Failure::Url), "{bad}");
        }
    }

    #[test]
    fn a_repository_that_moved_is_found_and_a_page_for_logins_is_none() {
        let from = "https://git.example/p.git/info/refs?service=git-upload-pack";
        let moved = to(from, b"/q/p.git/info/refs?service=git-upload-pack").unwrap();
        assert_eq!(Base::of_refs(&moved, UploadPack), Base::new("https://git.example/q/p.git"));
        for page in
            ["https://sso.example/login?to=x", "/p.git/info/refs", "/info/refs/?service=git-upload-pack"]
        {
            let failure = Base::of_refs(&to(from, page.as_bytes()).unwrap(), UploadPack).unwrap_err();
            assert!(matches!(failure, Failure::RedirectedAway { .. }), "{page}");
        }
    }

    #[test]
    fn what_leads_out_of_tls_or_out_of_http_is_not_followed() {
        let origin = "http://git.example".to_owned();
        assert_eq!(to("https://git.example/", b"http://git.example/x"), Err(Failure::Downgrade { origin }));
        for location in
            [&b"file:///etc/passwd"[..], b"ssh://git.example/x", b"ext::sh", b"https://", b"\xff\xfe"]
        {
            assert_eq!(to("http://git.example/", location), Err(Failure::RedirectedNowhere), "{location:?}");
        }
        assert_eq!(to("http://a/", b"https://me:secret@b/x").unwrap().as_str(), "https://b/x");
    }

    proptest! {
        #[test]
        fn whatever_a_server_names_is_http_and_holds_no_user(location: Vec<u8>) {
            if let Ok(url) = to("http://git.example/p.git/info/refs", &location) {
                prop_assert!(url.scheme().starts_with("http") && url.username().is_empty());
            }
        }
    }
}
