//! `match` of a route: the conditions of a FaultPolicy, as far as Istio knows them, and `from`.

use policies::{
    language::{Condition, Subject, Test},
    reading::{Cursor, Value, read_conditions},
};

use crate::{
    values::{EnvoyRegex, Label, LabelPairs},
    written::fields::{MAX_ITEMS, items, label, selector},
};

/// Conditions that hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestMatch {
    pub path: Option<TextMatch>,
    pub method: Option<TextMatch>,
    pub headers: Vec<NameMatch>,
    /// Headers that must not be so; one that is not there is not.
    pub without_headers: Vec<NameMatch>,
    pub query: Vec<NameMatch>,
    pub from_namespace: Option<Label>,
    pub from_labels: LabelPairs,
}

/// A condition on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextMatch {
    Exact(String),
    Prefix(String),
    Regex(EnvoyRegex),
    /// There is a value.
    Present,
}

/// A condition on a header or a query parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameMatch {
    pub name: String,
    pub value: TextMatch,
}

/// Reads one match, or a list of which any must hold.
pub(super) fn read(field: &Cursor<'_>) -> Option<Vec<RequestMatch>> {
    match field.value() {
        Value::List(_) => items(field, |item| one(&item)),
        _ => Some(vec![one(field)?]),
    }
}

fn one(field: &Cursor<'_>) -> Option<RequestMatch> {
    let mut fields = field.clone().fields()?;
    let conditions = read_conditions(&mut fields);
    let from = fields.read("from", from).optional();
    fields.finish();
    let (conditions, from) = (conditions?, from?);
    if conditions.len() > MAX_ITEMS {
        field.report(format_args!("has {} conditions; write at most {MAX_ITEMS}", conditions.len()));
        return None;
    }
    if conditions.is_empty() && from.is_none() {
        field.report("must hold at least one condition; leave `match` out to match every request");
        return None;
    }
    let (from_namespace, from_labels) = from.unwrap_or_default();
    let mut matched = RequestMatch { from_namespace, from_labels, ..RequestMatch::default() };
    let added: Vec<_> = conditions.into_iter().map(|condition| add(&mut matched, condition, field)).collect();
    added.into_iter().collect::<Option<()>>()?;
    Some(matched)
}

/// Adds a condition, if Istio has one that means the same.
fn add(matched: &mut RequestMatch, condition: Condition, field: &Cursor<'_>) -> Option<()> {
    let Condition { subject, matcher } = condition;
    let (is_negated, value) = match matcher.test {
        Test::Exact(text) => (matcher.negated, TextMatch::Exact(text)),
        Test::Prefix(text) if text.is_empty() && subject != Subject::Path => {
            field.report(format_args!(
                "has an empty `prefix` for {subject}, which Envoy refuses; take it out"
            ));
            return None;
        }
        Test::Prefix(text) => (matcher.negated, TextMatch::Prefix(text)),
        Test::Regex(pattern) => {
            let regex = EnvoyRegex::parse(pattern.written());
            let regex = regex.map_err(|error| format!("`{}` for {subject} {error}", pattern.written()));
            (matcher.negated, TextMatch::Regex(field.accept(regex)?))
        }
        Test::Present(is_present) => (matcher.negated == is_present, TextMatch::Present),
    };
    let list = match subject {
        Subject::Method | Subject::Path | Subject::Query(_) if is_negated => {
            field.report(format_args!(
                "has an opposite for {subject}, which Istio knows for headers only; write a route before it"
            ));
            return None;
        }
        Subject::Method => {
            matched.method = Some(value);
            return Some(());
        }
        Subject::Path => {
            matched.path = Some(value);
            return Some(());
        }
        Subject::Query(name) => (&mut matched.query, name),
        Subject::Header(name) if is_negated => (&mut matched.without_headers, String::from(name)),
        Subject::Header(name) => (&mut matched.headers, String::from(name)),
    };
    let (list, name) = list;
    if list.iter().any(|other| other.name == name) {
        field.report(format_args!(
            "has two conditions on `{name}`, of which Istio keeps one; write one regex"
        ));
        return None;
    }
    list.push(NameMatch { name, value });
    Some(())
}

/// The caller.
fn from(field: &Cursor<'_>) -> Option<(Option<Label>, LabelPairs)> {
    let mut fields = field.clone().fields()?;
    let namespace = fields.read("namespace", label).optional();
    let labels = fields.read("labels", selector).or(LabelPairs::new());
    fields.finish();
    let (namespace, labels) = (namespace?, labels?);
    if namespace.is_none() && labels.is_empty() {
        field.report("must hold `namespace`, `labels`, or both");
        return None;
    }
    Some((namespace, labels))
}
