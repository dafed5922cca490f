//! `match` as it is written.

use super::{
    fields::{Cursor, Fields, MAX_REGEX_BYTES, inside_out},
    values::glob,
};
use crate::language::{Condition, HeaderName, Match, Matcher, Pattern, SIZE_LIMIT, Source};

/// Reads the conditions of a rule.
pub(crate) fn read(mut fields: Fields<'_>) -> Option<Match> {
    let method = fields.take("method").map(|field| field.fields().and_then(plain));
    let path = fields.take("path").map(|field| field.fields().and_then(plain));
    let path_prefix =
        fields.take("path_prefix").map(|field| Some(Condition::Prefix(field.string()?.to_owned()).into()));
    if path.is_some() && path_prefix.is_some() {
        fields.cursor().report("has `path` and `path_prefix`; keep one");
    }
    let path = path.or(path_prefix);
    let headers = list(fields.take("headers"), header);
    let query = list(fields.take("query"), parameter);
    let source = fields.take("source").map(|field| field.fields().and_then(source));
    let no_conditions = method.is_none() && path.is_none() && source.is_none();
    if no_conditions && is_empty(headers.as_ref()) && is_empty(query.as_ref()) {
        fields.cursor().report("must hold at least one condition; leave `match` out to match every request");
    }
    fields.finish();
    Some(Match {
        method: inside_out(method)?,
        path: inside_out(path)?,
        headers: headers.unwrap_or_else(|| Some(Vec::new()))?,
        query: query.unwrap_or_else(|| Some(Vec::new()))?,
        source: inside_out(source)?,
    })
}

/// Whether there is no list, or nothing in it.
fn is_empty<T>(list: Option<&Option<Vec<T>>>) -> bool {
    list.is_none_or(|list| list.as_ref().is_some_and(Vec::is_empty))
}

/// A regex, as long as the file's regexes together are not too large.
fn pattern(field: &Cursor<'_>) -> Option<Pattern> {
    let text = field.string()?;
    if field.is_regex_budget_spent() {
        field.report(format_args!(
            "is one regex too many: those of a file take at most {MAX_REGEX_BYTES} bytes compiled"
        ));
        return None;
    }
    let pattern = Pattern::parse(text);
    // One that is too large took as long as the largest that is not.
    field.count_regex_bytes(pattern.as_ref().map_or(SIZE_LIMIT, Pattern::size));
    field.accept(pattern)
}

fn list<T>(field: Option<Cursor<'_>>, read: impl Fn(Fields<'_>) -> Option<T>) -> Option<Option<Vec<T>>> {
    field.map(|field| {
        let items: Vec<_> = field.items()?.map(|item| item.fields().and_then(&read)).collect();
        items.into_iter().collect()
    })
}

fn header(mut fields: Fields<'_>) -> Option<(HeaderName, Matcher)> {
    let name = fields.require("name");
    let name = name.and_then(|name| name.accept(name.string()?.to_owned().try_into()));
    let value = matcher(fields, true);
    Some((name?, value?))
}

fn parameter(mut fields: Fields<'_>) -> Option<(String, Matcher)> {
    let name = fields.require("name").and_then(|name| Some(name.string()?.to_owned()));
    let value = matcher(fields, true);
    Some((name?, value?))
}

fn source(mut fields: Fields<'_>) -> Option<Source> {
    let (namespace, account) = (fields.take("namespace"), fields.take("serviceAccount"));
    if namespace.is_none() && account.is_none() {
        fields.cursor().report("must hold `namespace`, `serviceAccount`, or both");
    }
    let (namespace, service_account) = (glob(namespace), glob(account));
    fields.finish();
    Some(Source { namespace: namespace?, service_account: service_account? })
}

/// A matcher of something that every request has.
fn plain(fields: Fields<'_>) -> Option<Matcher> {
    matcher(fields, false)
}

/// Exactly one condition. `optional`: what is matched can be absent, so that `present` has a meaning.
fn matcher(mut fields: Fields<'_>, optional: bool) -> Option<Matcher> {
    let exact = fields.take("exact").map(|field| Some(Condition::Exact(field.string()?.to_owned()).into()));
    let prefix =
        fields.take("prefix").map(|field| Some(Condition::Prefix(field.string()?.to_owned()).into()));
    let regex = fields.take("regex").map(|field| Some(Condition::Regex(pattern(&field)?).into()));
    let not = fields.take("not").map(|field| matcher(field.fields()?, optional).map(Matcher::negate));
    let present = if optional {
        fields.take("present").map(|field| Some(Condition::Present(field.boolean()?).into()))
    } else {
        None
    };
    let mut given = [exact, prefix, regex, not, present].into_iter().flatten();
    let (one, more) = (given.next(), given.next());
    if one.is_none() || more.is_some() {
        let words = if optional {
            "`exact`, `prefix`, `regex`, `present` and `not`"
        } else {
            "`exact`, `prefix`, `regex` and `not`"
        };
        fields.cursor().report(format_args!("must hold exactly one of {words}"));
    }
    fields.finish();
    one.flatten()
}
