//! A value in the place of another.

use super::{
    editor::Editor,
    rendering::is_nested,
    style::Style,
    syntax::{Form, Member, Quote, Syntax},
    text::{begins_line, column, line_end, line_start},
};
use crate::reading::Value;

impl Editor<'_> {
    /// Replaces the value of a member; `style` is that of the members beside it.
    pub(super) fn replace(
        &mut self,
        is_in_flow: bool,
        style: &Style,
        member: &Member,
        (was, want): (&Value, &Value),
    ) {
        let style = style_for(style, &member.value, was);
        let old = &member.value;
        if is_in_flow || matches!(&old.form, Form::Collection(old) if old.is_flow) && is_collection(want) {
            self.replace_inline(old, self.flow_text(&style, member, want));
            return;
        }
        let ends_line =
            self.text.get(old.range.end..line_end(self.text, old.range.end)).is_some_and(|rest| {
                // A block scalar would take the comment for a part of it.
                rest.trim().is_empty()
            });
        match &old.form {
            Form::BlockScalar { header_end, content } => {
                let text = match want {
                    Value::String(text) => style.block_scalar(text, self.content_column(member, *content)),
                    _ => None,
                };
                match text.as_deref().and_then(|text| Some(text.split_at(text.find(['\n', '\r'])?))) {
                    // A comment behind the header stays.
                    Some((header, lines)) => {
                        self.changes.replace(old.range.start..*header_end, header.to_owned());
                        self.changes
                            .replace(line_end(self.text, old.range.start)..old.range.end, lines.to_owned());
                    }
                    None => self.replace_in_block(&style, member, want),
                }
            }
            _ if is_nested(want) => self.replace_in_block(&style, member, want),
            Form::Collection(collection) if !collection.is_flow => {
                self.replace_in_block(&style, member, want)
            }
            _ => {
                let column = column(self.text, member.start) + style.step;
                let block = match want {
                    Value::String(text) if ends_line && style.strings == Quote::None => {
                        style.block_scalar(text, column)
                    }
                    _ => None,
                };
                self.replace_inline(old, block.unwrap_or_else(|| style.inline(want)));
            }
        }
    }

    fn content_column(&self, member: &Member, content: usize) -> usize {
        let line = self.text.get(content..line_end(self.text, content)).unwrap_or_default();
        let indentation = line.len() - line.trim_start_matches(' ').len();
        let least = column(self.text, member.start) + 1;
        if indentation < least { least + 1 } else { indentation }
    }

    fn flow_text(&self, style: &Style, member: &Member, want: &Value) -> String {
        // A line may be as long as the file: its start is looked for only where that is near.
        let is_on_own_line = style.is_json && begins_line(self.text, member.start);
        let line = || self.text.get(line_start(self.text, member.start)..member.start).unwrap_or_default();
        style.flow(want, is_on_own_line.then(line))
    }

    fn replace_inline(&mut self, old: &Syntax, text: String) {
        match old.form {
            // Nothing stands there, not even a blank.
            Form::Empty => self.changes.insert(old.range.start, format!(" {text}")),
            _ => self.changes.replace(old.range.clone(), text),
        }
    }

    /// Replaces all behind the `:` or the `-`, but for a comment on its line.
    fn replace_in_block(&mut self, style: &Style, member: &Member, want: &Value) {
        let old = &member.value;
        let column = column(self.text, member.start);
        let text = match member.key {
            Some(_) => style.after_key(want, column),
            None => style.after_dash(want, column),
        };
        let is_below = old.range.start > line_end(self.text, member.head);
        let head_end =
            line_end(self.text, if is_below { member.head } else { old.range.end.max(member.head) });
        if member.key.is_some() && is_nested(want) {
            // Below the line, and below the comment on it.
            if is_below {
                self.changes.replace(head_end..old.range.end, text);
            } else {
                self.changes.delete(member.head..old.range.end.max(member.head));
                self.changes.insert(head_end, text);
            }
        } else if is_below && member.key.is_some() {
            self.changes.insert(member.head, text);
            self.changes.delete(head_end..old.range.end);
        } else {
            self.changes.replace(member.head..old.range.end.max(member.head), text);
        }
    }
}

fn is_collection(value: &Value) -> bool {
    matches!(value, Value::Map(_) | Value::List(_))
}

/// The quotes of the old text, if it was one; else those that are usual beside it.
fn style_for(beside: &Style, old: &Syntax, was: &Value) -> Style {
    let mut style = beside.clone();
    if let (Form::Scalar(quote), Value::String(_)) = (&old.form, was) {
        style.strings = *quote;
    }
    style
}
