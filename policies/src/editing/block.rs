//! Members of a collection in block style: lines that come and go.

use std::ops::Range;

use super::{
    editor::{Editor, New, Plan},
    style::Style,
    syntax::{Collection, Member},
    text::{
        begins_line, column, comment_column, is_blank, line_break_before, line_end, line_start, next_line,
    },
};

impl Editor<'_> {
    pub(super) fn change_block(&mut self, collection: &Collection, style: &Style, plan: &Plan<'_>) {
        let members = &collection.members;
        // The first key of an item stands behind the `-` of it, not on a line of its own.
        let is_alone = members.first().is_some_and(|first| begins_line(self.text, first.start));
        let beginning = if is_alone { 0 } else { plan.stays.iter().take_while(|stays| !**stays).count() };
        self.delete_beginning(members, beginning);
        // The start of the text up to here goes.
        let (mut floor, mut gone) = (None, 0);
        for (i, (member, stays)) in members.iter().zip(&plan.stays).enumerate() {
            if !stays && i >= beginning {
                let lines = self.lines_of(member, floor);
                if lines.start <= gone {
                    gone = next_line(self.text, lines.end);
                    self.changes.delete(lines.start..gone);
                } else {
                    // With the line break before it, not its own: a member that is new below begins with that.
                    self.changes.delete(line_break_before(self.text, lines.start)..lines.end);
                }
            }
            floor = Some(member.end());
        }
        let first = members.iter().zip(&plan.stays).find(|(_, stays)| **stays).map(|(member, _)| member);
        let mut known = None;
        for (behind, new) in &plan.new {
            if let Some(member) = behind.and_then(|behind| members.get(behind)) {
                let column = column(self.text, member.start);
                let end = known.filter(|(place, _)| place == behind).map(|(_, end)| end);
                let end = end.unwrap_or_else(|| self.extent(member));
                known = Some((*behind, end));
                self.changes.insert(end, self.style.line(column) + &new_in_block(style, *new, column));
            } else if let Some(member) = first {
                let column = column(self.text, member.start);
                let text = new_in_block(style, *new, column) + &self.style.line(column);
                self.changes.insert(member.start, text);
            }
        }
    }

    /// The end of the last line that belongs to a member: comments that are indented further than it do.
    fn extent(&self, member: &Member) -> usize {
        let indentation = column(self.text, member.start);
        let mut end = line_end(self.text, member.end());
        let mut next = next_line(self.text, end);
        while next < self.text.len() {
            let line_end = line_end(self.text, next);
            if comment_column(self.text, next).is_some_and(|column| column > indentation) {
                end = line_end;
            } else if !is_blank(self.text.get(next..line_end).unwrap_or_default()) {
                break;
            }
            next = next_line(self.text, next);
        }
        end
    }

    /// The lines of a member, and of the comments directly above it, without the last line break. Comments above
    /// the first member may be about all of them.
    fn lines_of(&self, member: &Member, floor: Option<usize>) -> Range<usize> {
        let indentation = column(self.text, member.start);
        let mut start = line_start(self.text, member.start);
        while let Some(floor) = floor
            && let above = line_start(self.text, line_break_before(self.text, start))
            && above > floor
            && comment_column(self.text, above) == Some(indentation)
        {
            start = above;
        }
        start..self.extent(member)
    }

    /// Deletes the first few members, where the first stands behind a `-`.
    fn delete_beginning(&mut self, members: &[Member], gone: usize) {
        let last = gone.checked_sub(1).and_then(|last| members.get(last));
        let (Some(first), Some(last), Some(next)) = (members.first(), last, members.get(gone)) else {
            return;
        };
        let end = self.extent(last);
        let has_comment = self.text.get(end..next.start).is_some_and(|between| between.contains('#'));
        if has_comment {
            // The comments of the next one stay: the `-` is alone on its line.
            let before = self.text.get(..first.start).unwrap_or_default();
            self.changes.delete(before.trim_end_matches([' ', '\t']).len()..end);
        } else {
            self.changes.delete(first.start..next.start);
        }
    }
}

fn new_in_block(style: &Style, new: New<'_>, column: usize) -> String {
    match new {
        New::Entry(entry) => style.entry(entry, column),
        New::Item(item) => style.item(item, column),
    }
}
