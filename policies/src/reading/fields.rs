//! Reads the fields of a node and collects every problem instead of stopping at the first.
//!
//! A reader answers `None` where there is nothing usable; if that is a mistake it has been reported,
//! so that the caller goes on and finds the next one.

use std::{cell::RefCell, fmt};

use super::{
    patterns::Patterns,
    problem::{Finding, Place},
    suggest::closest,
    yaml::{Node, Value},
};

/// A node, the path that leads to it, and where its problems go.
#[derive(Clone, Debug)]
pub struct Cursor<'n> {
    node: &'n Node,
    path: String,
    context: &'n Context,
}

/// The problems that reading a file has found, and its regexes.
#[derive(Debug, Default)]
pub struct Context {
    findings: RefCell<Vec<Finding>>,
    patterns: Patterns,
}

impl Context {
    /// Takes out what was found wrong since the last time.
    pub fn take_findings(&self) -> Vec<Finding> {
        self.findings.take()
    }

    /// The steps that it took to compile its regexes.
    pub fn regex_steps(&self) -> usize {
        self.patterns.steps()
    }
}

/// The fields of a map, taken one by one; [`Fields::finish`] reports those that nobody took.
#[derive(Debug)]
pub struct Fields<'n> {
    cursor: Cursor<'n>,
    taken: Vec<&'static str>,
}

/// A field of a map, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<T> {
    Absent,
    /// It is there and wrong, which has been reported.
    Invalid,
    Value(T),
}

impl<T> Field<T> {
    /// The value, or none where the field is absent; `None` where it is invalid.
    pub fn optional(self) -> Option<Option<T>> {
        match self {
            Self::Absent => Some(None),
            Self::Invalid => None,
            Self::Value(value) => Some(Some(value)),
        }
    }

    /// The value, or another where the field is absent; `None` where it is invalid.
    pub fn or(self, default: T) -> Option<T> {
        self.optional().map(|value| value.unwrap_or(default))
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<'n> Cursor<'n> {
    /// The top of a document.
    pub fn new(node: &'n Node, context: &'n Context) -> Self {
        Self { node, path: String::new(), context }
    }

    pub fn place(&self) -> Place {
        self.node.place
    }

    /// The path that leads to the node, such as `spec.rules[0].fault`.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn value(&self) -> &'n Value {
        &self.node.value
    }

    /// The regexes that the file has so far.
    pub fn patterns(&self) -> &'n Patterns {
        &self.context.patterns
    }

    /// Reports a problem with this node.
    pub fn report(&self, message: impl fmt::Display) {
        self.report_at(self.node.place, self.path.clone(), message);
    }

    fn report_at(&self, place: Place, field: String, message: impl fmt::Display) {
        self.context.findings.borrow_mut().push(Finding { place, field, message: message.to_string() });
    }

    /// Reports a failed result, with the value's own words for what would be right.
    pub fn accept<T, E: fmt::Display>(&self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.report(error)).ok()
    }

    fn expected(&self, what: &str) {
        self.report(format_args!("must be {what}, not {}", self.node.value.kind()));
    }

    pub fn fields(self) -> Option<Fields<'n>> {
        match self.node.value {
            Value::Map(_) => Some(Fields { cursor: self, taken: Vec::new() }),
            _ => {
                self.expected("a map");
                None
            }
        }
    }

    pub fn items(&self) -> Option<impl Iterator<Item = Cursor<'n>>> {
        let Value::List(items) = &self.node.value else {
            self.expected("a list");
            return None;
        };
        let (path, context) = (self.path.clone(), self.context);
        Some(items.iter().enumerate().map(move |(i, node)| Cursor {
            node,
            path: format!("{path}[{i}]"),
            context,
        }))
    }

    pub fn string(&self) -> Option<&'n str> {
        match &self.node.value {
            Value::String(text) => Some(text),
            value @ (Value::Number(_) | Value::Bool(_)) => {
                self.report(format_args!("must be a string, not {}; put it in quotes", value.kind()));
                None
            }
            _ => {
                self.expected("a string");
                None
            }
        }
    }

    /// A number in its decimal text.
    pub fn number(&self) -> Option<&'n str> {
        match &self.node.value {
            Value::Number(text) => Some(text),
            _ => {
                self.expected("a number");
                None
            }
        }
    }

    pub fn boolean(&self) -> Option<bool> {
        match &self.node.value {
            Value::Bool(value) => Some(*value),
            _ => {
                self.expected("`true` or `false`");
                None
            }
        }
    }

    /// A whole number of 32 bits, with or without a sign.
    pub fn signed(&self) -> Option<i32> {
        let number = self.number()?.parse().ok();
        if number.is_none() {
            self.report(format_args!("must be a whole number from {} to {}", i32::MIN, i32::MAX));
        }
        number
    }

    /// The entries of a map whose keys are not fields of ours.
    pub fn entries(&self) -> impl Iterator<Item = (&'n str, Cursor<'n>)> {
        let fields = if let Value::Map(fields) = &self.node.value { fields.as_slice() } else { &[] };
        let (path, context) = (self.path.clone(), self.context);
        fields.iter().map(move |field| {
            let path = format!("{path}.{}", field.key);
            (field.key.as_str(), Cursor { node: &field.value, path, context })
        })
    }

    /// A whole number within `range`; `unit` is said when it is not.
    pub fn integer(&self, range: std::ops::RangeInclusive<u32>, unit: &str) -> Option<u32> {
        let number = self.number()?.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.report(format_args!(
                "must be a whole number{unit} from {} to {}",
                range.start(),
                range.end()
            ));
        }
        number
    }
}

impl<'n> Fields<'n> {
    /// The field `name`, unless it is absent. A name with `_` is also taken in camelCase.
    pub fn take(&mut self, name: &'static str) -> Option<Cursor<'n>> {
        self.taken.push(name);
        let Value::Map(fields) = &self.cursor.node.value else { return None };
        let camel = camel_case(name);
        let mut found = fields.iter().filter(|field| field.key == name || field.key == camel);
        let field = found.next()?;
        if let Some(twice) = found.next() {
            self.cursor.report_at(
                twice.place,
                self.path(&twice.key),
                format_args!("is `{}` once more; keep one", field.key),
            );
        }
        let cursor = Cursor { node: &field.value, path: self.path(&field.key), context: self.cursor.context };
        Some(cursor)
    }

    /// The field `name`, read.
    pub fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&Cursor<'n>) -> Option<T>) -> Field<T> {
        match self.take(name) {
            None => Field::Absent,
            Some(field) => read(&field).map_or(Field::Invalid, Field::Value),
        }
    }

    /// The field `name`, unless it is absent or `null`: for what means the same left out.
    pub fn take_optional(&mut self, name: &'static str) -> Option<Cursor<'n>> {
        self.take(name).filter(|cursor| *cursor.value() != Value::Null)
    }

    /// The field `name`; that it is absent is a problem.
    pub fn require(&mut self, name: &'static str) -> Option<Cursor<'n>> {
        let field = self.take(name);
        if field.is_none() {
            self.cursor.report_at(self.cursor.place(), self.path(name), "is required");
        }
        field
    }

    /// The map itself.
    pub fn cursor(&self) -> &Cursor<'n> {
        &self.cursor
    }

    /// Reports every field that was not asked for.
    pub fn finish(self) {
        let Value::Map(fields) = &self.cursor.node.value else { return };
        for field in fields {
            if self.taken.iter().any(|name| field.key == *name || field.key == camel_case(name)) {
                continue;
            }
            let hint = match closest(&field.key, &self.taken) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known here: {}", self.taken.join(", ")),
            };
            self.cursor.report_at(
                field.place,
                self.path(&field.key),
                format_args!("is not a known field; {hint}"),
            );
        }
    }

    fn path(&self, key: &str) -> String {
        if self.cursor.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.cursor.path) }
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel + letters.as_str()
    })
}
