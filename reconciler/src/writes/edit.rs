//! The changes that a request makes to the branch.

mod checks;
mod gaining;
mod restarting;

use std::{collections::BTreeMap, sync::Arc};

use policies::{
    Timestamp,
    editing::{self, Document},
    language::PolicyName,
    reading::{Finding, Place, Problem},
};

use super::{
    branch::{Branch, Changes},
    judge::{Sent, judge},
    order::{Action, Order},
    outcome::{Done, Refusal},
    selection,
    standing::Standing,
};
use crate::{
    api::writes::{WriteResult, WrittenPolicy},
    source::{SourceError, writing::Writer},
};

/// The only kind that is written.
const POLICY: &str = "FaultPolicy";

/// What a request reads, and what it changes.
#[derive(Debug)]
pub(super) struct Edit<'a> {
    pub(super) writer: &'a Writer,
    /// The policy directory; empty for the whole repository.
    pub(super) directory: &'a str,
    pub(super) branch: &'a Branch,
    /// The policies of the request in the branch.
    pub(super) standing: &'a Standing,
    pub(super) order: &'a Order,
    pub(super) now: Timestamp,
    pub(super) draft: Draft,
}

/// The changes so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    changes: Changes,
    policies: Vec<WrittenPolicy>,
    /// The documents to put into files that have them, and what becomes of each: its position in `policies`.
    puts: BTreeMap<String, Vec<(usize, Document)>>,
    sent: Vec<Sent>,
    warnings: Vec<Problem>,
}

/// A request that can be done: its files, what the branch is then, and what is answered.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) changes: Changes,
    pub(super) after: Branch,
    pub(super) done: Done,
}

impl Edit<'_> {
    /// Makes all changes of the request, and judges them.
    pub(super) fn plan(mut self) -> Result<Plan, Refusal> {
        match &self.order.action {
            Action::Put(documents) => {
                Self::check_names(documents)?;
                documents.iter().try_for_each(|document| {
                    self.put(document).map_err(|refusal| refusal.about(document.name()))
                })?;
                self.check_new_paths()?;
                self.edit_files()?;
            }
            Action::Delete { name, file } => self.delete(name, file.as_deref())?,
        }
        let after = self.branch.with(&self.draft.changes, self.now);
        let after = after.map_err(|excess| match self.draft.sent.first() {
            Some(sent) => Refusal::mistake(sent.document.mistake("spec.rules", excess)),
            None => Refusal::Unprocessable(excess.to_string()),
        })?;
        let gained = self.may_gain(&after);
        let Self { branch, order, draft: Draft { changes, mut policies, sent, mut warnings, .. }, .. } = self;
        let touched: Vec<_> = policies.iter().map(|policy| policy.file.as_str()).collect();
        warnings.extend(judge(branch, &after, &sent, &touched)?);
        warnings.extend(gained?);
        let places = after.places_of(&order.names());
        for policy in policies.iter_mut().filter(|policy| policy.result != WriteResult::Deleted) {
            let places = PolicyName::try_from(policy.name.clone()).ok().and_then(|name| places.get(&name));
            let line = places.and_then(|places| places.first()).map(|(_, line)| *line);
            policy.line = line.unwrap_or(policy.line);
        }
        Ok(Plan { changes, after, done: Done { policies, warnings, ..Done::default() } })
    }

    fn put(&mut self, document: &Document) -> Result<(), Refusal> {
        let Some(name) = document.name() else { return Ok(()) };
        self.order.in_time()?;
        self.may_write(POLICY)?;
        match self.standing.places(name) {
            [] => self.create(name, document),
            [(file, _)] => self.update(name, file, document),
            several => Err(two_places(name, several)),
        }
    }

    fn create(&mut self, name: &PolicyName, document: &Document) -> Result<(), Refusal> {
        let (rights, options) = (&self.order.rights, &self.order.options);
        let breach = options.condition.breach(name.as_str(), false, None);
        if let Some(reason) = breach {
            return Err(Refusal::Precondition { reason, etag: None });
        }
        let selected = selection::check(document, None, rights, options.allow_wildcard)?;
        let file = self.new_path(name);
        self.may_touch(&file)?;
        let obstacle = self.writer.obstacle(self.branch.commit, &file).map_err(unavailable)?;
        if let Some(reason) = obstacle {
            return Err(Refusal::Conflict(format!("no new file can be at `{file}`: it {reason}")));
        }
        if self.content(&file)?.is_some() {
            return Err(Refusal::Conflict(format!(
                "the file `{file}` is there and does not hold the policy `{name}`; name another directory by \
                 `folder` in the query"
            )));
        }
        let content = editing::new_file(&selected.document)
            .map_err(|cannot| Refusal::mistake(selected.document.mistake("", cannot.reason)))?;
        self.changes_to(&file, Some(content));
        self.wrote(name, &file, 1, WriteResult::Created);
        self.warn(selected.warning, &file);
        self.draft.sent.push(Sent { document: selected.document, file });
        Ok(())
    }

    fn update(&mut self, name: &PolicyName, file: &str, document: &Document) -> Result<(), Refusal> {
        self.may_touch(file)?;
        let existing = self.standing.document(file, name);
        self.check_condition(name, existing)?;
        let (rights, options) = (&self.order.rights, &self.order.options);
        if existing.is_none() {
            selection::may_replace_invalid(document, file, rights)?;
        }
        let selected = selection::check(document, existing, rights, options.allow_wildcard)?;
        self.warn(selected.warning, file);
        let (wanted, result) = match existing {
            Some(existing) => self.restarted(name, existing, selected.document, file)?,
            None => (selected.document, WriteResult::Configured),
        };
        let line = wanted.place().line;
        if existing.is_some_and(|existing| existing.says_the_same(&wanted)) {
            self.wrote(name, file, line, WriteResult::Unchanged);
            return Ok(());
        }
        let position = self.draft.policies.len();
        self.draft.puts.entry(file.to_owned()).or_default().push((position, wanted));
        self.wrote(name, file, line, result);
        Ok(())
    }

    /// Puts the documents into the files that have them.
    fn edit_files(&mut self) -> Result<(), Refusal> {
        for (file, puts) in std::mem::take(&mut self.draft.puts) {
            self.order.in_time()?;
            let documents = puts.iter().filter_map(|(_, document)| Some((document.name()?, document)));
            let documents: Vec<_> = documents.collect();
            let content = self.standing.content(&file);
            let edited = editing::put_all(content, &documents, self.order.options.how);
            let edited = edited.map_err(|(_, editing::CannotEdit { line, reason })| {
                Refusal::Unprocessable(format!(
                    "{file}:{line}: {reason}: edit by hand, or add `rewrite=true` to the query"
                ))
            })?;
            if edited.changed.contains(&true) {
                self.changes_to(&file, Some(edited.bytes));
            }
            for ((position, document), is_changed) in puts.into_iter().zip(edited.changed) {
                if is_changed {
                    self.draft.sent.push(Sent { document, file: file.clone() });
                } else if let Some(policy) = self.draft.policies.get_mut(position) {
                    policy.result = WriteResult::Unchanged;
                }
            }
        }
        // In the order in which they were sent.
        self.draft.sent.sort_by_key(|sent| sent.document.index());
        Ok(())
    }

    fn delete(&mut self, name: &PolicyName, file: Option<&str>) -> Result<(), Refusal> {
        self.may_write(POLICY)?;
        let mut places = self.standing.places(name).to_vec();
        if let Some(file) = file {
            places.retain(|(known, _)| &**known == file);
        }
        let (file, line) = match places.as_slice() {
            [] => return Err(self.nowhere(name, file)),
            [place] => place.clone(),
            several => return Err(two_places(name, several)),
        };
        self.may_touch(&file)?;
        let existing = self.standing.document(&file, name);
        self.check_condition(name, existing)?;
        selection::may_remove(existing, &self.order.rights)?;
        let rest = editing::remove(self.standing.content(&file), name).map_err(|cannot| {
            let editing::CannotEdit { line, reason } = cannot;
            Refusal::Unprocessable(format!("{file}:{line}: {reason}: edit by hand"))
        })?;
        self.changes_to(&file, rest);
        self.wrote(name, &file, line, WriteResult::Deleted);
        Ok(())
    }

    /// The content of a file with the changes so far.
    fn content(&self, file: &str) -> Result<Option<Vec<u8>>, Refusal> {
        match self.draft.changes.get(file) {
            Some(content) => Ok(content.clone()),
            None => self.writer.file(self.branch.commit, file).map_err(unavailable),
        }
    }

    fn changes_to(&mut self, file: &str, content: Option<Vec<u8>>) {
        self.draft.changes.insert(file.to_owned(), content);
    }

    fn wrote(&mut self, name: &PolicyName, file: &str, line: u32, result: WriteResult) {
        let (name, file) = (name.to_string(), file.to_owned());
        self.draft.policies.push(WrittenPolicy { file, line, name, result });
    }

    fn warn(&mut self, message: Option<String>, file: &str) {
        let finding =
            |message| Finding { place: Place::default(), field: "spec.selector".to_owned(), message };
        self.draft
            .warnings
            .extend(message.map(|message| Problem { file: file.into(), finding: finding(message) }));
    }
}

impl Plan {
    /// True if nothing is to be written.
    pub(super) fn is_nothing(&self) -> bool {
        self.changes.is_empty()
    }

    /// The names of the policies that change.
    pub(super) fn changed(&self) -> Vec<&str> {
        let changed = self.done.policies.iter().filter(|policy| policy.result != WriteResult::Unchanged);
        changed.map(|policy| policy.name.as_str()).collect()
    }
}

fn two_places(name: &PolicyName, places: &[(Arc<str>, u32)]) -> Refusal {
    let is_one_file = places.iter().all(|(file, _)| places.first().is_some_and(|(first, _)| file == first));
    let remedy = if is_one_file { "edit by hand" } else { "DELETE with `file` in the query" };
    let places: Vec<_> = places.iter().map(|(file, line)| format!("{file}:{line}")).collect();
    Refusal::Conflict(format!(
        "the policy `{name}` stands in {}; remove one of them ({remedy})",
        places.join(" and in ")
    ))
}

fn unavailable(error: SourceError) -> Refusal {
    Refusal::Unavailable(error.to_string())
}
