//! A line of the token file: `NAME TOKEN|serviceaccount:NS/NAME [RIGHT…]`.

use policies::language::Glob;

use super::rights::{Rights, UserName};

/// The shortest token, in characters.
const MIN_TOKEN: usize = 16;
/// The kinds that no token may write.
const NEVER: [&str; 2] = ["Halt", "Guardrail"];

/// A line of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) credential: Credential<'a>,
    pub(super) rights: Rights,
}

/// The proof that a user gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    Token(&'a str),
    ServiceAccount { namespace: &'a str, name: &'a str },
}

impl<'a> Entry<'a> {
    /// Reads a line. The error says what would be right, and shows nothing that may be secret.
    pub(super) fn read(line: &'a str) -> Result<Self, String> {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().unwrap_or_default();
        let user = UserName::parse(name)
            .ok_or("must begin with a name: 1 to 63 lower-case letters, digits and `-`")?;
        let credential = Credential::read(words.next().ok_or("has no token after the name")?)?;
        let mut rights = Rights::of(user);
        let mut seen = Vec::new();
        for word in words {
            let (key, value) = word.split_once('=').map_or((word, None), |(key, value)| (key, Some(value)));
            if seen.contains(&key) {
                return Err(format!("has `{key}` twice; keep one"));
            }
            grant(&mut rights, key, value)?;
            seen.push(key);
        }
        Ok(Self { credential, rights })
    }
}

impl Entry<'_> {
    /// Refuses rights where a line has none.
    pub(super) fn check(self, takes_rights: bool) -> Result<Self, String> {
        if takes_rights || self.rights == Rights::of(self.rights.user.clone()) {
            return Ok(self);
        }
        Err("has a right after the token; the lines of this file have none".to_owned())
    }
}

impl<'a> Credential<'a> {
    fn read(word: &'a str) -> Result<Self, String> {
        let Some(account) = word.strip_prefix("serviceaccount:") else {
            let is_printable = word.bytes().all(|byte| byte.is_ascii_graphic());
            return if is_printable && word.len() >= MIN_TOKEN {
                Ok(Self::Token(word))
            } else {
                Err(format!("has a token that is not of at least {MIN_TOKEN} printable ASCII characters"))
            };
        };
        let (namespace, name) = account
            .split_once('/')
            .filter(|(namespace, name)| is_label(namespace) && is_subdomain(name))
            .ok_or("names a ServiceAccount that is not of the form serviceaccount:NAMESPACE/NAME")?;
        Ok(Self::ServiceAccount { namespace, name })
    }
}

/// Adds a right.
fn grant(rights: &mut Rights, key: &str, value: Option<&str>) -> Result<(), String> {
    match (key, value) {
        ("folder", Some(value)) => rights.directory = Some(directory(value)?),
        ("namespaces", Some(value)) => {
            let globs = value.split(',').map(|text| {
                let glob =
                    Glob::try_from(text.to_owned()).map_err(|error| format!("has in `namespaces`: {error}"));
                glob.and_then(|glob| if text.is_empty() { Err(list("namespaces")) } else { Ok(glob) })
            });
            rights.namespaces = Some(globs.collect::<Result<_, _>>()?);
        }
        ("kinds", Some(value)) => rights.kinds = value.split(',').map(kind).collect::<Result<_, _>>()?,
        ("default-namespace", Some(value)) if is_label(value) => {
            rights.default_namespace = Some(value.to_owned());
        }
        ("default-namespace", Some(_)) => {
            return Err("has a `default-namespace` that is no namespace".to_owned());
        }
        ("wildcard", None) => rights.wildcard = true,
        ("resume", None) => rights.resume = true,
        ("wildcard" | "resume", Some(_)) => return Err(format!("has `{key}` with a value; it takes none")),
        ("folder" | "namespaces" | "kinds" | "default-namespace", None) => {
            return Err(format!("has `{key}` without a value; write `{key}=…`"));
        }
        // Not shown: it may be a part of a token.
        _ => {
            return Err(
                "has an unknown right; known: folder=, namespaces=, kinds=, default-namespace=, wildcard, \
                        resume"
                    .to_owned(),
            );
        }
    }
    Ok(())
}

fn list(key: &str) -> String {
    format!("has `{key}` with an empty part; separate the parts by one comma")
}

/// A directory below the policy directory, without slashes at its ends.
fn directory(value: &str) -> Result<String, String> {
    let parts: Vec<_> = value.split('/').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() || parts.iter().any(|part| part.starts_with('.')) {
        return Err("has a `folder` that is no directory below the policy directory".to_owned());
    }
    Ok(parts.join("/"))
}

fn kind(value: &str) -> Result<String, String> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("has in `kinds` something that is no kind".to_owned());
    }
    if NEVER.contains(&value) {
        return Err(format!("has `{value}` in `kinds`, which no token may write"));
    }
    Ok(value.to_owned())
}

/// True for a namespace (RFC 1123 label).
fn is_label(text: &str) -> bool {
    text.len() <= 63 && !text.contains('.') && is_subdomain(text)
}

/// True for a name of an object (RFC 1123 subdomain).
fn is_subdomain(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(fits) && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Credential, Entry};

    const TOKEN: &str = "0123456789abcdef";

    #[test]
    fn a_line_is_a_name_a_token_and_rights() {
        let line = format!(
            "ci {TOKEN} folder=/teams/shop/ namespaces=shop-*,demo kinds=FaultPolicy default-namespace=demo wildcard resume"
        );
        let Entry { credential, rights } = Entry::read(&line).unwrap();
        assert_eq!(credential, Credential::Token(TOKEN));
        assert_eq!((rights.user.as_str(), rights.directory.as_deref()), ("ci", Some("teams/shop")));
        assert_eq!(rights.namespaces.unwrap().len(), 2);
        assert_eq!(
            (rights.default_namespace.as_deref(), rights.wildcard, rights.resume),
            (Some("demo"), true, true)
        );
        let plain = Entry::read(&format!("me\t{TOKEN}")).unwrap().rights;
        assert_eq!(
            (plain.kinds, plain.wildcard, plain.resume),
            (vec!["FaultPolicy".to_owned()], false, false)
        );
    }

    #[test]
    fn a_service_account_is_named_in_full() {
        let entry = Entry::read("flux serviceaccount:flux-system/kustomize-controller").unwrap();
        let account = Credential::ServiceAccount { namespace: "flux-system", name: "kustomize-controller" };
        assert_eq!(entry.credential, account);
        for bad in [
            "serviceaccount:",
            "serviceaccount:a",
            "serviceaccount:/a",
            "serviceaccount:a/",
            "serviceaccount:A/b",
        ] {
            assert!(Entry::read(&format!("flux {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_line_is_told_without_its_token() {
        for (line, reason) in [
            ("Me 0123456789abcdef", "must begin with a name"),
            ("me", "has no token"),
            ("me 0123456789abcde", "at least 16"),
            ("me 0123456789abcd\u{e9}f", "printable ASCII"),
            ("me 0123456789abcdef admin", "unknown right"),
            ("me 0123456789abcdef wildcard wildcard", "twice"),
            ("me 0123456789abcdef wildcard=yes", "takes none"),
            ("me 0123456789abcdef folder", "without a value"),
            ("me 0123456789abcdef folder=../x", "no directory"),
            ("me 0123456789abcdef folder=/", "no directory"),
            ("me 0123456789abcdef namespaces=a,,b", "empty part"),
            ("me 0123456789abcdef namespaces=A", "namespaces"),
            ("me 0123456789abcdef kinds=Halt", "no token may write"),
            ("me 0123456789abcdef kinds=FaultPolicy,Guardrail", "no token may write"),
            ("me 0123456789abcdef default-namespace=a.b", "no namespace"),
        ] {
            let error = Entry::read(line).unwrap_err();
            assert!(error.contains(reason) && !error.contains("0123456789"), "{line}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,60}") {
            let _ = Entry::read(&line);
        }
    }
}
