//! The query and the conditions of a request that changes policies. The one file that names `form_urlencoded`.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode, header};
use policies::editing::How;

use super::{conditional::tags_of, problem::Problem};
use crate::{
    printable::is_unprintable,
    writes::{etag::Condition, order::Options},
};

/// The parameters that say yes or no.
const SWITCHES: [&str; 4] = ["dryRun", "restart", "allowWildcard", "rewrite"];
/// The parameters that are texts.
const TEXTS: [&str; 3] = ["message", "folder", "file"];
/// The longest message, in characters.
const MAX_MESSAGE: usize = 200;
/// The longest directory, in bytes, and the most parts of it.
const MAX_DIRECTORY: usize = 1_024;
const MAX_PARTS: usize = 30;

/// The query and the conditions of a write.
#[derive(Debug)]
pub(crate) struct WriteQuery {
    pub(crate) options: Options,
    /// The file from which a policy is removed.
    pub(crate) file: Option<String>,
}

impl WriteQuery {
    pub(crate) fn read(query: Option<&str>, headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = parameters(query.unwrap_or_default())?;
        let mut is_set = |name: &str| match values.remove(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(wrong(format!("`{name}` must be `true` or `false`"))),
        };
        let [dry_run, restart, allow_wildcard, rewrite] = SWITCHES;
        let (dry_run, restart) = (is_set(dry_run)?, is_set(restart)?);
        let (allow_wildcard, rewrite) = (is_set(allow_wildcard)?, is_set(rewrite)?);
        let options = Options {
            dry_run,
            restart,
            allow_wildcard,
            how: if rewrite { How::Rewrite } else { How::InPlace },
            message: values.remove("message").map(message).transpose()?,
            directory: values.remove("folder").map(|folder| in_query(&folder)).transpose()?.flatten(),
            // The body names these.
            directories: BTreeMap::new(),
            condition: condition(headers)?,
        };
        Ok(Self { options, file: values.remove("file") })
    }
}

fn wrong(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

fn parameters(query: &str) -> Result<BTreeMap<String, String>, Problem> {
    let mut values = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if !SWITCHES.contains(&&*name) && !TEXTS.contains(&&*name) {
            let known = [&SWITCHES[..], &TEXTS[..]].concat().join(", ");
            return Err(wrong(format!("`{}` is not a parameter; known here: {known}", name.escape_debug())));
        }
        if values.insert(name.to_string(), value.into_owned()).is_some() {
            return Err(wrong(format!("`{name}` is there twice; keep one")));
        }
    }
    Ok(values)
}

fn message(text: String) -> Result<String, Problem> {
    let is_subject = !text.trim().is_empty()
        && text.chars().count() <= MAX_MESSAGE
        && !text.contains(is_unprintable)
        && text.trim() == text;
    if is_subject {
        return Ok(text);
    }
    Err(wrong(format!("`message` must be one line of 1 to {MAX_MESSAGE} printable characters")))
}

fn in_query(folder: &str) -> Result<Option<String>, Problem> {
    directory(folder).map_err(|reason| wrong(format!("`folder` {reason}")))
}

/// A directory below the policy directory; none for an empty one.
pub(super) fn directory(text: &str) -> Result<Option<String>, &'static str> {
    let parts: Vec<_> = text.split('/').filter(|part| !part.is_empty()).collect();
    let is_odd = |part: &&str| part.starts_with('.') || part.contains('\\') || part.contains(is_unprintable);
    if text.len() > MAX_DIRECTORY || parts.len() > MAX_PARTS || parts.iter().any(is_odd) {
        return Err("must be a directory below the policy directory, whose parts do not begin with a dot");
    }
    Ok((!parts.is_empty()).then(|| parts.join("/")))
}

fn condition(headers: &HeaderMap) -> Result<Condition, Problem> {
    let values = |name| {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default().trim());
        values.collect::<Vec<_>>()
    };
    let (matches, none_match) = (values(header::IF_MATCH), values(header::IF_NONE_MATCH));
    match (matches.as_slice(), none_match.as_slice()) {
        ([], []) => Ok(Condition::Always),
        (["*"], []) => Ok(Condition::Exists),
        ([], ["*"]) => Ok(Condition::Absent),
        ([], _) => Err(wrong("If-None-Match of a write must be `*`".to_owned())),
        (lists, []) => {
            let tags: Vec<_> = lists.iter().flat_map(|list| tags_of(list)).map(str::to_owned).collect();
            if tags.is_empty() {
                return Err(wrong(
                    "If-Match must be `*` or entity tags, such as the `ETag` of the policy".to_owned(),
                ));
            }
            Ok(Condition::Matches(tags))
        }
        _ => Err(wrong("If-Match and If-None-Match exclude each other".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::{Condition, WriteQuery};

    fn read(query: &str, headers: &[(&str, &str)]) -> Option<WriteQuery> {
        let header = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        let headers: HeaderMap = headers.iter().map(header).collect();
        WriteQuery::read(Some(query), &headers).ok()
    }

    #[test]
    fn a_query_has_switches_and_texts() {
        let query = "dryRun=true&restart=false&message=Stop%20it+now&folder=/teams//shop/&file=a.yaml";
        let WriteQuery { options, file } = read(query, &[]).unwrap();
        assert!(options.dry_run && !options.restart && !options.allow_wildcard);
        assert_eq!(options.message.as_deref(), Some("Stop it now"));
        assert_eq!((options.directory.as_deref(), file.as_deref()), (Some("teams/shop"), Some("a.yaml")));
        for bad in [
            "dryrun=true",
            "dryRun=1",
            "dryRun",
            "dryRun=true&dryRun=true",
            "message=",
            "message=a%0Ab",
            "message=%e2%80%ae",
            &format!("message={}", "x".repeat(201)),
            "folder=..",
            "folder=a/../../b",
            "folder=.git",
            "folder=a%5Cb",
        ] {
            assert!(read(bad, &[]).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_condition_is_a_tag_or_a_star() {
        let condition = |headers: &[(&str, &str)]| read("", headers).map(|query| query.options.condition);
        assert_eq!(condition(&[]), Some(Condition::Always));
        assert_eq!(condition(&[("if-match", "*")]), Some(Condition::Exists));
        assert_eq!(condition(&[("if-none-match", "*")]), Some(Condition::Absent));
        let tags = Condition::Matches(vec!["\"a\"".to_owned(), "\"b\"".to_owned()]);
        assert_eq!(condition(&[("if-match", "\"a\", \"b\"")]), Some(tags));
        for bad in [
            &[("if-match", "a")][..],
            &[("if-match", "")],
            &[("if-none-match", "\"a\"")],
            &[("if-match", "*"), ("if-none-match", "*")],
        ] {
            assert_eq!(condition(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in "\\PC{0,60}", tag in "[ -~]{0,20}") {
            let _ = read(&query, &[("if-match", &tag)]);
        }
    }
}
