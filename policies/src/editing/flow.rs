//! Members of `{…}` and `[…]`: commas, on one line or with a line for each member.

use std::collections::HashMap;

use super::{
    editor::{Editor, New, Plan},
    style::Style,
    syntax::{Collection, Member},
    text::{begins_line, ends_line, is_blank, line_end, line_start, next_line},
};

impl Editor<'_> {
    pub(super) fn change_flow(&mut self, collection: &Collection, style: &Style, plan: &Plan<'_>) {
        let members = &collection.members;
        let ends_with_comma = members.last().is_some_and(|member| member.comma.is_some());
        let last_to_stay = plan.stays.iter().rposition(|stays| *stays);
        let first_to_stay = plan.stays.iter().position(|stays| *stays);
        let mut new: HashMap<Option<usize>, Vec<New<'_>>> = HashMap::new();
        plan.new.iter().for_each(|(behind, member)| new.entry(*behind).or_default().push(*member));
        for (i, (member, stays)) in members.iter().zip(&plan.stays).enumerate() {
            if !stays {
                let before = i.checked_sub(1).and_then(|before| members.get(before));
                let next = first_to_stay.filter(|first| i < *first).and_then(|first| members.get(first));
                self.delete_flow(member, before, next);
                continue;
            }
            let new = new.remove(&Some(i)).unwrap_or_default();
            let is_last = last_to_stay == Some(i);
            self.after_flow(style, member, &new, !is_last || ends_with_comma);
        }
        let Some(first) = first_to_stay.and_then(|first| members.get(first)) else { return };
        for new in new.remove(&None).unwrap_or_default() {
            let text = self.new_in_flow(style, new, self.own_line(first));
            let between = match self.own_line(first) {
                Some(indentation) => format!(",{}{indentation}", style.line_break),
                None => format!(",{}", style.after_comma),
            };
            self.changes.insert(first.start, text + &between);
        }
    }

    /// The indentation of a member that has a line, or lines, for itself.
    pub(super) fn own_line(&self, member: &Member) -> Option<&str> {
        let end = member.comma.map_or(member.end(), |comma| comma + 1);
        let is_alone = begins_line(self.text, member.start) && ends_line(self.text, end);
        is_alone.then(|| self.text.get(line_start(self.text, member.start)..member.start).unwrap_or_default())
    }

    fn new_in_flow(&self, style: &Style, new: New<'_>, indentation: Option<&str>) -> String {
        let indentation = indentation.filter(|_| style.is_json);
        match new {
            New::Entry(entry) => style.pair(entry, |value| style.flow(value, indentation)),
            New::Item(item) => style.flow(&item.value, indentation),
        }
    }

    /// Adds what is new behind a member, and sees to the commas.
    fn after_flow(&mut self, style: &Style, member: &Member, new: &[New<'_>], has_next: bool) {
        match (member.comma, self.own_line(member)) {
            (Some(comma), _) if new.is_empty() && !has_next => self.changes.delete(comma..comma + 1),
            (None, _) if new.is_empty() && has_next => self.changes.insert(member.end(), ",".to_owned()),
            _ if new.is_empty() => {}
            (comma, Some(indentation)) => {
                let begin = format!("{}{indentation}", style.line_break);
                let lines: Vec<_> = new
                    .iter()
                    .map(|new| begin.clone() + &self.new_in_flow(style, *new, Some(indentation)))
                    .collect();
                let end = line_end(self.text, comma.unwrap_or(member.end()));
                if comma.is_none() {
                    self.changes.insert(member.end(), ",".to_owned());
                }
                self.changes.insert(end, lines.join(",") + if has_next { "," } else { "" });
            }
            (comma, None) => {
                let texts = new
                    .iter()
                    .map(|new| format!(",{}{}", style.after_comma, self.new_in_flow(style, *new, None)));
                let mut text: String = texts.collect();
                match comma {
                    Some(comma) if !has_next => self.changes.delete(comma..comma + 1),
                    None if has_next => text.push(','),
                    _ => {}
                }
                self.changes.insert(member.end(), text);
            }
        }
    }

    /// Deletes a member, with its comma; `next` is the first that stays, if all before it go.
    fn delete_flow(&mut self, member: &Member, before: Option<&Member>, next: Option<&Member>) {
        let end = member.comma.map_or(member.end(), |comma| comma + 1);
        if self.own_line(member).is_some() {
            let start = line_start(self.text, member.start);
            self.changes.delete(start..next_line(self.text, end));
        } else if let Some(next) = next {
            // What stays keeps the comments before it.
            let has_comment = self.text.get(end..next.start).is_some_and(|gap| gap.contains('#'));
            self.changes.delete(member.start..if has_comment { end } else { next.start });
        } else {
            // From behind the comma before it.
            let start =
                before.map_or(member.start, |before| before.comma.map_or(before.end(), |comma| comma + 1));
            let gap = self.text.get(start..member.start).unwrap_or_default();
            let start = if is_blank(gap) { start } else { member.start };
            self.changes.delete(start..end);
        }
    }
}
