//! YAML text to nodes that know their place. The one module that names `serde_yaml`.

mod aliases;
mod reason;

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::{NonFiniteFloatPolicy, Spanned};

pub use self::aliases::Aliases;
use self::{
    aliases::Size,
    reason::{KEY, Reason},
};
use super::problem::{Finding, Place};

/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// The deepest nesting of a document.
const MAX_DEPTH: usize = 32;
/// The most scalars, lists and maps of a document.
const MAX_NODES: usize = 200_000;
/// The most aliases of a document.
const MAX_ALIASES: usize = 1_000;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

/// The values of YAML that policies use.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// A number, in the shortest decimal text that means it.
    Number(String),
    String(String),
    List(Vec<Node>),
    Map(Vec<MapEntry>),
}

/// A key of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct MapEntry {
    pub place: Place,
    pub key: String,
    pub value: Node,
}

impl Value {
    /// Its kind in words, for a message: `a list`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Reads every document of a stream; one that cannot be read does not hide the others. Documents
/// without content are left out.
pub fn read(bytes: &[u8]) -> Vec<Result<Node, Finding>> {
    if bytes.len() > MAX_FILE_BYTES {
        return vec![Err(whole(format!("is longer than {MAX_FILE_BYTES} bytes; split the file")))];
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let mut aliases = Aliases::default();
            let documents = split(text).into_iter();
            documents.filter_map(|(text, line)| read_next(text, line, &mut aliases).transpose()).collect()
        }
        Err(error) => {
            let line = bytes.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count() as u32 + 1;
            let message = "is not UTF-8; save the file in that encoding".to_owned();
            vec![Err(Finding { place: Place { line, column: 1 }, field: String::new(), message })]
        }
    }
}

fn whole(message: String) -> Finding {
    Finding { place: Place::default(), field: String::new(), message }
}

/// The documents of a stream and how many lines stand before each. Together they are all of the text.
///
/// A line that begins with `---` begins a document and one that begins with `...` ends one, whatever
/// stands around it (YAML 1.2.2, section 9.1.2), so that they can be told apart before they are
/// parsed. What stands before a `---` belongs to it if it is only directives, comments and blanks.
pub fn split(text: &str) -> Vec<(&str, u32)> {
    let mut documents = Vec::new();
    let (mut start, mut first_line, mut is_prologue, mut at) = (0, 0, true, 0);
    for (line, content) in (0..).zip(text.split_inclusive('\n')) {
        let begins = is_marker(content, "---") && !is_prologue;
        let ended = at + content.len();
        if begins {
            documents.push((start, at, first_line));
            (start, first_line) = (at, line);
        }
        let blank = content.trim_start().is_empty() || content.trim_start().starts_with('#');
        is_prologue &= blank || content.starts_with('%');
        if is_marker(content, "...") {
            documents.push((start, ended, first_line));
            (start, first_line, is_prologue) = (ended, line + 1, true);
        }
        at = ended;
    }
    documents.push((start, text.len(), first_line));
    documents.into_iter().filter_map(|(start, end, line)| Some((text.get(start..end)?, line))).collect()
}

/// True if the line is this marker, alone or followed by something.
fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Reads the one document of a text; `None` if it has no content.
pub fn read_one(text: &str, lines_before: u32) -> Result<Option<Node>, Finding> {
    read_next(text, lines_before, &mut Aliases::default())
}

/// Reads the next document of a file; `None` if it has no content.
pub fn read_next(text: &str, lines_before: u32, aliases: &mut Aliases) -> Result<Option<Node>, Finding> {
    let read = read_within(text, lines_before, aliases.largest(text));
    aliases.spend(text, read.as_ref().ok().and_then(Option::as_ref));
    read
}

fn read_within(text: &str, lines_before: u32, largest: Size) -> Result<Option<Node>, Finding> {
    let moved = |place: Place| Place { line: place.line + lines_before, ..place };
    // One document of a file of bounded size: these bounds only stop what multiplies itself.
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            max_aliases: MAX_ALIASES,
            max_nodes: largest.nodes,
            max_total_scalar_bytes: largest.scalar_bytes,
        },
        strict_booleans: true,
        // `.inf` is a number, and each field says which numbers it takes.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    match serde_yaml::from_str_with_options::<Option<Spanned<Value>>>(text, options) {
        Ok(None) => Ok(None),
        Ok(Some(spanned)) => {
            let mut node = node(spanned);
            node.shift(lines_before);
            Ok((node.value != Value::Null).then_some(node))
        }
        Err(error) => {
            let place = error.location().map(place).map(moved).unwrap_or_default();
            let message = match Reason::of(&error) {
                Reason::Bounds => format!(
                    "is too deep or too large: at most {MAX_DEPTH} levels, {MAX_ALIASES} aliases, and with these written out {} nodes and {} bytes of scalars; use fewer aliases, or split the file",
                    largest.nodes, largest.scalar_bytes
                ),
                Reason::Syntax(reason) => format!("is not valid YAML: {reason}"),
            };
            Err(Finding { place, field: String::new(), message })
        }
    }
}

fn place(location: serde_yaml::Location) -> Place {
    Place { line: location.line() as u32, column: location.column() as u32 }
}

fn node(spanned: Spanned<Value>) -> Node {
    Node { place: place(spanned.referenced), value: spanned.value }
}

impl Node {
    fn shift(&mut self, lines: u32) {
        self.place.line += lines;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.shift(lines)),
            Value::Map(fields) => fields.iter_mut().for_each(|field| {
                field.place.line += lines;
                field.value.shift(lines);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(node(item));
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = access.next_key::<Spanned<Value>>()? {
            let at = place(key.referenced);
            let key = match key.value {
                Value::String(text) | Value::Number(text) => text,
                Value::Bool(value) => value.to_string(),
                other => {
                    return Err(A::Error::custom(format!("{KEY}{}", other.kind())));
                }
            };
            fields.push(MapEntry { place: at, key, value: node(access.next_value()?) });
        }
        Ok(Value::Map(fields))
    }
}
