//! The query of a request for policies; `values` reads that of any other.

use axum::http::StatusCode;

use super::problem::Problem;
use crate::source::ancestry::CommitId;

/// The version of one policy that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Also if it is not in force, and as it was written.
    pub(super) all: bool,
    /// As it was at this commit.
    pub(super) commit: Option<CommitId>,
}

impl Wanted {
    /// Reads the query for one policy.
    pub(super) fn read(query: Option<&str>) -> Result<Self, Problem> {
        let [all, commit] = values(query, ["all", "commit"])?;
        let all = switch("all", all)?;
        let id = |text| {
            CommitId::from_hex(text)
                .ok_or_else(|| wrong("`commit` must be the whole id of a commit, of 40 hex digits"))
        };
        let commit = commit.map(id).transpose()?;
        if commit.is_some() && !all {
            return Err(wrong("`commit` needs `all=true`"));
        }
        Ok(Self { all, commit })
    }
}

/// Reads the query for a list: `all=true` or nothing.
pub(super) fn wants_all(query: Option<&str>) -> Result<bool, Problem> {
    let [all] = values(query, ["all"])?;
    switch("all", all)
}

/// The events of the overview that a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OverviewEvents {
    None,
    /// Each with the overview.
    Full,
    /// Each says only that there is another one.
    Changed,
}

impl OverviewEvents {
    /// Reads `overview=true` or `overview=changed` in a query whose other parameters say nothing.
    pub(super) fn read(query: Option<&str>) -> Result<Self, Problem> {
        match value_of("overview", query)? {
            None | Some("false") => Ok(Self::None),
            Some("true") => Ok(Self::Full),
            Some("changed") => Ok(Self::Changed),
            Some(_) => Err(wrong("`overview` must be `true`, `changed` or `false`")),
        }
    }
}

/// Reads `own=true` in a query whose other parameters say nothing.
pub(super) fn wants_own(query: Option<&str>) -> Result<bool, Problem> {
    switch("own", value_of("own", query)?)
}

/// The value of this parameter, whatever others there are.
fn value_of<'q>(name: &str, query: Option<&'q str>) -> Result<Option<&'q str>, Problem> {
    let mut pairs = query.unwrap_or_default().split('&').filter(|pair| pair.split('=').next() == Some(name));
    let (pair, next) = (pairs.next(), pairs.next());
    let [value] = values(pair, [name])?;
    match next {
        None => Ok(value),
        Some(_) => Err(wrong(&format!("`{name}` is there twice; keep one"))),
    }
}

/// The values of these parameters. There are no others.
pub(super) fn values<'q, const N: usize>(
    query: Option<&'q str>,
    known: [&str; N],
) -> Result<[Option<&'q str>; N], Problem> {
    let mut values = [None; N];
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let slot = known.iter().zip(&mut values).find(|(name, _)| **name == key);
        let Some((_, slot)) = slot else {
            return Err(wrong(&format!("`{key}` is not a parameter; known here: {}", known.join(", "))));
        };
        if slot.replace(value).is_some() {
            return Err(wrong(&format!("`{key}` is there twice; keep one")));
        }
    }
    Ok(values)
}

pub(super) fn switch(name: &str, value: Option<&str>) -> Result<bool, Problem> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(wrong(&format!("`{name}` must be `true` or `false`"))),
    }
}

pub(super) fn wrong(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{OverviewEvents, Wanted, wants_all, wants_own};

    #[test]
    fn a_list_is_of_all_or_not() {
        for (query, all) in
            [(None, false), (Some(""), false), (Some("all=true"), true), (Some("all=false&"), false)]
        {
            assert_eq!(wants_all(query).unwrap(), all, "{query:?}");
            assert_eq!(Wanted::read(query).unwrap(), Wanted { all, commit: None }, "{query:?}");
        }
        for query in ["all", "all=1", "al=true", "all=true&all=true", "all=true&x=", "=", "%61ll=true"] {
            assert!(wants_all(Some(query)).is_err() && Wanted::read(Some(query)).is_err(), "{query}");
        }
    }

    #[test]
    fn what_a_replica_alone_knows_is_asked_for_beside_anything_else() {
        for (query, own) in [(None, false), (Some("a=b&own=true"), true), (Some("own=false"), false)] {
            assert_eq!(wants_own(query).unwrap(), own, "{query:?}");
        }
        for query in ["own", "own=null", "own=true&own=true"] {
            assert!(wants_own(Some(query)).is_err(), "{query}");
        }
    }

    #[test]
    fn events_of_the_overview_are_full_or_short() {
        for (query, events) in [
            (None, OverviewEvents::None),
            (Some("overview=false&a=b"), OverviewEvents::None),
            (Some("overview=true"), OverviewEvents::Full),
            (Some("a=b&overview=changed"), OverviewEvents::Changed),
        ] {
            assert_eq!(OverviewEvents::read(query).unwrap(), events, "{query:?}");
        }
        for query in ["overview", "overview=1", "overview=true&overview=changed"] {
            assert!(OverviewEvents::read(Some(query)).is_err(), "{query}");
        }
    }

    #[test]
    fn a_commit_is_a_whole_id() {
        let id = "4f1d".repeat(10);
        let query = format!("commit={id}&all=true");
        assert_eq!(Wanted::read(Some(&query)).unwrap().commit.unwrap().to_string(), id);
        for query in [
            &format!("commit={id}"),
            &format!("{query}&commit={id}"),
            "all=true&commit=",
            "all=true&commit=4f1d",
            "all=true&commit=main",
            &format!("{query}0"),
        ] {
            assert!(Wanted::read(Some(query)).is_err(), "{query}");
        }
        assert!(wants_all(Some(&query)).is_err());
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in "\\PC{0,60}") {
            let _ = Wanted::read(Some(&query));
        }
    }
}
