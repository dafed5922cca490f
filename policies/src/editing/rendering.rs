//! Values as text, in a given style.

use super::{
    scalar::{needs_escape, other, string},
    style::Style,
    syntax::Quote,
};
use crate::reading::{MapEntry, Node, Value};

impl Style {
    /// A document in block style, or as JSON; without a line break at its end.
    pub(super) fn document(&self, value: &Value) -> String {
        if self.is_json { self.flow(value, Some("")) } else { self.lines(value, 0) }
    }

    /// What stands behind the `:` of a key in this column: the value, on this line or below.
    pub(super) fn after_key(&self, value: &Value, column: usize) -> String {
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                self.line(column + self.step) + &self.lines(value, column + self.step)
            }
            Value::List(items) if !items.is_empty() => {
                self.line(column + self.list_step) + &self.lines(value, column + self.list_step)
            }
            _ => format!(" {}", self.scalar_in_block(value, column + self.step)),
        }
    }

    /// What stands behind a `-` in this column.
    pub(super) fn after_dash(&self, value: &Value, column: usize) -> String {
        if is_nested(value) {
            format!(" {}", self.lines(value, column + 2))
        } else {
            format!(" {}", self.scalar_in_block(value, column + 2))
        }
    }

    /// The lines of a map or a list in this column, from the first key or `-` on.
    pub(super) fn lines(&self, value: &Value, column: usize) -> String {
        let lines: Vec<String> = match value {
            Value::Map(entries) => entries.iter().map(|entry| self.entry(entry, column)).collect(),
            Value::List(items) => items.iter().map(|item| self.item(item, column)).collect(),
            scalar => vec![self.inline(scalar)],
        };
        lines.join(&self.line(column))
    }

    pub(super) fn entry(&self, entry: &MapEntry, column: usize) -> String {
        format!("{}:{}", string(&entry.key, self.keys), self.after_key(&entry.value.value, column))
    }

    pub(super) fn item(&self, item: &Node, column: usize) -> String {
        format!("-{}", self.after_dash(&item.value, column))
    }

    /// A line break, and the indentation of the next line.
    pub(super) fn line(&self, column: usize) -> String {
        format!("{}{}", self.line_break, " ".repeat(column))
    }

    /// A scalar or an empty collection; a text of several lines as a block whose lines begin in this column.
    fn scalar_in_block(&self, value: &Value, column: usize) -> String {
        match value {
            Value::String(text) if self.strings == Quote::None => {
                self.block_scalar(text, column).unwrap_or_else(|| self.inline(value))
            }
            _ => self.inline(value),
        }
    }

    /// A text of several lines behind `|`, without its last line break; `None` for one that needs quotes.
    pub(super) fn block_scalar(&self, text: &str, column: usize) -> Option<String> {
        let (content, header) = match text.strip_suffix('\n') {
            Some(content) => (content, "|"),
            None => (text, "|-"),
        };
        let mut lines = content.split('\n').peekable();
        let has_several = text.contains('\n');
        let begins = lines.peek().is_some_and(|line| !line.is_empty() && !line.starts_with([' ', '\t']));
        let is_written =
            |line: &str| !line.chars().any(|c| needs_escape(c) && c != '\t') && !line.ends_with([' ', '\t']);
        if !has_several || !begins || content.ends_with('\n') || !lines.clone().all(is_written) {
            return None;
        }
        let line =
            |line: &str| if line.is_empty() { self.line_break.clone() } else { self.line(column) + line };
        Some(lines.fold(header.to_owned(), |text, next| text + &line(next)))
    }

    /// A value on one line.
    pub(super) fn inline(&self, value: &Value) -> String {
        self.flow(value, None)
    }

    /// A value as `{…}`, `[…]` or a scalar: on one line, or with a line for each member whose end is indented so.
    pub(super) fn flow(&self, value: &Value, indentation: Option<&str>) -> String {
        let below = indentation.map(|indentation| format!("{indentation}{}", self.unit));
        let inner = |value: &Value| self.flow(value, below.as_deref());
        let (brackets, members): (_, Vec<String>) = match value {
            Value::Map(entries) => {
                (('{', '}'), entries.iter().map(|entry| self.pair(entry, inner)).collect())
            }
            Value::List(items) => (('[', ']'), items.iter().map(|item| inner(&item.value)).collect()),
            Value::String(text) => return string(text, self.strings),
            // JSON has no number for it.
            Value::Number(text)
                if self.is_json && text.parse().is_ok_and(|number: f64| !number.is_finite()) =>
            {
                return string(text, Quote::Double);
            }
            scalar => return other(scalar),
        };
        let (open, close) = brackets;
        match (indentation, below.as_deref()) {
            (Some(indentation), Some(below)) if !members.is_empty() => {
                let line = &self.line_break;
                let members = members.join(&format!(",{line}{below}"));
                format!("{open}{line}{below}{members}{line}{indentation}{close}")
            }
            _ => format!("{open}{}{close}", members.join(&format!(",{}", self.after_comma))),
        }
    }

    /// An entry of `{…}`.
    pub(super) fn pair(&self, entry: &MapEntry, value: impl Fn(&Value) -> String) -> String {
        let key = string(&entry.key, self.keys);
        // Without a blank only behind quotes: else it would belong to the key.
        let after_colon = if key.starts_with('"') { self.after_colon } else { " " };
        format!("{key}:{after_colon}{}", value(&entry.value.value))
    }
}

/// True for a map or a list with members.
pub(super) fn is_nested(value: &Value) -> bool {
    match value {
        Value::Map(entries) => !entries.is_empty(),
        Value::List(items) => !items.is_empty(),
        _ => false,
    }
}
