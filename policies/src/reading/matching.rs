//! `match` as it is written.

use super::{
    fields::{Cursor, Field, Fields},
    values::glob,
};
use crate::language::{Condition, Form, Kind, Match, Matcher, Pattern, Source, Subject, Test};

/// Reads the conditions of a rule.
pub(super) fn read(mut fields: Fields<'_>) -> Option<Match> {
    let conditions = conditions(&mut fields);
    let source = fields.read("source", |field| field.clone().fields().and_then(source));
    if conditions.as_ref().is_some_and(Vec::is_empty) && source.is_absent() {
        fields.cursor().report("must hold at least one condition; leave `match` out to match every request");
    }
    fields.finish();
    Some(Match { conditions: conditions?, source: source.optional()? })
}

/// Reads the conditions on the request among the fields of a match. None at all is for the caller to judge.
pub fn conditions(fields: &mut Fields<'_>) -> Option<Vec<Condition>> {
    // Each kind is read, also after one that is invalid, so that every problem is found.
    let kinds: Vec<_> = Subject::KINDS.iter().map(|kind| of_kind(fields, kind)).collect();
    let kinds: Option<Vec<_>> = kinds.into_iter().map(|kind| kind.or(Vec::new())).collect();
    Some(kinds?.concat())
}

/// Reads the conditions on one kind of subject.
fn of_kind(fields: &mut Fields<'_>, kind: &Kind) -> Field<Vec<Condition>> {
    match kind.form {
        Form::Single { prefix } => {
            let whole = fields.read(kind.key, |field| single(kind, matcher(field.clone().fields()?, false)?));
            let Some(prefix_key) = prefix else { return whole };
            let text = |field: &Cursor<'_>| Some(Test::Prefix(field.string()?.to_owned()).into());
            let prefix = fields.read(prefix_key, |field| single(kind, text(field)?));
            if !whole.is_absent() && !prefix.is_absent() {
                let message = format_args!("has `{}` and `{prefix_key}`; keep one", kind.key);
                fields.cursor().report(message);
            }
            if whole.is_absent() { prefix } else { whole }
        }
        Form::Named => fields.read(kind.key, |field| {
            let items: Vec<_> = field.items()?.map(|item| named(kind, item.fields()?)).collect();
            items.into_iter().collect()
        }),
    }
}

fn single(kind: &Kind, matcher: Matcher) -> Option<Vec<Condition>> {
    Some(vec![Condition { subject: kind.subject(String::new()).ok()?, matcher }])
}

fn named(kind: &Kind, mut fields: Fields<'_>) -> Option<Condition> {
    let name = fields.require("name");
    let subject = name.and_then(|name| name.accept(kind.subject(name.string()?.to_owned())));
    let matcher = matcher(fields, true);
    Some(Condition { subject: subject?, matcher: matcher? })
}

fn pattern(field: &Cursor<'_>) -> Option<Pattern> {
    field.accept(field.patterns().read(field.string()?))
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

/// Exactly one condition. `optional`: what is matched can be absent, so that `present` has a meaning.
fn matcher(mut fields: Fields<'_>, optional: bool) -> Option<Matcher> {
    let exact = fields.take("exact").map(|field| Some(Test::Exact(field.string()?.to_owned()).into()));
    let prefix = fields.take("prefix").map(|field| Some(Test::Prefix(field.string()?.to_owned()).into()));
    let regex = fields.take("regex").map(|field| Some(Test::Regex(pattern(&field)?).into()));
    let not = fields.take("not").map(|field| matcher(field.fields()?, optional).map(Matcher::negate));
    let present = if optional {
        fields.take("present").map(|field| Some(Test::Present(field.boolean()?).into()))
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
