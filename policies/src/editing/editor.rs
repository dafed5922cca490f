//! From the values that differ to the bytes that change.

use std::collections::HashMap;

use super::{
    alignment::{Step, align},
    cannot_edit::CannotEdit,
    changes::Changes,
    same::{by_key, same},
    style::Style,
    syntax::{Collection, Form, Member},
};
use crate::reading::{MapEntry, Node, Value};

/// Notes the changes of one document.
pub(super) struct Editor<'t> {
    pub(super) text: &'t str,
    pub(super) style: Style,
    /// Values so deep are replaced as a whole.
    pub(super) deepest: usize,
    /// The depth of the deepest value that was not.
    pub(super) reached: usize,
    /// The number of values that may yet be compared to align lists.
    pub(super) comparisons: usize,
    pub(super) changes: Changes,
}

/// A member that a collection is to have besides those that it has.
#[derive(Clone, Copy, Debug)]
pub(super) enum New<'v> {
    Entry(&'v MapEntry),
    Item(&'v Node),
}

/// What becomes of the members of a collection.
pub(super) struct Plan<'v> {
    /// True for each that stays.
    pub(super) stays: Vec<bool>,
    /// Each new one, behind this member that stays; before all others where there is none.
    pub(super) new: Vec<(Option<usize>, New<'v>)>,
}

impl Editor<'_> {
    /// Edits the members of a collection; false if nothing of it stays.
    pub(super) fn collection(
        &mut self,
        collection: &Collection,
        (was, want): (&Value, &Value),
        depth: usize,
    ) -> Result<bool, CannotEdit> {
        let style = self.style.beside(collection);
        let plan = match (was, want) {
            (Value::Map(was), Value::Map(want)) => self.entries(collection, &style, (was, want), depth)?,
            (Value::List(was), Value::List(want)) => self.items(collection, &style, (was, want), depth)?,
            _ => return Ok(false),
        };
        if !plan.stays.contains(&true) {
            return Ok(false);
        }
        for (member, _) in collection.members.iter().zip(&plan.stays).filter(|(_, stays)| !**stays) {
            self.refuse_marks(member)?;
        }
        if collection.is_flow {
            self.change_flow(collection, &style, &plan);
        } else {
            self.change_block(collection, &style, &plan);
        }
        Ok(true)
    }

    fn entries<'v>(
        &mut self,
        collection: &Collection,
        style: &Style,
        (was, want): (&[MapEntry], &'v [MapEntry]),
        depth: usize,
    ) -> Result<Plan<'v>, CannotEdit> {
        let members = &collection.members;
        let merge = members.iter().find(|member| member.is_merge());
        if merge.is_none() && was.len() != members.len() {
            return Err(self.odd(members));
        }
        let (old, new) = (by_key(was), by_key(want));
        let mut stays = Vec::new();
        let mut of_key: HashMap<&str, usize> = HashMap::new();
        for (i, member) in members.iter().enumerate() {
            // The reader may write a key in another way, such as a number: then its place tells which it is.
            let written = member.key.as_ref().map_or("", |key| &key.text);
            let key = if merge.is_some() { written } else { was.get(i).map_or("", |entry| &entry.key) };
            of_key.insert(key, i);
            let pair = old.get(key).zip(new.get(key));
            stays.push(member.is_merge() || pair.is_some());
            if let Some((was, want)) = pair {
                self.value((collection, style), member, (was, want), depth + 1)?;
            }
        }
        if let Some(merge) = merge {
            let is_merged = |key: &str| !of_key.contains_key(key);
            let differs = |entry: &MapEntry| {
                is_merged(&entry.key)
                    && !new.get(entry.key.as_str()).is_some_and(|want| same(&entry.value.value, want))
            };
            if was.iter().any(differs) {
                return Err(CannotEdit::at(
                    self.text,
                    merge.start,
                    "what differs comes from a merge key (`<<`)",
                ));
            }
        }
        let last = stays.iter().rposition(|stays| *stays);
        let (mut behind, mut added) = (last, Vec::new());
        for entry in want {
            if let Some(found) = of_key.get(entry.key.as_str()) {
                behind = Some(*found);
            } else if !old.contains_key(entry.key.as_str()) {
                added.push((behind, New::Entry(entry)));
            }
        }
        Ok(Plan { stays, new: added })
    }

    fn items<'v>(
        &mut self,
        collection: &Collection,
        style: &Style,
        (was, want): (&[Node], &'v [Node]),
        depth: usize,
    ) -> Result<Plan<'v>, CannotEdit> {
        if was.len() != collection.members.len() {
            return Err(self.odd(&collection.members));
        }
        let (mut stays, mut new, mut behind) = (vec![false; was.len()], Vec::new(), None);
        for step in align(was, want, &mut self.comparisons) {
            match step {
                Step::Keep(i, j) => {
                    if let (Some(member), Some(was), Some(want)) =
                        (collection.members.get(i), was.get(i), want.get(j))
                    {
                        let values = (&was.value, &want.value);
                        self.value((collection, style), member, values, depth + 1)?;
                    }
                    behind = Some(i);
                    stays.get_mut(i).into_iter().for_each(|stays| *stays = true);
                }
                Step::Remove(_) => {}
                Step::Insert(j) => new.extend(want.get(j).map(|item| (behind, New::Item(item)))),
            }
        }
        Ok(Plan { stays, new })
    }

    fn odd(&self, members: &[Member]) -> CannotEdit {
        let at = members.first().map_or(0, |member| member.start);
        CannotEdit::at(self.text, at, "the reader finds other members in it than are written")
    }

    /// Edits the value of a member of a collection that is in this style.
    fn value(
        &mut self,
        (beside, style): (&Collection, &Style),
        member: &Member,
        (was, want): (&Value, &Value),
        depth: usize,
    ) -> Result<(), CannotEdit> {
        if same(was, want) {
            return Ok(());
        }
        if member.value.is_marked {
            return self.refuse_marks(member);
        }
        if depth < self.deepest
            && let Form::Collection(collection) = &member.value.form
        {
            self.reached = self.reached.max(depth);
            if self.collection(collection, (was, want), depth)? {
                return Ok(());
            }
        }
        self.refuse_marks(member)?;
        self.replace(beside.is_flow, style, member, (was, want));
        Ok(())
    }

    /// What has an anchor or a tag may be needed elsewhere, and what is an alias is written elsewhere.
    fn refuse_marks(&self, member: &Member) -> Result<(), CannotEdit> {
        match member.value.first_mark() {
            Some(at) => Err(CannotEdit::at(
                self.text,
                at,
                "what differs has an anchor, an alias, a merge key or a tag",
            )),
            None => Ok(()),
        }
    }
}
