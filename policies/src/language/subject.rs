//! Subjects of conditions. This file is all that there is to say of a subject: how it is written and
//! shown, where its values come from, what it costs, and its number on the wire.
//!
//! Everything else treats all subjects alike: reading, rendering, warnings, the index, the explanation
//! and the wire. A new subject is a variant of [`Subject`] and a row of [`Subject::KINDS`]; without the
//! row it cannot be written in YAML, and injects nothing.

use std::fmt;

use super::{
    facts::Facts,
    query,
    values::{HeaderName, NameError},
};

/// The part of a request that a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    Method,
    /// The path without the query string.
    Path,
    Header(HeaderName),
    /// The query parameter of this name, percent-decoded.
    Query(String),
}

/// A kind of subject: what all subjects have in common that differ only in their name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Its key under `match`.
    #[cfg(feature = "authoring")]
    pub(crate) key: &'static str,
    #[cfg(feature = "authoring")]
    pub(crate) form: Form,
    /// Its number in the snapshot, from format 2 on.
    pub(crate) code: u8,
    /// Its place in the index: the lowest of a rule's conditions tells most requests apart.
    pub(crate) rank: u8,
    read: fn(String) -> Result<Subject, NameError>,
}

/// The form in which conditions on a kind of subject are written.
#[cfg(feature = "authoring")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// One matcher, of what every request has; at the key `prefix`, the text that it begins with.
    Single { prefix: Option<&'static str> },
    /// A list of matchers with a `name`, of what may be absent.
    Named,
}

impl Subject {
    const METHOD: Kind = Kind {
        #[cfg(feature = "authoring")]
        key: "method",
        #[cfg(feature = "authoring")]
        form: Form::Single { prefix: None },
        code: 1,
        rank: Self::LAST_RANK,
        read: |_| Ok(Self::Method),
    };
    const PATH: Kind = Kind {
        #[cfg(feature = "authoring")]
        key: "path",
        #[cfg(feature = "authoring")]
        form: Form::Single { prefix: Some("path_prefix") },
        code: 2,
        rank: 0,
        read: |_| Ok(Self::Path),
    };
    const HEADER: Kind = Kind {
        #[cfg(feature = "authoring")]
        key: "headers",
        #[cfg(feature = "authoring")]
        form: Form::Named,
        code: 3,
        rank: 1,
        read: |name| name.try_into().map(Self::Header),
    };
    const QUERY: Kind = Kind {
        #[cfg(feature = "authoring")]
        key: "query",
        #[cfg(feature = "authoring")]
        form: Form::Named,
        code: 4,
        rank: 2,
        read: |name| Ok(Self::Query(name)),
    };

    /// All kinds, the cheapest to test first.
    pub(crate) const KINDS: [Kind; 4] = [Self::METHOD, Self::PATH, Self::HEADER, Self::QUERY];

    /// The rank of what tells few requests apart.
    pub(crate) const LAST_RANK: u8 = u8::MAX;

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Method => Self::METHOD,
            Self::Path => Self::PATH,
            Self::Header(_) => Self::HEADER,
            Self::Query(_) => Self::QUERY,
        }
    }

    /// The name that tells it from others of its kind; empty where there are no others.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Method | Self::Path => "",
            Self::Header(name) => name.as_str(),
            Self::Query(name) => name,
        }
    }

    /// The field of the request that its values come from, as HTTP/2 names it.
    pub(crate) fn field(&self) -> &str {
        match self {
            Self::Method => ":method",
            Self::Path | Self::Query(_) => ":path",
            Self::Header(name) => name.as_str(),
        }
    }

    /// True if `does` is true of any of its values in a request.
    #[inline]
    pub(crate) fn any(&self, facts: &impl Facts, mut does: impl FnMut(&[u8]) -> bool) -> bool {
        match self {
            Self::Method => facts.method().is_some_and(|method| does(&method)),
            Self::Path => facts.path().is_some_and(|path| does(&path)),
            Self::Header(name) => facts.header(name.as_str()).is_some_and(|value| does(&value)),
            Self::Query(name) => {
                facts.query().is_some_and(|query| query::values(&query, name).any(|value| does(&value)))
            }
        }
    }

    /// The work to find its values in a request, in bytes that are read.
    pub(crate) fn searched(&self, facts: &impl Facts) -> usize {
        let in_query = match self {
            Self::Method | Self::Path | Self::Header(_) => 0,
            Self::Query(_) => facts.query().map_or(0, |query| query.len()),
        };
        facts.fields_searched() + in_query
    }

    /// True if few requests have a value that begins with `prefix`.
    pub(crate) fn is_told_apart_by(&self, prefix: &str) -> bool {
        match self {
            Self::Path => !matches!(prefix, "" | "/"),
            Self::Method | Self::Header(_) | Self::Query(_) => !prefix.is_empty(),
        }
    }

    /// Its place among the conditions of a rule: the cheapest is tested first.
    pub(crate) fn cost(&self) -> usize {
        let code = self.kind().code;
        Self::KINDS.iter().position(|kind| kind.code == code).unwrap_or(Self::KINDS.len())
    }
}

impl Kind {
    /// The subject of this kind and name.
    pub(crate) fn subject(&self, name: String) -> Result<Subject, NameError> {
        (self.read)(name)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method => f.write_str("the method"),
            Self::Path => f.write_str("the path"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Query(name) => write!(f, "query parameter {name}"),
        }
    }
}

#[cfg(all(test, feature = "authoring"))]
mod tests {
    use std::collections::HashSet;

    use super::Subject;

    #[test]
    fn each_kind_has_a_key_and_a_code_of_its_own() {
        for kind in Subject::KINDS {
            let subject = kind.subject("a".to_owned()).unwrap();
            assert_eq!((subject.kind().key, subject.kind().code), (kind.key, kind.code));
        }
        let keys: HashSet<_> = Subject::KINDS.iter().map(|kind| kind.key).collect();
        let codes: HashSet<_> = Subject::KINDS.iter().map(|kind| kind.code).collect();
        assert_eq!((keys.len(), codes.len()), (Subject::KINDS.len(), Subject::KINDS.len()));
    }
}
