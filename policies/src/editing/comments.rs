//! The comments of a document.

use std::{collections::HashMap, ops::Range};

use super::{
    syntax::{Form, Syntax},
    text::line_end,
};

/// True if each comment of a document is in another as often.
pub(super) fn keeps_comments(text: &str, other: &str) -> bool {
    let (Some(comments), Some(kept)) = (comments(text), comments(other)) else { return false };
    comments.iter().all(|(comment, count)| kept.get(comment).is_some_and(|kept| kept >= count))
}

/// How often each comment is in a document; `None` if its form is not known.
fn comments(text: &str) -> Option<HashMap<&str, usize>> {
    let (mut contents, mut comments, mut at) = (Vec::new(), HashMap::new(), 0);
    content(&Syntax::of(text).ok()?, &mut contents);
    contents.push(text.len()..text.len());
    for range in contents {
        while let Some(found) = text.get(at..range.start).and_then(|gap| gap.find('#')) {
            let start = at + found;
            // Within an anchor it begins no comment.
            let begins = text.get(..start)?.chars().next_back().is_none_or(|c| " \t\r\n\u{feff}".contains(c));
            at = if begins { line_end(text, start) } else { start + 1 };
            if begins {
                *comments.entry(text.get(start..at)?).or_default() += 1;
            }
        }
        at = at.max(range.end);
    }
    Some(comments)
}

/// The bytes of keys and scalars, in which a `#` begins no comment.
fn content(syntax: &Syntax, contents: &mut Vec<Range<usize>>) {
    match &syntax.form {
        Form::Empty => {}
        Form::Scalar(_) | Form::Alias => contents.push(syntax.range.clone()),
        Form::BlockScalar { header_end, content } => {
            contents.push(syntax.range.start..*header_end);
            contents.push(*content..syntax.range.end.max(*content));
        }
        Form::Collection(collection) => {
            for member in &collection.members {
                contents.push(member.start..if member.key.is_some() { member.head } else { member.start });
                content(&member.value, contents);
            }
        }
    }
}
