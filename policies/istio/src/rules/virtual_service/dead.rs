//! Routes and matches that no request reaches.
//!
//! Istio compares roughly here (H20): it counts headers, and takes an absent method for GET. These rules report
//! only what an earlier match covers for certain.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
};

pub(super) const RULES: &[Rule] =
    &[Rule::new("VS38", vs38), Rule::new("VS39", vs39), Rule::new("VS40", vs40)];

const LISTS: [&str; 3] = ["http", "tls", "tcp"];

fn takes_all(route: &Field) -> bool {
    let matches = route.get("match");
    matches.is_empty() || matches.items().any(|wanted| conditions(wanted.value()).next().is_none())
}

/// The conditions of a match; its name is none.
fn conditions(wanted: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = wanted.as_object().into_iter().flatten();
    all.map(|(name, value)| (name.as_str(), value)).filter(|(name, value)| {
        !(value.is_null() || matches!(*name, "name" | "statPrefix") || *value == &Value::Bool(false))
    })
}

fn vs38(subject: &Subject, out: &mut Out) {
    for list in LISTS {
        let routes: Vec<_> = subject.each(list).collect();
        let first = routes.iter().position(takes_all);
        let dead = first.and_then(|first| Some((routes.get(first)?, routes.get(first + 1)?)));
        if let Some((open, dead)) = dead {
            let reason = format!("is never reached, since `{}` takes every request", open.path());
            out.warning(dead, reason, "move the route without a match to the end");
        }
    }
}

/// The most matches with which later ones are compared. Istio's own analysis of more takes minutes.
const COMPARED: usize = 100;

/// The matches of a route that earlier ones of the same list cover, and the first one that does.
struct Covered<'a> {
    route: Field<'a>,
    /// True if all matches of the route are covered.
    whole: bool,
    matches: Vec<(Field<'a>, Field<'a>)>,
}

fn covered<'a>(subject: &Subject<'a>) -> Vec<Covered<'a>> {
    let mut found = Vec::new();
    for list in LISTS {
        let mut before = Before::default();
        for route in subject.each(list).take_while(|route| !takes_all(route)) {
            let matches: Vec<_> = route
                .get("match")
                .items()
                .filter_map(|wanted| Some((wanted.clone(), before.wider(wanted)?)))
                .collect();
            let whole = matches.len() == route.get("match").len();
            found.push(Covered { route, whole, matches });
        }
    }
    found.retain(|covered| !covered.matches.is_empty());
    found
}

/// The matches before one.
#[derive(Default)]
struct Before<'a> {
    /// Each one once, by its conditions.
    all: BTreeMap<String, Field<'a>>,
    /// The first ones. What a covered match covers is covered without it.
    compared: Vec<Field<'a>>,
}

impl<'a> Before<'a> {
    /// The first match that covers this one, if there is one; else this one is among those before the next.
    fn wider(&mut self, wanted: Field<'a>) -> Option<Field<'a>> {
        let conditions: Vec<_> = conditions(wanted.value()).collect();
        if let Some(same) = self.all.get(&json!(conditions).to_string()) {
            return Some(same.clone());
        }
        if let Some(wider) = self.compared.iter().find(|wider| covers(wider.value(), wanted.value())) {
            return Some(wider.clone());
        }
        if self.compared.len() < COMPARED {
            self.compared.push(wanted.clone());
        }
        self.all.insert(json!(conditions).to_string(), wanted);
        None
    }
}

/// True if every request that fits `later` fits `earlier`.
fn covers(earlier: &Value, later: &Value) -> bool {
    let ignores_case = |wanted: &Value| wanted.get("ignoreUriCase") == Some(&Value::Bool(true));
    if ignores_case(earlier) != ignores_case(later) {
        return false;
    }
    conditions(earlier).all(|(name, wanted)| match (name, later.get(name)) {
        ("ignoreUriCase", _) => true,
        (_, None) => false,
        (_, Some(value)) if value == wanted => true,
        ("uri" | "authority" | "scheme" | "method", Some(value)) => text_covers(wanted, value),
        ("headers" | "queryParams" | "withoutHeaders" | "sourceLabels", Some(value)) => wanted
            .as_object()
            .is_some_and(|wanted| wanted.iter().all(|(key, text)| value.get(key) == Some(text))),
        _ => false,
    })
}

/// True if a prefix is the beginning of what the other one wants.
fn text_covers(wider: &Value, narrower: &Value) -> bool {
    let Some(prefix) = wider.get("prefix").and_then(Value::as_str) else { return false };
    let text = ["exact", "prefix"].iter().find_map(|name| narrower.get(name)?.as_str());
    text.is_some_and(|text| text.starts_with(prefix))
}

fn vs39(subject: &Subject, out: &mut Out) {
    for covered in covered(subject).iter().filter(|covered| covered.whole) {
        if let Some((_, wider)) = covered.matches.first() {
            let reason = format!(
                "is never reached: earlier matches take all its requests, such as `{}`",
                wider.path()
            );
            out.warning(&covered.route, reason, "move it before them, or remove it");
        }
    }
}

fn vs40(subject: &Subject, out: &mut Out) {
    for covered in covered(subject).iter().filter(|covered| !covered.whole) {
        for (dead, wider) in &covered.matches {
            out.warning(dead, format!("never fits: `{}` takes its requests", wider.path()), "remove it");
        }
    }
}
