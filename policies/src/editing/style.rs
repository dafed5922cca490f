//! The style of a document: what is added to it looks like what is there.

use std::{cell::LazyCell, ops::Deref};

use super::{
    json::is_json,
    syntax::{Collection, Form, Member, Quote, Syntax},
    text::{begins_line, column, first_line_break, indentation},
};

/// The way in which values are written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    pub(super) line_break: String,
    /// The columns by which a map is indented below its key.
    pub(super) step: usize,
    /// The columns by which the `-` of a list is indented below its key.
    pub(super) list_step: usize,
    pub(super) is_json: bool,
    /// What each level of JSON is indented by, where each member has a line.
    pub(super) unit: String,
    /// What stands behind a `:` in `{…}`.
    pub(super) after_colon: &'static str,
    /// What stands behind a `,` in `{…}` and `[…]`.
    pub(super) after_comma: &'static str,
    pub(super) keys: Quote,
    pub(super) strings: Quote,
}

impl Style {
    /// The style of documents that are written anew.
    pub(super) fn new(is_json: bool) -> Self {
        let quote = if is_json { Quote::Double } else { Quote::None };
        Self {
            line_break: "\n".to_owned(),
            step: 2,
            list_step: 2,
            is_json,
            unit: "  ".to_owned(),
            after_colon: " ",
            after_comma: " ",
            keys: quote,
            strings: quote,
        }
    }

    /// The style of a document of a file.
    pub(super) fn of(file: &str, document: &str, syntax: &Syntax) -> Self {
        let mut style = Self::new(is_json(document));
        if let Some(found) = first_line_break(document).or_else(|| first_line_break(file)) {
            style.line_break = found.to_owned();
        }
        let mut steps = Steps::default();
        steps.find(document, syntax);
        style.step = steps.map.unwrap_or(style.step).max(1);
        style.list_step = steps.list.unwrap_or(style.list_step);
        style.unit = steps.unit.unwrap_or(style.unit);
        style.after_colon = steps.after_colon.unwrap_or(style.after_colon);
        style.after_comma = steps.after_comma.unwrap_or(style.after_comma);
        style
    }

    /// The same with the quotes that the members of a collection have in common.
    pub(super) fn beside(&self, collection: &Collection) -> Self {
        let mut style = self.clone();
        if !self.is_json {
            let keys = collection.members.iter().filter_map(|member| Some(member.key.as_ref()?.quote));
            let strings = collection.members.iter().filter_map(|member| match member.value.form {
                Form::Scalar(Quote::None) | Form::Empty | Form::Alias => None,
                Form::Scalar(quote) => Some(quote),
                _ => None,
            });
            style.keys = common(keys).unwrap_or(self.keys);
            // A value without quotes may be a number: only that others have them says something.
            style.strings = common(strings).unwrap_or(self.strings);
        }
        style
    }
}

/// The one quote that all have.
fn common(mut quotes: impl Iterator<Item = Quote>) -> Option<Quote> {
    let first = quotes.next()?;
    quotes.all(|quote| quote == first).then_some(first)
}

/// The first of each that a document shows.
#[derive(Default)]
struct Steps {
    map: Option<usize>,
    list: Option<usize>,
    unit: Option<String>,
    after_colon: Option<&'static str>,
    after_comma: Option<&'static str>,
}

impl Steps {
    fn find(&mut self, text: &str, syntax: &Syntax) {
        let Form::Collection(collection) = &syntax.form else { return };
        let outer = LazyCell::new(|| indentation(text, syntax.range.start));
        for member in &collection.members {
            if collection.is_flow {
                self.find_flow(text, &outer, member);
            } else if let (Some(_), Form::Collection(below)) = (&member.key, &member.value.form)
                && !below.is_flow
            {
                let step = column(text, member.value.range.start).saturating_sub(column(text, member.start));
                let found = if below.is_map { &mut self.map } else { &mut self.list };
                found.get_or_insert(step);
            }
            self.find(text, &member.value);
        }
    }

    /// Looks at a member of a collection whose first line is indented by `outer`.
    fn find_flow<'t>(&mut self, text: &'t str, outer: &impl Deref<Target = &'t str>, member: &Member) {
        if self.unit.is_none() && begins_line(text, member.start) {
            self.unit = indentation(text, member.start).strip_prefix(**outer).map(str::to_owned);
        }
        let space = |at: usize| {
            let is_close = text.get(at..).is_some_and(|rest| !rest.starts_with([' ', '\t', '\n', '\r']));
            Some(if is_close { "" } else { " " })
        };
        if let Some(Quote::Double) = member.key.as_ref().map(|key| key.quote) {
            self.after_colon = self.after_colon.or_else(|| space(member.head));
        }
        if let Some(comma) = member.comma {
            self.after_comma = self.after_comma.or_else(|| space(comma + 1));
        }
    }
}
